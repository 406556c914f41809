package app_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/origin"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api/apitest"
)

// accessStory registers a system, gives it a key and a token, and ends them, as an administrator does it through the API.
func (w *world) accessStory(t *testing.T, walker *apitest.Walker, staff string) {
	t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.PutOrganisationTx(ctx, tx, "ESP", "ESP Dakar")
	})
	s := &asker{t: t, w: walker, token: staff}
	if first, second := s.ask(201, "createClient", nil, nil, key("access-1")), s.ask(201, "createClient", nil, nil, key("access-1")); first["id"] != second["id"] {
		t.Errorf("a repeated key made another client: %v, %v", first, second)
	}
	c := s.ask(201, "createClient", nil, map[string]any{"name": "Story", "organisation": "ESP", "roles": []string{"cashier"}, "scopes": []string{"desk:write", "orders:read"}})
	at := map[string]string{"client": c["id"].(string)}
	made := s.ask(201, "createKey", at, map[string]any{})
	secret, keyID := made["secret"].(string), made["key"].(map[string]any)["id"].(string)
	s.ask(201, "createKey", at, map[string]any{"days": 30})
	s.ask(409, "createKey", at, map[string]any{})

	// The token for the key, by form and by header; each speaks as the person of the client and can do no more.
	token := s.ask(200, "grantToken", nil, nil, form(url.Values{"grant_type": {"client_credentials"}, "client_id": {at["client"]}, "client_secret": {secret}, "scope": {"orders:read"}}))
	if token["scope"] != "orders:read" || token["token_type"] != "Bearer" || token["expires_in"] != 3600.0 {
		t.Errorf("%v", token)
	}
	byHeader := func(r *apitest.Request) {
		form(url.Values{"grant_type": {"client_credentials"}})(r)
		r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(at["client"]+":"+url.QueryEscape(secret))))
	}
	if got := s.ask(200, "grantToken", nil, nil, byHeader); got["scope"] != "desk:write orders:read" {
		t.Errorf("%v", got)
	}
	for _, bad := range []struct {
		status int
		word   string
		form   url.Values
	}{
		{401, "invalid_client", url.Values{"grant_type": {"client_credentials"}, "client_id": {at["client"]}, "client_secret": {"cursus_key_x"}}},
		{401, "invalid_client", url.Values{"grant_type": {"client_credentials"}}},
		{400, "invalid_scope", url.Values{"grant_type": {"client_credentials"}, "client_id": {at["client"]}, "client_secret": {secret}, "scope": {"refunds:write"}}},
		{400, "unsupported_grant_type", url.Values{"grant_type": {"password"}, "username": {"a"}, "password": {"b"}}},
		{400, "invalid_request", url.Values{"grant_type": {"client_credentials"}, "client_id": {"a", "b"}}},
	} {
		if got := s.ask(bad.status, "grantToken", nil, nil, form(bad.form)); got["error"] != bad.word {
			t.Errorf("%v: %v", bad.form, got)
		}
	}
	machine := &asker{t: t, w: walker, token: token["access_token"].(string)}
	machine.ask(200, "listOrders", nil, nil)
	machine.ask(403, "listClients", nil, nil)
	if got := s.ask(200, "getClient", at, nil); len(got["keys"].([]any)) != 2 || got["keys"].([]any)[1].(map[string]any)["used_at"] == nil {
		t.Errorf("%v", got)
	}
	s.ask(200, "putClient", at, map[string]any{"name": "Story", "scopes": []string{"orders:read"}, "per_minute": 50})
	s.ask(200, "listClients", nil, nil, query("organisation=ESP"))
	s.ask(204, "endKey", map[string]string{"client": at["client"], "key": keyID}, nil)
	machine.ask(401, "listOrders", nil, nil)
	s.ask(404, "endKey", map[string]string{"client": at["client"], "key": "key_01kb5t8kz9e0qv4m3r2x7nwhjd"}, nil)
	s.ask(204, "endClient", at, nil)
	s.ask(204, "endClient", at, nil)
	s.ask(409, "putClient", at, map[string]any{"name": "Story", "scopes": []string{"orders:read"}})
	walker.Values["client"] = c["id"].(string)
	w.rolesStory(t, walker, s)
}

// rolesStory names the owner of a school, who names a teacher herself and nobody at another school.
func (w *world) rolesStory(t *testing.T, walker *apitest.Walker, staff *asker) {
	t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.PutOrganisationTx(ctx, tx, "ENS", "ENS Dakar")
	})
	esp, ens := map[string]string{"organisation": "ESP"}, map[string]string{"organisation": "ENS"}
	give := func(email, role string) map[string]any {
		return map[string]any{"email": email, "name": "Awa Diop", "role": role}
	}
	made := staff.ask(201, "givePartnerRole", esp, give("awa@esp.example", "owner"), key("roles-1"))
	if again := staff.ask(201, "givePartnerRole", esp, give("awa@esp.example", "owner"), key("roles-1")); again["since"] != made["since"] {
		t.Error(made, again)
	}
	awa := &asker{t: t, w: walker, token: w.token(made["person"].(string))}
	teacher := awa.ask(201, "givePartnerRole", esp, give("bob@esp.example", "teacher"))
	awa.ask(400, "givePartnerRole", esp, give("bob@esp.example", "admin"))
	awa.ask(404, "givePartnerRole", ens, give("bob@esp.example", "teacher"))
	awa.ask(404, "listPartnerRoles", ens, nil)
	if all := awa.ask(200, "listPartnerRoles", esp, nil)["roles"].([]any); len(all) < 2 {
		t.Error(all)
	}
	bob := &asker{t: t, w: walker, token: w.token(teacher["person"].(string))}
	bob.ask(403, "listPartnerRoles", esp, nil)
	at := func(role, person any) map[string]string {
		return map[string]string{"organisation": "ESP", "role": role.(string), "person": person.(string)}
	}
	awa.ask(204, "takePartnerRole", at("teacher", teacher["person"]), nil)
	awa.ask(204, "takePartnerRole", at("teacher", teacher["person"]), nil)
	if refused := awa.ask(409, "takePartnerRole", at("owner", made["person"]), nil); refused["code"] != "last-owner" {
		t.Error(refused)
	}
	var acts []string
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Select(ctx, &acts, postgres.Query{Name: "acts", SQL: "select action || ' ' || split_part(actor, ':', 1) from platform.audit where action like 'partner_role.%' and actor <> 'system' order by seq"})
	})
	if want := []string{"partner_role.put staff", "partner_role.put learner", "partner_role.dropped learner"}; !slices.Equal(acts, want) {
		t.Errorf("%v were written down, want %v", acts, want)
	}
	walker.Values["role"] = "teacher"
	w.ownersStory(t, walker, staff, awa)
}

// ownersStory has the owner of a school make a key for its system: no more than she may do there, and nothing elsewhere. A system makes no keys.
func (w *world) ownersStory(t *testing.T, walker *apitest.Walker, staff, awa *asker) {
	t.Helper()
	system := func(organisation, role string, scopes ...string) map[string]any {
		n := map[string]any{"name": "Registrar", "roles": []string{role}, "scopes": scopes}
		if organisation != "" {
			n["organisation"] = organisation
		}
		return n
	}
	if refused := awa.ask(400, "createClient", nil, system("ESP", "cashier", "desk:write")); !strings.Contains(fmt.Sprint(refused["errors"]), "not-yours") {
		t.Error(refused)
	}
	awa.ask(404, "createClient", nil, system("ENS", "registrar", "cohorts:read"))
	awa.ask(404, "createClient", nil, system("", "analytics", "analytics:read"))
	c := awa.ask(201, "createClient", nil, system("ESP", "registrar", "cohorts:read", "cohorts:write", "learning:read"))
	at := map[string]string{"client": c["id"].(string)}
	secret := awa.ask(201, "createKey", at, map[string]any{})["secret"].(string)
	if me := (&asker{t: t, w: walker, token: secret}).ask(200, "getMe", nil, nil); !slices.Contains(me["scopes"].([]any), any("cohorts:write")) {
		t.Error(me)
	}
	awa.ask(403, "rotateBadgeKey", nil, nil, key("not-hers")) // the institute's own keys are no client's
	awa.ask(400, "listClients", nil, nil)
	awa.ask(404, "listClients", nil, nil, query("organisation=ENS"))
	if all := awa.ask(200, "listClients", nil, nil, query("organisation=ESP"))["clients"].([]any); len(all) == 0 {
		t.Error("none")
	}
	wide := staff.ask(201, "createClient", nil, system("", "admin", "clients:write", "roles:write"))
	over := map[string]string{"client": wide["id"].(string)}
	for operation, body := range map[string]any{"getClient": nil, "endClient": nil, "createKey": map[string]any{}, "putClient": map[string]any{"name": "Mine", "scopes": []string{"orders:read"}}} {
		awa.ask(404, operation, over, body)
	}
	machine := &asker{t: t, w: walker, token: staff.ask(201, "createKey", over, map[string]any{})["secret"].(string)}
	for operation, body := range map[string]any{"createKey": map[string]any{}, "endClient": nil} {
		if refused := machine.ask(403, operation, over, body); refused["code"] != "person-required" {
			t.Error(refused)
		}
	}
	machine.ask(200, "getClient", over, nil)
	staff.ask(204, "endClient", over, nil)
}

// Who signed in more than ten minutes ago reads what she may, and moves neither money nor keys nor roles until she signs in again; a system pays
// back by its key.
func TestStepUp(t *testing.T) {
	w := newWorld(t)
	walker := w.walk(w.h)
	zoe, staff := w.person("zoe@example.org", "Zoé"), w.person("staff@example.org", "Staff")
	o := w.order(zoe.ID, w.paid, "k")
	w.pay(o, visa)
	w.becomes(o, sales.Paid)
	var secret string
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		c, err := identity.CreateClientTx(ctx, tx, identity.NewClient{Name: "Refunds", Roles: []string{"refund"}, Scopes: []string{"refunds:write"}})
		if err != nil {
			return err
		}
		if _, secret, err = identity.AddKeyTx(ctx, tx, c.ID, identity.KeyLife); err != nil {
			return err
		}
		if err := identity.PutOrganisationTx(ctx, tx, "ESP", "ESP Dakar"); err != nil {
			return err
		}
		return identity.GrantRoleTx(ctx, tx, staff.ID, "admin")
	})
	person := &asker{t: t, w: walker, token: w.token(staff.ID)}
	at, part := map[string]string{"order": o.ID}, map[string]any{"amount_minor": 100, "reason": "A part of it."}
	w.clock.Advance(identity.FreshLife)
	person.ask(202, "refundOrder", at, part)
	w.clock.Advance(time.Second)
	steps := 0
	for _, op := range walker.Operations() {
		if op.StepUp == "" {
			continue
		}
		steps++
		r := walker.Example(op.ID)
		r.Token = person.token
		if a := walker.Do(t, r); a.Status != 401 || !strings.Contains(string(a.Body), "step-up-required") ||
			a.Header.Get("WWW-Authenticate") != `Bearer realm="cursus", error="insufficient_user_authentication", max_age="600"` {
			t.Errorf("%s by who signed in long ago: %d %s %s", op.ID, a.Status, a.Header.Get("WWW-Authenticate"), a.Body)
		}
	}
	if steps < 15 {
		t.Error("only", steps, "operations ask for a fresh sign-in")
	}
	person.ask(200, "getOrder", at, nil)
	person.ask(200, "listClients", nil, nil)
	(&asker{t: t, w: walker, token: secret}).ask(202, "refundOrder", at, part)
	(&asker{t: t, w: walker, token: w.token(staff.ID)}).ask(202, "refundOrder", at, part)
}

func key(k string) func(*apitest.Request) {
	return func(r *apitest.Request) { r.Header.Set("Idempotency-Key", k) }
}

func form(v url.Values) func(*apitest.Request) {
	return func(r *apitest.Request) {
		r.Token, r.Body = "", []byte(v.Encode())
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
}

// A school's cashier by key sees and moves what is the school's, and nothing of others; what she asks beyond her rate is refused with the time
// to wait, and nobody else waits for that.
func TestASchoolsKeyIsHeldToTheSchool(t *testing.T) {
	w := newWorld(t)
	walker := w.walk(w.h)
	var secret string
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		if err := identity.PutOrganisationTx(ctx, tx, "ESP", "ESP Dakar"); err != nil {
			return err
		}
		c, err := identity.CreateClientTx(ctx, tx, identity.NewClient{
			Organisation: "ESP", Name: "Desk", Roles: []string{"cashier"}, Scopes: []string{"desk:write", "orders:read", "orders:write", "learning:read"}, PerMinute: 60,
		})
		if err != nil {
			return err
		}
		_, secret, err = identity.AddKeyTx(ctx, tx, c.ID, identity.KeyLife)
		return err
	})
	zoe := w.person("zoe@example.org", "Zoé")
	o := w.order(zoe.ID, w.paid, "k")
	desk := &asker{t: t, w: walker, token: secret}
	desk.ask(404, "getOrder", map[string]string{"order": o.ID}, nil)
	desk.ask(404, "listOrderDocuments", map[string]string{"order": o.ID}, nil)
	if me := desk.ask(200, "getMe", nil, nil); me["full_name"] != "Desk" || len(me["scopes"].([]any)) != 4 {
		t.Errorf("%v", me)
	}
	var last apitest.Answer
	for range 70 {
		r := walker.Example("getMe")
		r.Token = secret
		if last = walker.Do(t, r); last.Status != http.StatusOK {
			break
		}
		if p := last.Header.Get("RateLimit-Policy"); p != `"client";q=60;w=60` || !strings.HasPrefix(last.Header.Get("RateLimit"), `"client";r=`) {
			t.Fatal(p, last.Header.Get("RateLimit"))
		}
	}
	if last.Status != http.StatusTooManyRequests || last.Header.Get("Retry-After") != "1" || last.Header.Get("RateLimit") != `"client";r=0;t=1` {
		t.Error(last.Status, last.Header.Get("Retry-After"), last.Header.Get("RateLimit"))
	}
	(&asker{t: t, w: walker, token: w.token(zoe.ID)}).ask(200, "getMe", nil, nil)
	w.clock.Advance(time.Second)
	desk.ask(200, "getMe", nil, nil)
}

// An administrator registers a school's system in the console, gives it a key, which is shown once and opens the API, and ends it; who may
// not look after keys does not see the page.
func TestPagesOfSystemsAndKeys(t *testing.T) {
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
	f.tick("scope", "refunds:write")
	admin.want = 400
	f.press("", "")
	admin.says("/scopes", "refunds:write")
	f = admin.form("/console/clients")
	f.tick("scope", "learning:read", "orders:read")
	f.press("", "")
	var c identity.Client
	read := func() {
		t.Helper()
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			all, _, err := identity.ClientsTx(ctx, tx, "ESP", page.Request{Limit: 10})
			if err == nil && len(all) == 1 {
				c = all[0]
			}
			return err
		})
	}
	read()
	at := "/console/clients/" + c.ID
	admin.formWith(at, "days").press("do", "key")
	secret := regexp.MustCompile(`cursus_key_[0-9a-z]+_[0-9a-z]+`).FindString(words(admin.page))
	if who, err := w.h.Identity.OfBearer(origin.With(system, "192.0.2.1"), secret); err != nil || who.Client != c.ID || !slices.Equal(who.Scopes, []string{"learning:read", "orders:read"}) {
		t.Fatalf("%q opens %+v, %v", secret, who, err)
	}
	admin.open(at)
	if strings.Contains(words(admin.page), secret) {
		t.Error("the key is shown twice")
	}
	admin.says("192.0.2.1", "curl")
	read()
	f = admin.formWith(at, "name")
	f.set("networks", "196.1.95.0/24")
	f.press("do", "save")
	if _, err := w.h.Identity.OfBearer(origin.With(system, "192.0.2.1"), secret); !errors.Is(err, identity.ErrNetwork) {
		t.Error(err)
	}
	admin.formWith(at, "end-"+c.Keys[0].ID).press("do", "end "+c.Keys[0].ID)
	if _, err := w.h.Identity.OfBearer(system, secret); !errors.Is(err, identity.ErrNobody) {
		t.Error(err)
	}
	admin.formWith(at, "end-client").press("do", "end")
	admin.says("ended")
	sales := w.newDeskOf(t, mails, "sales@example.org", "sales")
	sales.want = 403
	sales.open("/console/clients")
	w.verify()
}

func init() {
	walks = append(walks, func(w *world, _ string) map[string]string {
		var c identity.Client
		w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
			if c, err = identity.CreateClientTx(ctx, tx, identity.NewClient{Name: "Warehouse", Roles: []string{"analytics"}, Scopes: []string{"analytics:read"}}); err != nil {
				return err
			}
			_, _, err = identity.AddKeyTx(ctx, tx, c.ID, identity.KeyLife)
			return err
		})
		return map[string]string{"/console/clients/:id": "/console/clients/" + c.ID}
	})
}
