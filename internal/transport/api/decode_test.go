package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"cursus/internal/kernel/fault"
)

func TestDecodeSaysWhere(t *testing.T) {
	for body, want := range map[string]string{
		`{"a":{"b":[1,{"c":1.5}]}}`: "/a/b/1/c not-an-integer", `{"a":1,"a":2}`: "/a duplicate", `{"a":1,"A":2}`: "/A duplicate", `{"x/y~":{"K":1,"\u212a":2}}`: "/x~1y~0/\u212a duplicate",
		`{"a":"\ud800"}`: "/a unreadable-text", `{"a":"\u0000"}`: "/a unreadable-text", `[9223372036854775808]`: "/0 not-an-integer",
		strings.Repeat("[", 100): strings.Repeat("/0", 17) + " too-deep", `{"a":1`: "", `{} {}`: "", `{"a":1,}`: "", "\xff": "", ``: "", `{"a" 1}`: "", `[1,]`: "", `01`: "", `nul`: "", `{1:2}`: "",
	} {
		_, err := decode([]byte(body))
		var f *fault.Fault
		if !errors.As(err, &f) || f.Kind != fault.Invalid {
			t.Errorf("%q: %v", body, err)
			continue
		}
		got := ""
		if len(f.Fields) > 0 {
			got = f.Fields[0].Pointer + " " + f.Fields[0].Code
		}
		if got != want {
			t.Errorf("%q: %q, want %q", body, got, want)
		}
	}
}

// What is taken means the same to the standard library: there is one reading of it.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"a":[1,-2,"x",true,null,{}]}`, `9223372036854775807`, `"\u00e9"`, `{"a":1,"b":{"a":2}}`, ` [ ] `} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := decode(raw)
		if err != nil {
			return
		}
		var want any
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if err := d.Decode(&want); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, the library reads %v (%v)", raw, got, want, err)
		}
	})
}
