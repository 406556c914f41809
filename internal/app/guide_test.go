package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"cursus/internal/domain/accounting"
	"cursus/internal/domain/identity"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// shell runs commands as a reader runs them who pastes them into a terminal, and gives what they print.
func shell(t *testing.T, commands string, env ...string) string {
	t.Helper()
	c := exec.Command("bash", "-euo", "pipefail", "-c", commands) //nolint:gosec,noctx // what the guide says
	var out, failed bytes.Buffer
	c.Dir, c.Env, c.Stdout, c.Stderr = t.TempDir(), append(os.Environ(), env...), &out, &failed
	if err := c.Run(); err != nil {
		t.Fatalf("%v\n%s\n%s\n%s", err, commands, &out, &failed)
	}
	return out.String()
}

// partnerKey registers a system of a school and gives its key.
func (w *world) partnerKey(organisation string, roles, scopes []string) (secret string) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		c, err := identity.CreateClientTx(ctx, tx, identity.NewClient{Organisation: organisation, Name: "Registrar of " + organisation, Roles: roles, Scopes: scopes})
		if err == nil {
			_, secret, err = identity.AddKeyTx(ctx, tx, c.ID, identity.KeyLife)
		}
		return err
	})
	return secret
}

// What the page of a new key prints to be pasted into a terminal runs as it is printed.
func TestTheExamplesOfTheKeyPageRun(t *testing.T) {
	w, mails := newSite(t)
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.PutOrganisationTx(ctx, tx, "ESP", "ESP Dakar")
	})
	admin := w.newDesk(t, mails, "admin@example.org")
	admin.open("/console/clients")
	f := admin.form("/console/clients")
	f.set("name", "Registrar")
	f.set("organisation", "ESP")
	f.tick("role", "cashier")
	f.tick("scope", "learning:read")
	f.press("", "")
	at := admin.at
	admin.formWith(at, "days").press("do", "key")
	printed := ""
	for _, n := range admin.all(func(n *html.Node) bool { return n.Data == "section" && attr(n, "aria-labelledby") == "try" }) {
		for _, block := range nodes(n, func(n *html.Node) bool { return n.Data == "pre" }) {
			printed += text(block) + "\necho\n"
		}
	}
	said := strings.Fields(strings.TrimSpace(shell(t, printed)))
	if len(said) != 2 {
		t.Fatalf("the examples print %q", said)
	}
	var me struct {
		FullName string `json:"full_name"`
	}
	var token struct {
		AccessToken string `json:"access_token"`
		Scope       string `json:"scope"`
	}
	if err := json.Unmarshal([]byte(said[0]), &me); err != nil || me.FullName != "Registrar" {
		t.Errorf("the first example says %s, %v", said[0], err)
	}
	if err := json.Unmarshal([]byte(said[1]), &token); err != nil || token.AccessToken == "" || token.Scope != "learning:read" {
		t.Errorf("the second example says %s, %v", said[1], err)
	}
}

// collection is a .http file, as editors run it: requests between lines of ###, variables, and answers of requests that have a name.
type collection struct {
	t       *testing.T
	vars    map[string]string
	answers map[string]any
	guids   int
}

var (
	hole     = regexp.MustCompile(`\{\{([^{}]+)\}\}`)
	variable = regexp.MustCompile(`^@(\w+) *= *(.+)$`)
	named    = regexp.MustCompile(`^(?://|#) *@name +(\w+)$`)
)

// fill puts what a text names into its holes: a variable, a setting of the process, a fresh id, or a member of an answer.
func (c *collection) fill(s string) string {
	c.t.Helper()
	return hole.ReplaceAllStringFunc(s, func(h string) string {
		what := strings.TrimSpace(hole.FindStringSubmatch(h)[1])
		if name, ok := strings.CutPrefix(what, "$processEnv "); ok {
			return c.vars["$"+name]
		}
		if what == "$guid" {
			c.guids++
			return fmt.Sprintf("00000000-0000-4000-8000-%012d", c.guids)
		}
		if v, ok := c.vars[what]; ok {
			return v
		}
		name, path, _ := strings.Cut(what, ".response.body.$.")
		at := c.answers[name]
		for _, member := range strings.Split(path, ".") {
			member, first := strings.CutSuffix(member, "[0]")
			m, _ := at.(map[string]any)
			if at = m[member]; first {
				list, _ := at.([]any)
				if at = nil; len(list) > 0 {
					at = list[0]
				}
			}
		}
		text, ok := at.(string)
		if !ok {
			c.t.Fatalf("nothing fills %s", h)
		}
		return text
	})
}

// run sends every request in its order; each has to be answered with yes.
func (c *collection) run(file string) (sent int) {
	c.t.Helper()
	for _, part := range regexp.MustCompile(`(?m)^###.*$`).Split(file, -1) {
		name, head, rest := "", "", strings.Split(part, "\n")
		for ; len(rest) > 0 && head == ""; rest = rest[1:] {
			line := strings.TrimSpace(rest[0])
			switch {
			case variable.MatchString(line):
				v := variable.FindStringSubmatch(line)
				c.vars[v[1]] = c.fill(v[2])
			case named.MatchString(line):
				name = named.FindStringSubmatch(line)[1]
			case line != "" && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "//"):
				head = c.fill(line)
			}
		}
		if head == "" {
			continue
		}
		headers, body, _ := strings.Cut(strings.Join(rest, "\n"), "\n\n")
		method, url, _ := strings.Cut(head, " ")
		r, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(c.fill(strings.TrimSpace(body))))
		if err != nil {
			c.t.Fatal(err)
		}
		for line := range strings.Lines(headers) {
			if key, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
				r.Header.Set(key, c.fill(strings.TrimSpace(value)))
			}
		}
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			c.t.Fatal(err)
		}
		raw, err := io.ReadAll(a.Body)
		_ = a.Body.Close()
		if err != nil || a.StatusCode >= 300 {
			c.t.Fatalf("%s: %d %s %v", head, a.StatusCode, raw, err)
		}
		var answer any
		if len(raw) > 0 && strings.Contains(a.Header.Get("Content-Type"), "json") {
			if err := json.Unmarshal(raw, &answer); err != nil {
				c.t.Fatalf("%s: %s %v", head, raw, err)
			}
		}
		c.answers[name] = answer
		sent++
	}
	return sent
}

// The collection of requests for a partner school is answered as it stands.
func TestTheCollectionOfRequestsRuns(t *testing.T) {
	w, _ := newSite(t)
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.PutOrganisationTx(ctx, tx, "ESP", "ESP Dakar")
	})
	key := w.partnerKey("ESP", []string{"manager"}, []string{"orders:read", "learning:read", "webhooks:write", "cohorts:read"})
	file, err := os.ReadFile("../../docs/guide/partner.http")
	if err != nil {
		t.Fatal(err)
	}
	c := &collection{t: t, vars: map[string]string{"$CURSUS_URL": w.cfg.BaseURL, "$CURSUS_KEY": key}, answers: map[string]any{}}
	if n := c.run(string(file)); n != strings.Count(string(file), "\n### ") {
		t.Errorf("%d requests were sent", n)
	}
	w.verify()
}

// deskOfESP gives ESP a desk that takes 100,000 XOF for a session, and a key of its registrar and cashier.
func (w *world) deskOfESP() (offer, key string) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		if err := identity.PutOrganisationTx(ctx, tx, "ESP", "ESP Dakar"); err != nil {
			return err
		}
		_, err := accounting.PutAgreementTx(ctx, tx, accounting.Agreement{
			Key: "esp-desk", Organisation: "ESP", Collects: "partner", Currency: "XOF", SharePPM: 200_000, ValidFrom: w.h.Clock.Now().Add(-time.Hour)}, 0)
		return err
	})
	e := w.program("NETB", nil, money.Of(100_000, "XOF"), nil, 25_000, 25_000, 25_000, 25_000)
	return e.offer.ID, w.partnerKey("ESP", []string{"registrar", "cashier"}, []string{"cohorts:read", "cohorts:write", "desk:write", "learning:read"})
}

// The guide for a school's first cohort runs as it is printed, and at its end the learner who paid is enrolled in the four courses.
func TestTheGuideEnrolsAFirstCohort(t *testing.T) {
	w, _ := newSite(t)
	offer, key := w.deskOfESP()
	guide, err := os.ReadFile("../../docs/guide/first-cohort.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := ""
	for _, block := range regexp.MustCompile("(?s)```bash\n(.*?)```").FindAllStringSubmatch(string(guide), -1) {
		commands += block[1]
	}
	said := shell(t, commands, "CURSUS_URL="+w.cfg.BaseURL, "CURSUS_KEY="+key, "OFFER="+offer)
	for _, want := range []string{`"full_name":"Registrar of ESP"`, `"new":3`, "ESP-001,enrolled\r\n", "counted", "student_key,name,state,shared"} {
		if !strings.Contains(strings.ReplaceAll(said, "\r\n", "\n"), strings.ReplaceAll(want, "\r\n", "\n")) {
			t.Errorf("the guide does not print %q:\n%s", want, said)
		}
	}
	w.quiet()
	w.counts(map[string]int{
		"select count(*) from cohorts.members where state = 'enrolled'":           1,
		"select count(*) from cohorts.members where state = 'waiting'":            2,
		"select count(*) from enrolment.enrolments":                               4,
		"select count(*) from sales.orders where state = 'paid' and way = 'desk'": 1,
	})
	w.verify()
}

// The example in Go enrols a cohort and follows it; run again it changes nothing.
func TestTheExampleInGoEnrolsACohort(t *testing.T) {
	w, _ := newSite(t)
	offer, key := w.deskOfESP()
	roster := filepath.Join(t.TempDir(), "roster.csv")
	if err := os.WriteFile(roster, []byte("student_key,email\nESP-001,awa@esp.example\nESP-002,binta@esp.example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		said := shell(t, fmt.Sprintf("cd %q && go run ../../api/example/cohort ESP %s %q", here, offer, roster), "CURSUS_URL="+w.cfg.BaseURL, "CURSUS_KEY="+key)
		if strings.Count(said, "created") != 2 || strings.Count(said, "shared: false") != 2 {
			t.Fatal(said)
		}
		w.quiet()
	}
	w.counts(map[string]int{"select count(*) from cohorts.members": 2, "select count(*) from sales.orders": 2})
	w.verify()
}
