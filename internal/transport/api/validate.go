package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"cursus/internal/kernel/fault"
)

// maxErrors bounds how many wrong places one answer names.
const maxErrors = 50

// errPath answers a path that no object of ours can have.
var errPath = fault.New(fault.NotFound, "no-such-object", "There is nothing at this path: a part of it cannot be the name of anything.")

// inputs is where parameters come from. Header gives every value of a header.
type inputs struct {
	path   func(name string) string // as it stands in the address, encoded
	query  string
	header func(name string) []string
}

// checkParameters holds the parameters against the contract. A bad part of the path is NotFound; the rest is Invalid.
func (o *operation) checkParameters(in inputs) error {
	query, err := url.ParseQuery(in.query)
	if err != nil {
		return at("query", "not-a-query", "The query cannot be read.")
	}
	var wrong []fault.Field
	known := map[string]bool{}
	for _, p := range o.parameters {
		var values []string
		switch p.In {
		case openapi3.ParameterInPath:
			value, err := url.PathUnescape(in.path(p.Name))
			if fields := checkText(p, value); err != nil || len(fields) > 0 {
				return withFields(errPath, fields)
			}
			continue
		case openapi3.ParameterInQuery:
			known[p.Name], values = true, query[p.Name]
		case openapi3.ParameterInHeader:
			values = in.header(p.Name)
		}
		where := p.In + "/" + p.Name
		switch {
		case len(values) > 1:
			wrong = append(wrong, fault.Field{Pointer: where, Code: "duplicate", Detail: "This is given twice."})
		case len(values) == 1:
			wrong = append(wrong, checkText(p, values[0])...)
		case p.Required:
			wrong = append(wrong, fault.Field{Pointer: where, Code: "required", Detail: "This is missing."})
		}
	}
	for name := range query {
		if !known[name] {
			wrong = append(wrong, fault.Field{Pointer: "query/" + step(strings.ToValidUTF8(name, "?")), Code: "unknown", Detail: "There is no such parameter."})
		}
	}
	return refuse(wrong)
}

// checkText holds the text of a parameter against its schema.
func checkText(p *openapi3.Parameter, text string) []fault.Field {
	where := p.In + "/" + p.Name
	schema := p.Schema.Value
	var value any = text
	switch {
	case !readable(text):
		return []fault.Field{{Pointer: where, Code: "unreadable-text", Detail: "A text has no NUL and no broken character."}}
	case schema.Type.Is(openapi3.TypeInteger):
		n, err := strconv.Atoi(text)
		if err != nil || strconv.Itoa(n) != text {
			return []fault.Field{{Pointer: where, Code: "type", Detail: "This is a whole number."}}
		}
		value = json.Number(text)
	case schema.Type.Is(openapi3.TypeBoolean):
		if text != "true" && text != "false" {
			return []fault.Field{{Pointer: where, Code: "type", Detail: "This is true or false."}}
		}
		value = text == "true"
	}
	return checkSchema(schema, value, where)
}

// checkBody holds a decoded body against the contract.
func checkBody(schema *openapi3.Schema, value any) error {
	return refuse(append(unknownMembers(schema, value, ""), checkSchema(schema, value, "")...))
}

func refuse(wrong []fault.Field) error {
	if len(wrong) == 0 {
		return nil
	}
	sort.SliceStable(wrong, func(i, j int) bool { return wrong[i].Pointer < wrong[j].Pointer })
	return fault.InvalidInput(wrong[:min(len(wrong), maxErrors)]...)
}

func withFields(f *fault.Fault, fields []fault.Field) error {
	c := *f
	c.Fields = fields
	return &c
}

// unknownMembers finds the members that an object does not have. The library finds them too, but does not say where.
func unknownMembers(schema *openapi3.Schema, value any, pointer string) (wrong []fault.Field) {
	switch value := value.(type) {
	case map[string]any:
		for name, v := range value {
			here := pointer + "/" + step(name)
			if p := schema.Properties[name]; p != nil {
				wrong = append(wrong, unknownMembers(p.Value, v, here)...)
			} else if len(schema.Properties) > 0 {
				wrong = append(wrong, fault.Field{Pointer: here, Code: "unknown", Detail: "There is no such member."})
			}
		}
	case []any:
		for i, v := range value {
			if schema.Items != nil {
				wrong = append(wrong, unknownMembers(schema.Items.Value, v, pointer+"/"+strconv.Itoa(i))...)
			}
		}
	}
	return wrong
}

// formats are those that the contract uses and the library would read loosely.
var formats = openapi3.WithStringFormatValidator("date-time", openapi3.NewCallbackValidator(func(s string) error {
	_, err := time.Parse(time.RFC3339, s)
	return err
}))

func checkSchema(schema *openapi3.Schema, value any, pointer string) []fault.Field {
	err := schema.VisitJSON(value, openapi3.MultiErrors(), openapi3.VisitAsRequest(), openapi3.EnableFormatValidation(), formats)
	return fieldsOf(err, pointer)
}

func fieldsOf(err error, pointer string) (wrong []fault.Field) {
	var many openapi3.MultiError
	if errors.As(err, &many) {
		for _, e := range many {
			wrong = append(wrong, fieldsOf(e, pointer)...)
		}
		return wrong
	}
	var one *openapi3.SchemaError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &one):
		return []fault.Field{{Pointer: pointer, Code: "schema", Detail: "This does not have the documented form."}}
	case one.SchemaField == "properties": // found by unknownMembers
		return nil
	}
	for _, name := range one.JSONPointer() {
		pointer += "/" + step(name)
	}
	return []fault.Field{{Pointer: pointer, Code: codeOf(one), Detail: detailOf(one)}}
}

// codeOf is the name of the rule in words of the house: required, type, pattern, max-length …
func codeOf(e *openapi3.SchemaError) string {
	var b strings.Builder
	for _, r := range e.SchemaField {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}

// detailOf says the rule for people. It never repeats the value: that may be a secret.
func detailOf(e *openapi3.SchemaError) string {
	s := e.Schema
	switch e.SchemaField {
	case "required":
		return "This is missing."
	case "nullable":
		return "This cannot be null."
	case "type":
		if s.Type != nil {
			return "This is of the type " + strings.Join(s.Type.Slice(), " or ") + "."
		}
	case "enum":
		var values []string
		for _, v := range s.Enum {
			values = append(values, fmt.Sprint(v))
		}
		return "One of: " + strings.Join(values, ", ") + "."
	case "maxLength":
		return fmt.Sprintf("At most %d characters.", *s.MaxLength)
	case "minLength":
		return fmt.Sprintf("At least %d characters.", s.MinLength)
	case "maxItems":
		return fmt.Sprintf("At most %d items.", *s.MaxItems)
	case "minProperties":
		return fmt.Sprintf("At least %d of the documented members.", s.MinProps)
	case "minimum":
		return fmt.Sprintf("At least %.0f.", *s.Min)
	case "maximum":
		return fmt.Sprintf("At most %.0f.", *s.Max)
	case "format":
		return "This is no " + s.Format + " that exists."
	}
	return "This does not have the documented form."
}
