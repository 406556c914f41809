package exchange

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// decoder reads a tree into a value of Go by its json tags and says everything that does not fit. It keeps where each path stands.
type decoder struct {
	wrong  *problems
	places map[string]place
}

var timeType = reflect.TypeFor[time.Time]()

// value reads a node into a place of a struct.
func (d *decoder) value(n *node, into reflect.Value, path string) {
	d.places[path] = n.at
	if n.kind == null {
		d.refuse(n, path, "null", "Leave out what is not known; null is nothing.")
		return
	}
	if into.Kind() == reflect.Pointer {
		into.Set(reflect.New(into.Type().Elem()))
		into = into.Elem()
	}
	if into.Type() == timeType {
		d.time(n, into, path)
		return
	}
	switch into.Kind() {
	case reflect.Struct:
		if d.is(n, path, object) {
			d.object(n, into, path)
		}
	case reflect.Slice:
		if d.is(n, path, list) {
			into.Set(reflect.MakeSlice(into.Type(), len(n.items), len(n.items)))
			for i, item := range n.items {
				d.value(item, into.Index(i), fmt.Sprintf("%s/%d", path, i))
			}
		}
	case reflect.String:
		if d.is(n, path, text) {
			if !utf8.ValidString(n.text) || strings.ContainsRune(n.text, 0) || strings.ContainsRune(n.text, utf8.RuneError) {
				d.refuse(n, path, "bad-text", "This is no text: it has a NUL or a broken character.")
				return
			}
			into.SetString(n.text)
		}
	case reflect.Bool:
		d.truth(n, into, path)
	case reflect.Int, reflect.Int64:
		if d.is(n, path, number) {
			i, err := strconv.ParseInt(n.text, 10, into.Type().Bits())
			if err != nil {
				d.refuse(n, path, "not-an-integer", "A whole number is wanted, without point and exponent.")
				return
			}
			into.SetInt(i)
		}
	default:
		d.refuse(n, path, "unknown-member", "Nothing of this kind is read.")
	}
}

func (d *decoder) refuse(n *node, path, rule, detail string) { d.wrong.add(path, n.at, rule, detail) }

func (d *decoder) is(n *node, path string, want kind) bool {
	if n.kind == want || n.kind == cell && want != object && want != list {
		return true
	}
	d.refuse(n, path, "wrong-type", fmt.Sprintf("%s is wanted, not %s.", strings.ToUpper(want.String()[:1])+want.String()[1:], n.kind))
	return false
}

func (d *decoder) time(n *node, into reflect.Value, path string) {
	if !d.is(n, path, text) {
		return
	}
	t, err := time.Parse(time.RFC3339Nano, n.text)
	if err != nil || t.Year() < 1 || t.Year() > 9998 {
		d.refuse(n, path, "bad-time", "A time in UTC is wanted, such as 2018-10-10T08:00:00Z.")
		return
	}
	into.Set(reflect.ValueOf(t.UTC().Truncate(time.Microsecond)))
}

func (d *decoder) truth(n *node, into reflect.Value, path string) {
	if !d.is(n, path, truth) {
		return
	}
	switch said := strings.ToLower(n.text); {
	case said == "true", n.kind == cell && (said == "y" || said == "1" || said == "vrai"):
		into.SetBool(true)
	case said == "false", n.kind == cell && (said == "n" || said == "0" || said == "faux"):
	default:
		d.refuse(n, path, "bad-truth", "Y or N is wanted.")
	}
}

// object reads each member into the field that has its name; fields of an embedded struct are the object's own.
func (d *decoder) object(n *node, into reflect.Value, path string) {
	fields := map[string]reflect.Value{}
	collect(into, fields)
	for i, name := range n.names {
		at := path + "/" + escaped(name)
		field, known := fields[name]
		if !known {
			d.refuse(n.members[i], at, "unknown-member", "There is no member of this name here.")
			continue
		}
		d.value(n.members[i], field, at)
	}
}

func collect(v reflect.Value, fields map[string]reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous {
			collect(v.Field(i), fields)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields[name] = v.Field(i)
	}
}

// where gives the place of a path, or else of what stands around it.
func (d *decoder) where(path string) place {
	for {
		if at, ok := d.places[path]; ok {
			return at
		}
		i := strings.LastIndexByte(path, '/')
		if i < 0 {
			return place{}
		}
		path = path[:i]
	}
}
