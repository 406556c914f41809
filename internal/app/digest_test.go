package app_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/progress"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// read is what another program reads of a PDF, with every space one.
func read(t *testing.T, pdf []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "p.pdf")
	if err := os.WriteFile(file, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := exec.Command("pdftotext", "-enc", "UTF-8", "-layout", file, "-").CombinedOutput()
	if err != nil {
		t.Fatal(err, string(text))
	}
	return strings.Join(strings.Fields(string(text)), " ")
}

// digestMail is a digest that left.
type digestMail struct {
	header mail.Header
	text   string
	pdf    []byte
}

// token is that of the link that ends it.
func (m digestMail) token() string {
	_, token, _ := strings.Cut(strings.Trim(m.header.Get("List-Unsubscribe"), "<>"), "/digest/")
	return token
}

// digests are the mails of digests that left for an address.
func (w *world) digests(to string) (all []digestMail) {
	w.t.Helper()
	files, _ := filepath.Glob(filepath.Join(strings.TrimPrefix(w.cfg.Mail, "file://"), "*"))
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			w.t.Fatal(err)
		}
		m, err := mail.ReadMessage(bytes.NewReader(b))
		if err != nil || !strings.Contains(m.Header.Get("To"), to) || !strings.HasPrefix(m.Header.Get("Message-Id"), "<dig_") {
			continue
		}
		one := digestMail{header: m.Header}
		var walk func(kind string, body io.Reader)
		walk = func(kind string, body io.Reader) {
			_, with, _ := mime.ParseMediaType(kind)
			for parts := multipart.NewReader(body, with["boundary"]); ; {
				p, err := parts.NextPart() // it undoes quoted-printable
				if err != nil {
					return
				}
				switch kind := p.Header.Get("Content-Type"); {
				case strings.HasPrefix(kind, "multipart/"):
					walk(kind, p)
				case strings.HasPrefix(kind, "text/plain"):
					b, _ := io.ReadAll(p)
					one.text = string(b)
				case strings.HasPrefix(kind, "application/pdf"):
					b, _ := io.ReadAll(base64.NewDecoder(base64.StdEncoding, p))
					one.pdf = b
				}
			}
		}
		walk(m.Header.Get("Content-Type"), m.Body)
		all = append(all, one)
	}
	return all
}

// digestLink has one digest of a group mailed to somebody, and gives the link that ends it.
func (w *world) digestLink(group string, to identity.Person) string {
	w.t.Helper()
	if _, err := testkit.Owner(w.t, w.dsn).Exec(`insert into progress.digests (id, group_id, person_id, week, state, made_at) values ('dig_walk', $1, $2, '2026-01-05', 'waiting', now())`, group, to.ID); err != nil {
		w.t.Fatal(err)
	}
	if err := w.h.Progress.Mail(system, "dig_walk"); err != nil {
		w.t.Fatal(err)
	}
	all := w.digests(to.Email)
	if len(all) != 1 {
		w.t.Fatal(len(all), "digests")
	}
	return all[0].token()
}

// The digest of a week says who started, who fell behind and who is certified, of those who agree to it by now; it leaves once for each reader
// who wants it, whatever dies and whoever asks again; the same week is the same paper for ever; one click ends it.
func TestTheWeeklyDigest(t *testing.T) {
	w := newWorld(t)
	c, people := w.followed(12, 0)
	var teacher, left identity.Person
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		if teacher, err = identity.PutPersonTx(ctx, tx, "teacher@esp.example.org", "Aïssatou", "fr"); err != nil {
			return err
		}
		if left, err = identity.PutPersonTx(ctx, tx, "left@esp.example.org", "Left", "en"); err != nil {
			return err
		}
		for _, p := range []identity.Person{teacher, left} {
			if err := identity.PutPartnerRoleTx(ctx, tx, "ESP", p.ID, identity.RoleTeacher); err != nil {
				return err
			}
		}
		return nil
	})
	walker := w.walk(w.h)
	at, api := map[string]string{"cohort": c.ID}, &asker{t: t, w: walker, token: w.partnerKey("ESP", []string{"teacher"}, []string{"cohorts:read"})}
	hers := func() *asker { return &asker{t: t, w: walker, token: w.tokens(teacher)("cohorts:read")} }
	for range 2 {
		if got := hers().ask(200, "putCohortDigestMail", at, map[string]any{"wanted": true}); got["wanted"] != true {
			t.Fatal(got)
		}
	}
	if err := w.h.Progress.Read(system, left.ID, c.ID, true); err != nil {
		t.Fatal(err)
	}
	w.firstIsCertified(people)
	week := progress.WeekOf(w.clock.Now())
	asked := func(want int) {
		t.Helper()
		if n, err := w.h.Progress.AskDigests(system); err != nil || n != want {
			t.Fatal(n, "digests were asked for, not", want, err)
		}
		w.quiet()
	}
	paper := func(lang string) []byte {
		t.Helper()
		r := walker.Example("exportCohortDigest")
		r.Token, r.Path["cohort"], r.Query = api.token, c.ID, "lang="+lang+"&week="+week.String()
		return walker.Do(t, r).Body
	}
	api.ask(400, "exportCohortDigest", at, nil, query("week="+week.String())) // it is not over
	api.ask(400, "exportCohortDigest", at, nil, query("week=2026-W60"))
	w.clock.Advance(week.Until().Add(5 * time.Hour).Sub(w.clock.Now()))
	asked(0)
	w.clock.Advance(2 * time.Hour)
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.DropPartnerRoleTx(ctx, tx, "ESP", left.ID, identity.RoleTeacher, false)
	})
	asked(2)
	asked(0)
	if n := len(w.digests(left.Email)); n != 0 {
		t.Error("who is nothing at the school any more gets", n, "digests")
	}
	mails := w.digests(teacher.Email)
	if len(mails) != 1 {
		t.Fatal(len(mails), "digests")
	}
	first := mails[0]
	if first.header.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" || !strings.Contains(first.text, "Bonjour Aïssatou") || !strings.Contains(first.text, "Certifiés\u00a0: Learner 0 (S0)") {
		t.Errorf("%v\n%s", first.header, first.text)
	}
	text := read(t, first.pdf)
	for _, want := range []string{"Progression de la semaine", "Networks 2026 · NET-2026", week.String(), "3 sur 12", "Ont commencé cette semaine Learner 0 (S0), Learner 1 (S1)", "Ont pris du retard cette semaine Learner 1 (S1), Learner 2 (S2)", "Certifiés cette semaine Learner 0 (S0)", "masqué"} {
		if !strings.Contains(text, want) {
			t.Errorf("the paper does not say %q: %s", want, text)
		}
	}
	if strings.Contains(text, "Learner 3") {
		t.Error("somebody who did not agree is named")
	}
	w.imported(week.Until().Add(-time.Hour), followedGrades()[0], strings.Replace(followedGrades()[2], "Not Attempted", "1.0", 1)) // it comes late
	w.quiet()
	if !bytes.Equal(first.pdf, paper("fr")) {
		t.Error("the same week is another paper")
	}
	w.agrees(people[0], false)
	if english := read(t, paper("en")); !strings.Contains(english, "Certified in this week nobody") || strings.Contains(english, "Learner 0") {
		t.Error("who agrees no more is named:", english)
	}
	// A process dies with a mail in its hands: nobody sends it again.
	w.clock.Advance(7 * 24 * time.Hour)
	owner := testkit.Owner(t, w.dsn)
	if _, err := owner.Exec(`insert into progress.digests (id, group_id, person_id, week, state, tries, made_at, tried_at) values ('dig_dead', $1, $2, $3, 'sending', 1, $4, $4)`, c.ID, teacher.ID, week.Until(), w.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if err := w.h.Progress.Mail(system, "dig_dead"); err != nil {
		t.Fatal(err)
	}
	asked(1) // who is nothing there any more is looked at again, and skipped
	w.counts(map[string]int{"select count(*) from progress.digests where state = 'uncertain'": 1, "select count(*) from progress.digests where state = 'skipped'": 2, "select count(*) from progress.digests": 4})
	if n := len(w.digests(teacher.Email)); n != 1 {
		t.Error(n, "digests")
	}
	if _, err := w.h.Progress.Link(system, first.token()+"x"); err == nil {
		t.Error("a link that nobody made")
	}
	if l, err := w.h.Progress.Unsubscribe(system, first.token()); err != nil || !l.Refused || l.Group.ID != c.ID {
		t.Error(l, err)
	}
	if got := hers().ask(200, "getCohortDigestMail", at, nil); got["wanted"] != false {
		t.Error(got)
	}
	w.clock.Advance(7 * 24 * time.Hour)
	asked(1) // of the other
	if n := len(w.digests(teacher.Email)); n != 1 {
		t.Error(n, "digests after a no")
	}
	w.verify()
}
