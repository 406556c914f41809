package audit_test

import (
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"cursus/internal/kernel/page"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"

	"pgregory.net/rapid"
)

// kept appends an entry and gives its detail as the chain keeps it.
func kept(t rapid.TB, db *postgres.DB, e audit.Entry) (detail map[string]any) {
	t.Helper()
	e.Action, e.Object = "test.put", "obj_edit"
	if err := db.InTx(postgres.WithActor(context.Background(), "staff:per_1"), "edit", func(ctx context.Context, tx *postgres.Tx) error {
		if err := audit.HoldTx(ctx, tx, e.Object); err != nil {
			return err
		}
		return audit.AppendTx(ctx, tx, e)
	}); err != nil {
		t.Fatal(err)
	}
	if err := db.View(postgres.WithActor(context.Background(), "system"), "read", func(ctx context.Context, tx *postgres.Tx) error {
		all, _, err := audit.ReadTx(ctx, tx, audit.Filter{Object: e.Object}, page.Request{Limit: 1})
		if err != nil {
			return err
		}
		return json.Unmarshal(all[0].Detail, &detail)
	}); err != nil {
		t.Fatal(err)
	}
	return detail
}

// An edit keeps what differs and nothing else: inside of objects, as elements of lists, of a long text the place. It breaks when a field that
// stayed is written, when one that changed is not, and when an instant counts as another because of its zone.
func TestAnEditKeepsWhatDiffers(t *testing.T) {
	type document = map[string]any
	db := testkit.DB(t)
	long := strings.Repeat("é", 3000)
	for name, c := range map[string]struct {
		before, after any
		want          string
	}{
		"a field":           {document{"name": "A", "n": 1}, document{"name": "B", "n": 1}, `{"before":{"name":"A"},"after":{"name":"B"}}`},
		"nothing":           {document{"name": "A"}, document{"name": "A"}, `{"before":{},"after":{}}`},
		"within":            {document{"t": document{"en": "A", "fr": "B"}}, document{"t": document{"en": "A", "fr": "C"}}, `{"before":{"t":{"fr":"B"}},"after":{"t":{"fr":"C"}}}`},
		"it is new":         {nil, document{"name": "A"}, `{"before":{},"after":{"name":"A"}}`},
		"it is gone":        {document{"name": "A"}, nil, `{"before":{"name":"A"},"after":{}}`},
		"a list":            {document{"l": []int{1, 2, 2, 3}}, document{"l": []int{1, 2, 3, 4}}, `{"before":{"l":[2]},"after":{"l":[4]}}`},
		"an order":          {document{"l": []int{1, 2}}, document{"l": []int{2, 1}}, `{"before":{"l":[1,2]},"after":{"l":[2,1]}}`},
		"another kind":      {document{"x": 1}, document{"x": document{"y": 2}}, `{"before":{"x":1},"after":{"x":{"y":2}}}`},
		"the same instant":  {document{"at": "2026-01-01T01:00:00+01:00"}, document{"at": "2026-01-01T00:00:00Z"}, `{"before":{},"after":{}}`},
		"a large amount":    {document{"n": int64(9007199254740993)}, document{"n": int64(9007199254740992)}, `{"before":{"n":9007199254740993},"after":{"n":9007199254740992}}`},
		"an address":        {document{"email": "a@example.org", "n": 1}, document{"email": "b@example.org", "n": 2}, `{"before":{"n":1},"after":{"n":2},"personal":["email"]}`},
		"who is in a list":  {document{"l": []document{}}, document{"l": []document{{"key": "k", "email": "a@example.org"}}}, `{"before":{"l":[]},"after":{"l":[{"key":"k"}]},"personal":["l.email"]}`},
		"named by the room": {document{"buyer": document{"name": "A", "vat": "1"}}, document{"buyer": document{"name": "B", "vat": "1"}}, `{"before":{},"after":{},"personal":["buyer.name"]}`},
	} {
		got := kept(t, db, audit.Entry{Before: c.before, After: c.after, Personal: []string{"buyer"}})
		var want map[string]any
		if err := json.Unmarshal([]byte(c.want), &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
	got := kept(t, db, audit.Entry{Detail: map[string]string{"by": "per_1"}, Before: document{"text": long + "A"}, After: document{"text": long + "B"}})
	if b, a := got["before"].(map[string]any)["text"].(string), got["after"].(map[string]any)["text"].(string); len([]rune(b)) > 510 || !strings.HasSuffix(b, "éA") || !strings.HasSuffix(a, "éB") || got["by"] != "per_1" {
		t.Errorf("%v", got)
	}
}

// Whatever is edited, of what is personal nothing stands in the chain, however deep, and every field that stayed is left out.
func TestNothingPersonalIsKept(t *testing.T) {
	db := testkit.DB(t)
	names := []string{"email", "given_name", "secret", "nick", "title", "list", "within"}
	var value func(deep int) *rapid.Generator[any]
	value = func(deep int) *rapid.Generator[any] {
		leaf := rapid.Map(rapid.SampledFrom([]string{"a", "b", "c"}), func(s string) any { return s })
		if deep == 0 {
			return leaf
		}
		return rapid.OneOf(leaf,
			rapid.Map(rapid.MapOfN(rapid.SampledFrom(names), value(deep-1), 0, 4), func(m map[string]any) any { return m }),
			rapid.Map(rapid.SliceOfN(value(deep-1), 0, 3), func(l []any) any { return l }))
	}
	object := rapid.MapOfN(rapid.SampledFrom(names), value(2), 0, 6)
	hidden := []string{"email", "given_name", "secret", "nick"}
	rapid.Check(t, func(r *rapid.T) {
		before, after := object.Draw(r, "before"), object.Draw(r, "after")
		detail := kept(r, db, audit.Entry{Before: before, After: after, Personal: []string{"nick"}})
		var look func(v any)
		look = func(v any) {
			switch v := v.(type) {
			case map[string]any:
				for name, x := range v {
					if slices.Contains(hidden, name) {
						r.Fatalf("%s is kept: %v of %v and %v", name, detail, before, after)
					}
					look(x)
				}
			case []any:
				for _, x := range v {
					look(x)
				}
			}
		}
		look(detail["before"])
		look(detail["after"])
		for name := range maps.Keys(before) {
			x, kept := detail["before"].(map[string]any)[name]
			if reflect.DeepEqual(before[name], after[name]) && kept {
				r.Fatalf("%s stayed and is kept: %v", name, x)
			}
		}
	})
}
