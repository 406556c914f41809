package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"cursus/internal/platform/postgres"
)

// What stands of a long value in the chain, which is kept for ever: enough to see what was done.
const (
	mostRunes    = 500 // of a text, around where it begins to differ
	mostElements = 50  // of a list, of those that differ
)

// personal are the names of fields whose values never stand in the chain: an erasure has to wipe them, or nobody may read them at all. An
// entry names more where a room has some under other names.
var personal = []string{"email", "full_name", "given_name", "family_name", "phone", "address", "student_key", "secret", "password", "token", "hash", "code"}

// HoldTx lets one transaction at a time edit a thing, until it ends: what it was is then what it was when the other one was done. It is for
// rooms that do not hold the row itself before they write over it.
func HoldTx(ctx context.Context, tx *postgres.Tx, object string) error {
	_, err := tx.Exec(ctx, q.Q("Hold"), object)
	return err
}

// Was gives what stood there before an edit, for Entry.Before: nothing where there was nothing.
func Was(there bool, before any) any {
	if !there {
		return nil
	}
	return before
}

// told gives the detail of an entry as it is kept: with what differs where the entry is of an edit.
func (e Entry) told() (any, error) {
	if e.Before == nil && e.After == nil {
		return e.Detail, nil
	}
	detail, err := object(e.Detail)
	if err != nil {
		return nil, fmt.Errorf("audit %s: %w", e.Action, err)
	}
	before, err := object(e.Before)
	if err != nil {
		return nil, fmt.Errorf("audit %s: %w", e.Action, err)
	}
	after, err := object(e.After)
	if err != nil {
		return nil, fmt.Errorf("audit %s: %w", e.Action, err)
	}
	d := differ{hidden: append(slices.Clone(personal), e.Personal...), touched: map[string]bool{}}
	detail["before"], detail["after"] = d.members("", before, after, false)
	if len(d.touched) > 0 {
		detail["personal"] = slices.Sorted(maps.Keys(d.touched))
	}
	return detail, nil
}

// object reads what JSON makes of a value as an object; nothing has no member.
func object(v any) (map[string]any, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	if string(raw) == "null" {
		return out, nil
	}
	in := json.NewDecoder(bytes.NewReader(raw))
	in.UseNumber() // an amount is exact
	if err := in.Decode(&out); err != nil {
		return nil, err
	}
	return inUTC(out).(map[string]any), nil
}

// inUTC writes times in UTC: what was read from a table and what was sent name the same instant in different zones.
func inUTC(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, x := range v {
			v[name] = inUTC(x)
		}
	case []any:
		for i, x := range v {
			v[i] = inUTC(x)
		}
	case string:
		if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return t.UTC().Format(time.RFC3339Nano)
		}
	}
	return v
}

// differ finds what differs between two values of JSON.
type differ struct {
	hidden  []string
	touched map[string]bool // paths of fields that differ, or came or went, and whose values are not kept
}

// members gives the members of two objects that differ, from each. Inside of a hidden one the names alone are noted.
func (d differ) members(at string, before, after map[string]any, hidden bool) (was, is map[string]any) {
	was, is = map[string]any{}, map[string]any{}
	names := map[string]any{}
	maps.Copy(names, before)
	maps.Copy(names, after)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		b, had := before[name]
		a, has := after[name]
		if had == has && text(b) == text(a) {
			continue
		}
		path, within := joined(at, name), hidden || slices.Contains(d.hidden, name)
		bo, bIs := b.(map[string]any)
		ao, aIs := a.(map[string]any)
		switch {
		case (bIs || b == nil) && (aIs || a == nil) && (bIs || aIs):
			if bo, ao = d.members(path, bo, ao, within); within {
				if bIs != aIs { // it came or went, even where nothing is in it
					d.touched[path] = true
				}
				continue
			}
			if len(bo) > 0 || bIs && !aIs {
				was[name] = bo
			}
			if len(ao) > 0 || aIs && !bIs {
				is[name] = ao
			}
		case within:
			d.touched[path] = true
		default:
			b, a = d.values(path, b, a)
			if had {
				was[name] = b
			}
			if has {
				is[name] = a
			}
		}
	}
	return was, is
}

// values gives two values that differ as they are kept: lists without what both have, long texts around where they begin to differ.
func (d differ) values(at string, before, after any) (was, is any) {
	bl, bIs := before.([]any)
	al, aIs := after.([]any)
	if (bIs || before == nil) && (aIs || after == nil) {
		gone, come := without(bl, al), without(al, bl)
		if len(gone)+len(come) == 0 { // the order alone
			gone, come = bl, al
		}
		return d.list(at, gone), d.list(at, come)
	}
	from := 0
	bs, bIs := before.(string)
	as, aIs := after.(string)
	if bIs && aIs {
		from = common([]rune(bs), []rune(as))
	}
	return d.kept(at, before, from), d.kept(at, after, from)
}

// without gives the elements of a list that another does not have, as often as it has them not.
func without(list, other []any) (left []any) {
	have := map[string]int{}
	for _, v := range other {
		have[text(v)]++
	}
	for _, v := range list {
		if k := text(v); have[k] > 0 {
			have[k]--
			continue
		}
		left = append(left, v)
	}
	return left
}

func (d differ) list(at string, all []any) any {
	out := []any{}
	for i, v := range all {
		if i == mostElements {
			return append(out, fmt.Sprintf("… %d more", len(all)-i))
		}
		out = append(out, d.kept(at, v, 0))
	}
	return out
}

// kept is a whole value as it is kept: without what is hidden, and not longer than it has to be. from is where a text begins to differ.
func (d differ) kept(at string, v any, from int) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, x := range v {
			if slices.Contains(d.hidden, name) {
				d.touched[joined(at, name)] = true
				continue
			}
			out[name] = d.kept(joined(at, name), x, 0)
		}
		return out
	case []any:
		return d.list(at, v)
	case string:
		return shortened([]rune(v), from)
	}
	return v
}

// shortened keeps a long text from a little before where it begins to differ.
func shortened(s []rune, from int) string {
	if len(s) <= mostRunes {
		return string(s)
	}
	from = max(0, min(from-40, len(s)-mostRunes))
	out := string(s[from:min(len(s), from+mostRunes)])
	if from > 0 {
		out = "…" + out
	}
	if from+mostRunes < len(s) {
		out += "…"
	}
	return out
}

func common(a, b []rune) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

func joined(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}

// text is a value of JSON in the one form in which two that are the same are the same.
func text(v any) string {
	raw, err := json.Marshal(v)
	if err != nil { // it was read from JSON: it cannot
		return err.Error()
	}
	return string(raw)
}
