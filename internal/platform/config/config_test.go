package config_test

import (
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"

	"cursus/internal/platform/config"
)

var update = flag.Bool("update", false, "write docs/settings.md")

const page = "../../../docs/settings.md"

func TestSettingsPageIsThatOfTheStruct(t *testing.T) {
	want := config.Table()
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil || string(got) != want {
		t.Errorf("docs/settings.md is stale, run make generate (%v)", err)
	}
}

// A setting without a variable would never be read, and one without a meaning is a riddle for the operator.
func TestEverySettingIsDocumented(t *testing.T) {
	for f := range reflect.TypeFor[config.Config]().Fields() {
		if f.Tag.Get("env") == "" || f.Tag.Get("doc") == "" || strings.ContainsAny(f.Tag.Get("doc"), "|\n") {
			t.Errorf("%s needs the tags env and doc, in one line without a bar", f.Name)
		}
	}
}

func TestLoadReadsTheEnvironment(t *testing.T) {
	t.Setenv("CURSUS_DATABASE_URL", "postgres://db/cursus")
	t.Setenv("CURSUS_DATA_DIR", "")
	c, err := config.Load()
	if err != nil || c.DatabaseURL != "postgres://db/cursus" || c.DataDir != ".cursus" {
		t.Errorf("%+v %v", c, err)
	}
}
