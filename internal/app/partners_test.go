package app_test

import (
	"context"
	"strings"
	"testing"

	"cursus/internal/domain/identity"
	"cursus/internal/platform/postgres"
)

func init() {
	walks = append(walks, func(w *world, staff string) map[string]string {
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			if err := identity.PutOrganisationTx(ctx, tx, "ESP", "ESP Dakar"); err != nil {
				return err
			}
			return identity.PutPartnerRoleTx(ctx, tx, "ESP", staff, identity.RoleTeacher)
		})
		return map[string]string{"/partners/:key": "/partners/ESP"}
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
