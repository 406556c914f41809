package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Table is the documentation of every setting, from the tags of Config.
func Table() string {
	var b strings.Builder
	b.WriteString("# Settings\n\nCursus reads these variables of the environment. `make generate` writes this table from `internal/platform/config`.\n\n")
	b.WriteString("| variable | default | meaning |\n|---|---|---|\n")
	for f := range reflect.TypeFor[Config]().Fields() {
		standard := ""
		if d := f.Tag.Get("envDefault"); d != "" {
			standard = "`" + d + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.Tag.Get("env"), standard, f.Tag.Get("doc"))
	}
	return b.String()
}
