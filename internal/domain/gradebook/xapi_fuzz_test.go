package gradebook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// value is JSON as it stands, with properties in their order and by their very names, so that nothing that the parser overlooks is overlooked here.
type value struct {
	text   string // of a string or a number
	kind   byte   // s, n, o; a: anything else; 0: null, or not there
	names  []string
	fields []value
}

func readValue(in *json.Decoder) (v value, err error) {
	token, err := in.Token()
	if err != nil {
		return v, err
	}
	switch x := token.(type) {
	case string:
		return value{text: x, kind: 's'}, nil
	case json.Number:
		return value{text: x.String(), kind: 'n'}, nil
	case nil:
		return v, nil
	case json.Delim:
		v.kind = 'a'
		if x == '{' {
			v.kind = 'o'
		}
		for in.More() {
			if x == '{' {
				name, err := in.Token()
				if err != nil {
					return v, err
				}
				v.names = append(v.names, name.(string))
			}
			field, err := readValue(in)
			if err != nil {
				return v, err
			}
			v.fields = append(v.fields, field)
		}
		_, err = in.Token()
		return v, err
	}
	return value{kind: 'a'}, nil
}

// the gives a property that stands there once; ok: it is of one of the kinds, or it is not there.
func (v value) the(name, kinds string) (f value, ok bool) {
	for i, n := range v.names {
		if n == name {
			f = v.fields[i]
		}
	}
	return f, f.kind == 0 || strings.IndexByte(kinds, f.kind) >= 0
}

func (v value) twice() bool {
	names := slices.Clone(v.names)
	slices.Sort(names)
	return len(slices.Compact(names)) < len(v.names)
}

// truth is what a statement names, and every reason for which it may be left out.
type truth struct {
	learner, exercise string
	at                time.Time
	value             int64
	presence, total   bool
	not               []string
}

// truthOf reads a statement with the rules of xAPI and none of the parser's code.
func truthOf(v value) (w truth) {
	whole := v.kind == 'o' && !v.twice()
	part := func(of value, name, kinds string) value {
		f, ok := of.the(name, kinds)
		whole = whole && ok && (f.kind != 'o' || name == "name" || !f.twice())
		return f
	}
	number := func(of value, name string) value {
		f := part(of, name, "ns")
		if f.kind == 's' { // a number in quotation marks is one
			n, err := readValue(numbers(f.text))
			whole = whole && err == nil && n.kind == 'n' && n.text == f.text
		}
		return f
	}
	id, actor, verb, object, result := part(v, "id", "s"), part(v, "actor", "o"), part(v, "verb", "o"), part(v, "object", "o"), part(v, "result", "o")
	account, mbox, actorType := part(actor, "account", "o"), part(actor, "mbox", "s"), part(actor, "objectType", "s")
	name, verbID := part(account, "name", "s"), part(verb, "id", "s")
	objectType, objectID, definition := part(object, "objectType", "s"), part(object, "id", "s"), part(object, "definition", "o")
	kind, titles, score := part(definition, "type", "s"), part(definition, "name", "o"), part(result, "score", "o")
	for _, t := range titles.fields {
		whole = whole && (t.kind == 's' || t.kind == 0)
	}
	scaled, raw, least, most := number(score, "scaled"), number(score, "raw"), number(score, "min"), number(score, "max")
	stamp, stored := part(v, "timestamp", "s"), part(v, "stored", "s")
	if !whole {
		w.not = append(w.not, "bad-statement")
		return w
	}
	not := func(code string, when bool) {
		if when {
			w.not = append(w.not, code)
		}
	}
	not("bad-statement-id", id.text != "" && !uuid.MatchString(strings.ToLower(id.text)))
	last := verbID.text[strings.LastIndex(verbID.text, "/")+1:]
	w.presence = last == "registered" || last == "unregistered"
	not("not-graded", !w.presence && !slices.Contains([]string{"evaluated", "attempted", "earned", "scored", "answered", "completed", "passed", "failed"}, last))
	not("not-graded", objectType.text != "" && objectType.text != "Activity" && objectType.text != "GroupActivity")
	top := exactly(most.text)
	not("no-score", !w.presence && (scaled.text == "" && raw.text == "" || top != nil && top.Sign() == 0)) // nor is what nothing could be earned with
	if w.learner = name.text; w.learner == "" {
		w.learner, _ = strings.CutPrefix(mbox.text, "mailto:")
	}
	w.learner = strings.TrimSpace(w.learner)
	not("bad-learner", w.learner == "" || len(w.learner) > 255 || strings.Contains(w.learner, "\x00") || actorType.text == "Group")
	when := stamp.text
	if when == "" {
		when = stored.text
	}
	at, err := time.Parse(time.RFC3339Nano, when)
	not("bad-time", err != nil || at.Year() < 1990 || at.Year() > 2199)
	w.at = at.UTC().Truncate(time.Microsecond)
	if w.presence {
		if last == "registered" {
			w.value = 1
		}
		return w
	}
	w.total = strings.HasSuffix(kind.text, "/course") || strings.Contains(objectID.text, "/course/") && !strings.Contains(objectID.text, "block-v1:")
	parts := strings.Split(objectID.text, "/xblock/")
	w.exercise = parts[len(parts)-1]
	not("bad-object", !w.total && (w.exercise == "" || utf8.RuneCountInString(w.exercise) > 255 || strings.Contains(w.exercise, "\x00")))
	r := exactly(scaled.text)
	if scaled.text == "" {
		if least.text == "" {
			least.text = "0"
		}
		if low, high, n := exactly(least.text), exactly(most.text), exactly(raw.text); low != nil && high != nil && n != nil && high.Cmp(low) > 0 {
			r = n.Sub(n, low)
			r.Quo(r, high.Sub(high, low))
		}
	}
	if r == nil || r.Sign() < 0 || r.Cmp(big.NewRat(1, 1)) > 0 {
		not("bad-score", true)
		return w
	}
	r.Mul(r, big.NewRat(2*one, 1)).Add(r, big.NewRat(1, 1)) // half up
	w.value = new(big.Int).Div(r.Num(), new(big.Int).Mul(big.NewInt(2), r.Denom())).Int64()
	return w
}

func numbers(text string) *json.Decoder {
	in := json.NewDecoder(strings.NewReader(text))
	in.UseNumber()
	return in
}

// exactly reads a number; nil where it is none, or longer than a score can be.
func exactly(text string) *big.Rat {
	if _, exponent, ok := strings.Cut(strings.ToLower(text), "e"); len(text) > 40 || ok && len(strings.TrimLeft(exponent, "+-0")) > 2 {
		return nil
	}
	n, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil
	}
	return n
}

// eachStatement fails where a statement is not, exactly once, a score of the learner, the exercise and the time that it names, or an outcome that
// says why not.
func eachStatement(t interface{ Fatalf(string, ...any) }, raw []byte, r Report) {
	in := numbers(string(raw))
	var statements []value
	for {
		v, err := readValue(in)
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v: was read: %q", err, raw)
		}
		statements = append(statements, v)
	}
	if first := bytes.TrimLeft(raw, " \t\r\n"); first[0] == '[' {
		if len(statements) != 1 {
			t.Fatalf("%d arrays: %q", len(statements), raw)
		}
		statements = statements[0].fields
	}
	told := make([]int, len(statements)+1)
	tell := func(line int) value {
		if line < 1 || line > len(statements) {
			t.Fatalf("statement %d of %d", line, len(statements))
		}
		told[line]++
		return statements[line-1]
	}
	for _, e := range r.Events {
		w := truthOf(tell(e.line))
		exercise := w.exercise
		if w.total {
			exercise = "grade"
		}
		if len(w.not) > 0 || e.Key != w.learner || !e.At.Equal(w.at) || e.Value != w.value || (e.Column == presence) != w.presence ||
			!w.presence && (r.Columns[e.Column].Label != exercise || (r.Columns[e.Column].Kind == "grade") != w.total) {
			t.Fatalf("statement %d is taken for %+v of %+v, it says %+v: %q", e.line, e, r.Columns, w, raw)
		}
	}
	for _, x := range slices.Concat(r.Rejects, r.Ignored) {
		if w := truthOf(tell(x.Line)); !slices.Contains(w.not, x.Code) {
			t.Fatalf("statement %d is left out as %q, it says %+v: %q", x.Line, x.Code, w, raw)
		}
	}
	for line, n := range told[1:] {
		if n != 1 {
			t.Fatalf("statement %d is told %d times: %q", line+1, n, raw)
		}
	}
}

// FuzzStatements feeds batches of xAPI. Each statement is a score of exactly the learner, the exercise and the time that it names, or an outcome
// that says why it is none: nothing shifts, nothing is lost.
func FuzzStatements(f *testing.F) {
	plain := statementOf(1, evaluated, quiz1, "", "0.5")
	for _, seed := range []string{
		plain, "[" + plain + "," + statementOf(2, earned, prd, "http://adlnet.gov/expapi/activities/course", "1") + "]", "[]", "[null]", "\n" + plain + "\n" + plain,
		strings.Replace(plain, `"actor":{`, `"actor":{"account":{"name":"eve"},`, 1),                 // two accounts
		strings.Replace(plain, `"actor":{`, `"actor":{"objectType":"Group",`, 1),                     // a group is nobody
		strings.Replace(plain, `"timestamp":`, `"Timestamp":"2020-01-01T00:00:00Z","timestamp":`, 1), // another property
		strings.Replace(plain, `"timestamp":`, `"TIMESTAMP":`, 1),
		strings.Replace(plain, `"scaled":0.5`, `"scaled":"0.5","raw":3,"min":1,"max":"5"`, 1),
		strings.Replace(plain, `"scaled":0.5`, `"raw":3,"min":1,"max":"5"`, 1), strings.Replace(plain, `"scaled":0.5`, `"raw":3`, 1), strings.Replace(plain, `"scaled":0.5`, `"scaled":-0`, 1),
		strings.Replace(plain, `"scaled":0.5`, `"scaled":0.9999999999`, 1), strings.Replace(plain, `"scaled":0.5`, `"scaled":5E-10`, 1),
		strings.Replace(plain, `"name":"ada"`, `"name":" "`, 1), strings.Replace(plain, `"name":"ada"`, `"name":"a\u0000b"`, 1), strings.Replace(plain, `"account":{"homePage":"https://lms.example","name":"ada"}`, `"mbox":"mailto:ada@x.org"`, 1),
		strings.Replace(plain, `+00:00`, `Z`, 1), strings.Replace(plain, `10:00:00Z`, `23:59:59.9999999+05:30`, 1), strings.Replace(plain, `"timestamp":"2026`, `"stored":"1989`, 1),
		strings.Replace(plain, quiz1, "xblock/HW", 1), strings.Replace(plain, quiz1, "https://a/xblock/https://b/xblock/HW 1", 1), strings.Replace(plain, quiz1, `a\u0000b`, 1), strings.Replace(plain, `"id":"0000`, `"id":"X000`, 1),
		strings.Replace(plain, evaluated, "https://w3id.org/xapi/adl/verbs/voided", 1), strings.Replace(plain, evaluated, "registered", 1), strings.Replace(plain, `"result":`, `"context":`, 1),
		strings.Replace(plain, `"object":{`, `"object":{"objectType":"StatementRef",`, 1), strings.Replace(plain, `{"en":"Quiz 1"}`, `{"en":7}`, 1), strings.Replace(plain, `{"en":"Quiz 1"}`, `{"en":"a\u0000","en":"b"}`, 1),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		first := bytes.TrimLeft(raw, " \t\r\n")
		if len(first) == 0 || first[0] != '[' && first[0] != '{' || !utf8.Valid(raw) {
			return
		}
		if r, err := parseJSON(first[0], bytes.NewReader(raw)); err == nil && r.Kind == XAPI {
			whole(t, r)
			eachStatement(t, raw, r)
		}
	})
}

// The same of statements that somebody may well have made, with each part as it should be, left out, twice, or something else.
func TestAStatementIsAScoreOrSaysWhyNot(t *testing.T) {
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		right := false // of every third statement each part is as it should be: the first of what may stand there, once
		pick := func(what string, of ...string) string {
			if right {
				return of[0]
			}
			return rapid.SampledFrom(of).Draw(t, what)
		}
		object := func(what string, fields ...string) string { // names and texts
			var b strings.Builder
			for i := 0; i < len(fields); i += 2 {
				times := 1
				if !right {
					times = rapid.SampledFrom([]int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 2}).Draw(t, what+" "+fields[i])
				}
				for range times {
					fmt.Fprintf(&b, ",%q:%s", fields[i], fields[i+1])
				}
			}
			return "{" + strings.TrimPrefix(b.String(), ",") + "}"
		}
		number := func(what string) string {
			return pick(what, "1", "0", "0.5", "0.333333333333", "2", "10", "-1", "1e-3", "\"0.25\"", "null", "true", "1e999", "0.99999999949", "0.9999999995", "12345678901234567890123456789012345678901")
		}
		when := func(what string) string {
			return pick(what, `"2026-03-01T10:00:00Z"`, `"2026-03-01T10:00:00.123456789+02:00"`, `"2026-03-01"`, `""`, `"1970-01-01T00:00:00Z"`, `7`)
		}
		var batch []string
		for n := range rapid.IntRange(1, 5).Draw(t, "statements") {
			right = rapid.IntRange(0, 2).Draw(t, "right") == 0
			actor := object("actor", "objectType", pick("who", `"Agent"`, `"Agent"`, `"Agent"`, `"Group"`), "account", object("account", "homePage", `"https://lms.example"`, pick("name", "name", "name", "name", "Name"), pick("learner", `"ada"`, `"bob"`, `" zoé "`, `""`, `7`, `"a\u0000"`)), "mbox", pick("mbox", `"mailto:ada@x.org"`, `"eve@x.org"`, `null`))
			activity := object("definition", "type", pick("kind", `"http://adlnet.gov/expapi/activities/question"`, `"http://adlnet.gov/expapi/activities/course"`, `""`), "name", pick("title", `{"en":"Quiz"}`, `{"id":"Kuis","ID":"Kuis"}`, `{}`, `[]`))
			score := object("score", "scaled", number("scaled"), "raw", number("raw"), "min", number("min"), "max", number("max"))
			fields := []string{"id", fmt.Sprintf("%q", fmt.Sprintf(pick("id", "00000000-0000-5000-8000-%012d", "00000000-0000-5000-8000-%012d", "%d"), n)), "actor", actor,
				"verb", object("verb", "id", pick("verb id", `"`+evaluated+`"`, `"`+earned+`"`, `"registered"`, `"a/unregistered"`, `"a/voided"`, `""`)),
				"object", object("object", "objectType", pick("object type", `"Activity"`, `"Activity"`, `"StatementRef"`), "id", pick("object id", `"`+quiz1+`"`, `"`+prd+`"`, `"HW 1"`, `"xblock/HW 1"`, `""`, `7`), "definition", activity),
				"result", object("result", "score", score), "timestamp", when("timestamp"), "stored", when("stored")}
			batch = append(batch, object("statement", fields...))
		}
		raw := []byte("[" + strings.Join(batch, ",") + "]")
		if rapid.Bool().Draw(t, "lines") {
			raw = []byte(strings.Join(batch, "\n"))
		}
		r, err := parseJSON(raw[0], bytes.NewReader(raw))
		if err != nil {
			t.Fatalf("%v: %s", err, raw)
		}
		taken += len(r.Events)
		eachStatement(t, raw, r)
	})
	if taken == 0 {
		t.Error("no statement was taken")
	}
}
