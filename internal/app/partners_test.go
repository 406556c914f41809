package app_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"cursus/internal/domain/identity"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

func init() {
	walks = append(walks, func(w *world, staff string) map[string]string {
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			if err := identity.PutOrganisationTx(ctx, tx, "ESP", "ESP Dakar"); err != nil {
				return err
			}
			return identity.PutPartnerRoleTx(ctx, tx, "ESP", staff, identity.RoleTeacher)
		})
		var c identity.Client
		w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
			c, err = identity.CreateClientTx(ctx, tx, identity.NewClient{Organisation: "ESP", Name: "Registrar", Roles: []string{identity.RoleRegistrar}, Scopes: []string{"cohorts:read"}})
			return err
		})
		return map[string]string{"/partners/:key": "/partners/ESP", "/partners/:key/systems": "/partners/ESP/systems", "/partners/:key/systems/:id": "/partners/ESP/systems/" + c.ID}
	})
}

// Staff name the owner of a school, who is led to its page, names a teacher, takes the role again, and is refused to leave the school without
// an owner; a teacher sees nothing of it, nor does the owner of another school.
func TestPagesOfRolesAtPartners(t *testing.T) {
	w, mails := newSite(t)
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		if err := identity.PutOrganisationTx(ctx, tx, "ENS", "ENS Dakar"); err != nil {
			return err
		}
		return identity.PutOrganisationTx(ctx, tx, "ESP", "ESP Dakar")
	})
	admin := w.newDesk(t, mails, "admin@example.org")
	give := func(d *desk, email, role string) {
		f := d.formWith("/partners/ESP", "email")
		f.set("email", email)
		f.set("name", "Awa Diop")
		f.tick("role", role)
		f.press("do", "give")
	}
	admin.open("/console")
	admin.says("Roles at partners")
	admin.open("/partners")
	admin.says("ENS Dakar", "ESP Dakar")
	admin.open("/partners/ESP")
	give(admin, "awa@esp.example", "owner")
	admin.says("Awa Diop", "awa@esp.example", "Owner")

	awa := w.signedIn(t, mails, "awa@esp.example")
	awa.open("/learning")
	awa.says("My school")
	awa.open("/partners")
	awa.says("ESP Dakar", "Owner")
	give(awa, "bob@esp.example", "teacher")
	awa.says("bob@esp.example", "Teacher")
	awa.want = 409
	awa.formWith("/partners/ESP", "take-owner-"+w.person("awa@esp.example", "").ID).press("do", "take")
	awa.says("Somebody has to be its owner")
	awa.open("/partners/ESP")
	awa.want = 404
	awa.open("/partners/ENS")
	bob := w.signedIn(t, mails, "bob@esp.example")
	bob.open("/learning")
	if strings.Contains(words(bob.page), "My school") {
		t.Error("a teacher is led to the roles")
	}
	bob.want = 404
	bob.open("/partners/ESP")
	w.verify()
}

// The owner of a school makes a key for its system herself, with no more than she may do there; what the page says to try works as it stands;
// she sees no system of another school, and none of the institute.
func TestOwnersMakeTheirOwnKeys(t *testing.T) {
	w, mails := newSite(t)
	var institute, other identity.Client
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		for _, key := range []string{"ESP", "ENS"} {
			if err := identity.PutOrganisationTx(ctx, tx, key, key+" Dakar"); err != nil {
				return err
			}
		}
		if institute, err = identity.CreateClientTx(ctx, tx, identity.NewClient{Name: "Warehouse", Roles: []string{"analytics"}, Scopes: []string{"analytics:read"}}); err != nil {
			return err
		}
		other, err = identity.CreateClientTx(ctx, tx, identity.NewClient{Organisation: "ENS", Name: "ENS", Roles: []string{"teacher"}, Scopes: []string{"cohorts:read"}})
		return err
	})
	w.partner("ESP", "awa@esp.example", identity.RoleOwner)
	awa := w.signedIn(t, mails, "awa@esp.example")
	awa.open("/partners/ESP")
	awa.says("Systems and keys")
	awa.open("/partners/ESP/systems")
	make := func(role string, scopes ...string) {
		f := awa.form("/partners/ESP/systems")
		f.set("name", "Registrar")
		f.tick("role", role)
		f.tick("scope", scopes...)
		f.press("", "")
	}
	awa.want = 400
	make("cashier", "desk:write")
	awa.says("you do not have it yourself")
	make("registrar", "cohorts:read", "cohorts:write", "learning:read")
	at := awa.at
	awa.formWith(at, "days").press("do", "key")
	secret := regexp.MustCompile(`cursus_key_[0-9a-z]+_[0-9a-z]+`).FindString(words(awa.page))
	var printed strings.Builder
	for _, block := range awa.all(func(n *html.Node) bool { return n.Data == "pre" }) {
		if commands := text(block); strings.Contains(commands, "curl") {
			printed.WriteString(commands + "\necho\n")
		}
	}
	if said := shell(t, printed.String()); !strings.Contains(said, `"full_name":"Registrar"`) || !strings.Contains(said, `"access_token":"cursus_tok_`) || !strings.Contains(said, "cohorts:write") {
		t.Errorf("the examples say %s", said)
	}
	status := func(key, path string) string {
		return shell(t, fmt.Sprintf(`curl -sS -o /dev/null -w '%%{http_code}' -H "Authorization: Bearer %s" %s%s`, key, w.cfg.BaseURL, path))
	}
	for _, scope := range identity.ScopesOf([]string{"admin"}) { // each other example that a page may show
		path := web.Tried([]string{scope})
		if path == "" {
			continue
		}
		var key string
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			c, err := identity.CreateClientTx(ctx, tx, identity.NewClient{Name: scope, Roles: []string{"admin"}, Scopes: []string{scope}})
			if err == nil {
				_, key, err = identity.AddKeyTx(ctx, tx, c.ID, identity.KeyLife)
			}
			return err
		})
		if got := status(key, path); got != "200" {
			t.Errorf("%s with %s: %s", path, scope, got)
		}
	}
	for _, path := range []string{"/partners/ENS/systems", "/partners/ESP/systems/" + institute.ID, "/partners/ESP/systems/" + other.ID, "/partners/ENS/systems/" + other.ID, "/partners/ESP/systems/none"} {
		awa.want = 404
		awa.open(path)
	}
	awa.open(at)
	var mine []identity.Client
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		mine, _, err = identity.ClientsTx(ctx, tx, "ESP", page.Request{Limit: 5})
		return err
	})
	awa.formWith(at, "end-"+mine[0].Keys[0].ID).press("do", "end "+mine[0].Keys[0].ID)
	if got := status(secret, "/v1/me"); got != "401" {
		t.Error("a key that has ended:", got)
	}
	w.verify()
}

// partner gives somebody a role at an organisation.
func (w *world) partner(organisation, email, role string) identity.Person {
	w.t.Helper()
	p := w.person(email, "")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.PutPartnerRoleTx(ctx, tx, organisation, p.ID, role)
	})
	return p
}
