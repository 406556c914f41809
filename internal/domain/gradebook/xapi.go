package gradebook

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"
)

// statement is what is read of an xAPI statement (1.0.3, and IEEE 9274.1.1 = 2.0).
type statement struct {
	ID                    string
	Group                 bool // the actor is several people
	Account, Mbox         string
	Verb                  string
	ObjectType, Object    string
	Kind                  string            // of the activity
	Names                 map[string]string // of the activity, by language
	Scaled, Raw, Min, Max json.Number       // of the score; "": it does not say
	Timestamp, Stored     string
}

// parts are the properties of an object by their very names: "Actor" is not "actor". An object with two of one name can be read in two ways,
// of two learners or as two scores, and is refused.
type parts map[string]json.RawMessage

// UnmarshalJSON reads the properties, and nothing where there is null.
func (p *parts) UnmarshalJSON(raw []byte) error {
	in := json.NewDecoder(bytes.NewReader(raw))
	if begin, err := in.Token(); err != nil || begin == nil {
		return err
	} else if begin != json.Delim('{') {
		return errors.New("not an object")
	}
	*p = parts{}
	for in.More() {
		var value json.RawMessage
		name, err := in.Token()
		if err == nil {
			err = in.Decode(&value)
		}
		if err != nil {
			return err
		}
		if _, twice := (*p)[name.(string)]; twice {
			return fmt.Errorf("%q stands twice", name)
		}
		(*p)[name.(string)] = value
	}
	return nil
}

// read takes a property, where it is there.
func (p parts) read(name string, into any) error {
	if raw, ok := p[name]; ok {
		return json.Unmarshal(raw, into)
	}
	return nil
}

// readStatement reads what a score needs.
func readStatement(raw json.RawMessage) (s statement, err error) {
	var all, actor, account, verb, object, definition, result, score parts
	var actorType string
	if err = json.Unmarshal(raw, &all); err == nil && all == nil {
		err = errors.New("null is no statement")
	}
	for _, p := range []struct {
		of   *parts
		name string
		into any
	}{
		{&all, "id", &s.ID},
		{&all, "actor", &actor},
		{&actor, "objectType", &actorType},
		{&actor, "mbox", &s.Mbox},
		{&actor, "account", &account},
		{&account, "name", &s.Account},
		{&all, "verb", &verb},
		{&verb, "id", &s.Verb},
		{&all, "object", &object},
		{&object, "objectType", &s.ObjectType},
		{&object, "id", &s.Object},
		{&object, "definition", &definition},
		{&definition, "type", &s.Kind},
		{&definition, "name", &s.Names},
		{&all, "result", &result},
		{&result, "score", &score},
		{&score, "scaled", &s.Scaled},
		{&score, "raw", &s.Raw},
		{&score, "min", &s.Min},
		{&score, "max", &s.Max},
		{&all, "timestamp", &s.Timestamp},
		{&all, "stored", &s.Stored},
	} {
		if err != nil {
			return s, err
		}
		err = p.of.read(p.name, p.into)
	}
	s.Group = actorType == "Group"
	return s, err
}

// What the verbs of graded events are called; the last part of their address tells them apart.
var (
	scoring = []string{"evaluated", "attempted", "earned", "scored", "answered", "completed", "passed", "failed"}
	// A problem of several questions is a GroupActivity, which has its score; the activities of its questions have none.
	activities = []string{"", "Activity", "GroupActivity"}
	coming     = map[string]int64{"registered": 1, "unregistered": 0}
	uuid       = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
)

// parseJSON reads an array of xAPI statements, one statement, or one a line; or what was pulled from the API of a platform. What is no JSON is
// refused as a whole; a statement that cannot be understood, alone.
func parseJSON(begins byte, text io.Reader) (Report, error) {
	in := json.NewDecoder(text)
	in.UseNumber()
	if begins == '[' {
		if _, err := in.Token(); err != nil {
			return Report{}, badJSON(in, err)
		}
	}
	r := Report{Kind: XAPI, Family: string(XAPI), Partial: true, Titles: map[string]string{}}
	place := places{}
	for n := 1; begins != '[' || in.More(); n++ {
		var raw json.RawMessage
		if err := in.Decode(&raw); errors.Is(err, io.EOF) && begins != '[' {
			break
		} else if err != nil {
			return Report{}, badJSON(in, err)
		}
		if n == 1 && begins == '{' {
			if begun, ok := pullOf(raw); ok {
				return parsePull(begun, in)
			}
		}
		r.statement(n, raw, place)
	}
	if begins == '[' {
		if _, err := in.Token(); err != nil { // the bracket that ends it: otherwise it was cut
			return Report{}, badJSON(in, err)
		}
		if _, err := in.Token(); !errors.Is(err, io.EOF) {
			return Report{}, badJSON(in, err)
		}
	}
	return r, nil
}

func badJSON(in *json.Decoder, err error) error {
	return ErrUnreadable.At(fmt.Sprintf("byte %d", in.InputOffset()), "bad-json", "This is not JSON, or it is cut.").Because(err)
}

// worthNothing says that a statement has no score, or one of nothing that could be earned, which tells nothing of who did it.
func (s statement) worthNothing() bool {
	if s.Scaled == "" && s.Raw == "" {
		return true
	}
	most := number(s.Max)
	return most != nil && most.Sign() == 0
}

// statement takes one statement, and says why where it does not.
func (r *Report) statement(n int, raw json.RawMessage, place places) {
	s, err := readStatement(raw)
	if err != nil {
		r.Rejects = append(r.Rejects, Reject{Line: n, Column: 1, Code: "bad-statement", Detail: "This is not an xAPI statement."})
		return
	}
	id := strings.ToLower(s.ID)
	if id == "" { // the same one again is known by what it says
		sum := sha256.Sum256(raw)
		id = "sha256:" + hex.EncodeToString(sum[:])
	}
	refuse := func(code, detail string) {
		r.Rejects = append(r.Rejects, Reject{Line: n, Column: 1, Code: code, Detail: detail, ID: id})
	}
	ignore := func(code string) { r.Ignored = append(r.Ignored, Reject{Line: n, Code: code, ID: id}) }
	if s.ID != "" && !uuid.MatchString(id) {
		id = ""
		refuse("bad-statement-id", "The id of a statement is a UUID.")
		return
	}
	verb := s.Verb[strings.LastIndexByte(s.Verb, '/')+1:]
	presenceValue, comes := coming[verb]
	if !comes && !slices.Contains(scoring, verb) || !slices.Contains(activities, s.ObjectType) {
		ignore("not-graded")
		return
	}
	if !comes && s.worthNothing() {
		ignore("no-score")
		return
	}
	key := s.Account
	if key == "" {
		key = strings.TrimPrefix(s.Mbox, "mailto:")
	}
	if key = strings.TrimSpace(key); key == "" || len(key) > 255 || !writable(key) || s.Group {
		refuse("bad-learner", "The actor is one learner, with an account or an mbox.")
		return
	}
	said := s.Timestamp
	if said == "" {
		said = s.Stored
	}
	at, err := time.Parse(time.RFC3339Nano, said)
	if err != nil || at.Year() < 1990 || at.Year() >= 2200 {
		refuse("bad-time", "The timestamp is an instant, 2026-03-01T09:00:00Z.")
		return
	}
	e := Event{Key: key, At: at.UTC().Truncate(time.Microsecond), line: n, id: id, course: courseOf(s.Object)}
	label := s.Object
	if i := strings.LastIndex(label, "/xblock/"); i >= 0 {
		label = label[i+len("/xblock/"):]
	}
	course := strings.HasSuffix(s.Kind, "/course") || strings.Contains(s.Object, "/course/") && !strings.Contains(s.Object, "block-v1:")
	switch {
	case comes:
		e.Column, e.Value = presence, presenceValue
	case !course && !okLabel(label):
		refuse("bad-object", "The object has an id of 1 to 255 characters.")
		return
	default:
		c := Column{Kind: "exercise", Label: label}
		if course {
			c = Column{Kind: "grade", Label: "grade"}
		}
		var ok bool
		if e.Value, ok = scaled(s.Scaled, s.Raw, s.Min, s.Max); !ok {
			refuse("bad-score", "A score is scaled from 0 to 1, or raw from min to max.")
			return
		}
		if e.Column = place.of(r, c); r.Titles[c.Label] == "" {
			r.Titles[c.Label] = titleOf(s.Names)
		}
	}
	r.Events = append(r.Events, e)
}

// courseOf reads the key of the course out of the address of an object; "" where it has none.
func courseOf(id string) string {
	for _, of := range []struct{ course, block string }{{"ccx-v1:", "ccx-block-v1:"}, {"course-v1:", "block-v1:"}} { // the course of a coach is another one
		if i := strings.Index(id, of.course); i >= 0 {
			key, _, _ := strings.Cut(id[i:], "/")
			return strings.TrimSpace(key)
		}
		if i := strings.Index(id, of.block); i >= 0 {
			if key, _, ok := strings.Cut(id[i+len(of.block):], "+type@"); ok {
				return of.course + key
			}
		}
	}
	return ""
}

func titleOf(names map[string]string) string {
	for _, lang := range []string{"en", "en-US", "fr", "fr-FR"} {
		if n := strings.TrimSpace(names[lang]); n != "" {
			return clip(n)
		}
	}
	var langs []string
	for lang := range names {
		langs = append(langs, lang)
	}
	slices.Sort(langs)
	for _, lang := range langs {
		if n := strings.TrimSpace(names[lang]); n != "" {
			return clip(n)
		}
	}
	return ""
}

func clip(s string) string {
	r := []rune(strings.ReplaceAll(s, "\x00", ""))
	return string(r[:min(len(r), 255)])
}

// scaled gives a score in billionths: scaled where it is there, otherwise raw from min (0) to max.
func scaled(scaledTo, raw, least, most json.Number) (int64, bool) {
	if scaledTo != "" {
		r := number(scaledTo)
		if r == nil {
			return 0, false
		}
		return billionths(r)
	}
	r, top, bottom := number(raw), number(most), new(big.Rat)
	if least != "" {
		bottom = number(least)
	}
	if r == nil || top == nil || bottom == nil || top.Cmp(bottom) <= 0 {
		return 0, false
	}
	return billionths(new(big.Rat).Quo(new(big.Rat).Sub(r, bottom), new(big.Rat).Sub(top, bottom)))
}

// number reads a number of JSON exactly; nil where it is too long to be a score: an exponent of a few letters can fill the memory.
func number(n json.Number) *big.Rat {
	s := string(n)
	if len(s) > 40 {
		return nil
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 && len(strings.TrimLeft(s[i+1:], "+-0")) > 2 {
		return nil
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil
	}
	return r
}
