package exchange

import (
	"bytes"
	"reflect"
)

// File is a catalogue that was read: its document, and where each part of it stands in the file.
type File struct {
	document Document
	places   map[string]place
}

// Document is what the file says.
func (f File) Document() Document { return f.document }

func (f File) where(path string) place { return (&decoder{places: f.places}).where(path) }

// Read reads a catalogue: a document as JSON, or a ZIP of its tables. Errors: ErrTooLarge; ErrRefused with every place that cannot be
// read and the rule that it breaks.
func Read(raw []byte) (File, error) {
	if len(raw) > MaxFileBytes {
		return File{}, ErrTooLarge.Detailf("A catalogue file has at most %d bytes.", MaxFileBytes)
	}
	wrong := &problems{}
	var root *node
	if bytes.HasPrefix(raw, []byte("PK")) {
		root = readTables(raw, wrong)
	} else {
		root = readTree(raw, wrong)
	}
	d := &decoder{wrong: wrong, places: map[string]place{}}
	var out Document
	if root != nil {
		if root.kind != object {
			wrong.add("", root.at, "wrong-type", "A catalogue is an object.")
		} else {
			d.value(root, reflect.ValueOf(&out).Elem(), "")
		}
	}
	return File{out.tidied(), d.places}, wrong.fault()
}
