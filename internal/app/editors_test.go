package app_test

import (
	"context"
	"testing"

	"cursus/internal/domain/catalog"
	"cursus/internal/platform/postgres"
)

// Two officers write the words of a collection, and the rules of the charter, over the same version: the second one is told, sees what the other
// wrote beside her own text, and saves both. Nobody publishes words that she has not read.
func TestTwoEditorsOfACollectionAndOfTheCharter(t *testing.T) {
	w, mails := newSite(t)
	w.written("NET")
	mine, theirs := w.newDesk(t, mails, "first@example.org"), w.newDesk(t, mails, "second@example.org")
	const page, state = "/console/collections/FLIRT", "/console/collections/FLIRT/state"
	mine.open(page)
	form, move := mine.form(page), mine.form(state)
	theirs.open(page)
	other := theirs.form(page)
	other.both("/title", catalog.Text{EN: "Their title", FR: "Leur titre"})
	other.press("", "")

	form.both("/summary", catalog.Text{EN: "My summary.", FR: "Mon résumé."})
	mine.want = 409
	form.press("", "")
	mine.says("Their title", "Leur titre")
	if again := mine.form(page); again.value("/summary/en") != "My summary." || again.value("version") != "2" {
		t.Errorf("what she wrote is lost: %q over version %s", again.value("/summary/en"), again.value("version"))
	}
	mine.want = 409
	move.press("state", "archived")
	mine.says("Their title")
	saved := mine.form(page)
	saved.both("/summary", catalog.Text{EN: "My summary.", FR: "Mon résumé."})
	saved.press("", "")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		c, err := catalog.CollectionTx(ctx, tx, "FLIRT")
		if c.Version != 3 || c.State != catalog.Drafted || c.Summary.EN != "My summary." {
			t.Errorf("%+v", c)
		}
		return err
	})

	const rules = "/console/charter/edit"
	mine.open(rules)
	charter := mine.form(rules)
	theirs.open(rules)
	changed := theirs.form(rules)
	changed.set("/rules/0/most", "480")
	changed.press("do", "save")
	charter.set("/rules/0/text/en", "At most seven minutes")
	mine.want = 409
	charter.press("do", "save")
	if both := mine.form(rules); both.value("/rules/0/most") != "480" || both.value("/rules/0/text/en") != "At most seven minutes" {
		t.Errorf("not brought together: %q, %q", both.value("/rules/0/most"), both.value("/rules/0/text/en"))
	}
	w.verify()
}

// value is that of the one field of a name.
func (f *filled) value(name string) string {
	f.d.t.Helper()
	for _, c := range f.controls {
		if c.name == name {
			return c.value
		}
	}
	f.d.t.Fatalf("the form %s has no %s", f.action, name)
	return ""
}
