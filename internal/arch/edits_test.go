package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// editing are the verbs of acts that edit: by their names alone they owe what it was and what it is.
var editing = []string{"put", "changed", "written", "saved", "replaced", "edited", "set"}

// silentEdits gives the actions of a file that edit and say neither before nor after.
func silentEdits(name string, source any) (silent []string, edits int, err error) {
	file, err := parser.ParseFile(token.NewFileSet(), name, source, 0)
	if err != nil {
		return nil, 0, err
	}
	ast.Inspect(file, func(n ast.Node) bool {
		literal, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		if kind, ok := literal.Type.(*ast.SelectorExpr); !ok || kind.Sel.Name != "Entry" {
			return true
		}
		action, said := "", false
		for _, e := range literal.Elts {
			pair, ok := e.(*ast.KeyValueExpr)
			if !ok {
				continue
			}
			field, _ := pair.Key.(*ast.Ident)
			if text, ok := pair.Value.(*ast.BasicLit); ok && field != nil && field.Name == "Action" {
				action, _ = strconv.Unquote(text.Value)
			}
			said = said || field != nil && (field.Name == "Before" || field.Name == "After")
		}
		if _, verb, _ := strings.Cut(action, "."); slices.Contains(editing, verb) {
			if edits++; !said {
				silent = append(silent, action)
			}
		}
		return true
	})
	return silent, edits, err
}

// Whoever edits says what it was and what it is, also where only a page of the console edits it and no operation of the contract does.
func TestEveryEditSaysWhatItWas(t *testing.T) {
	edits := 0
	if err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		silent, n, err := silentEdits(path, nil)
		for _, action := range silent {
			t.Errorf("%s: %s says neither Before nor After of what it edits", path, action)
		}
		edits += n
		return err
	}); err != nil || edits < 25 {
		t.Fatal(edits, "edits were found:", err)
	}
	silent, _, err := silentEdits("x.go", `package x
		var _ = audit.Entry{Action: "thing.put", Object: "a", Detail: 1}
		var _ = audit.Entry{Action: "thing.put", Object: "a", Before: 1, After: 2}
		var _ = audit.Entry{Action: "thing.made", Object: "a", Detail: 1}`)
	if err != nil || !slices.Equal(silent, []string{"thing.put"}) {
		t.Error("the law does not see what breaks it:", silent, err)
	}
}
