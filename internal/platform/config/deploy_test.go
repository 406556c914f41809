package config_test

import (
	"bufio"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"cursus/internal/platform/config"
)

const deploy = "../../../docs/deploy/"

var variable = regexp.MustCompile(`CURSUS_[A-Z_]+[A-Z]`)

// A setting that a page or a unit names and nobody reads is a setting that silently does nothing.
func TestDeployFilesNameSettingsThatExist(t *testing.T) {
	known := map[string]bool{"CURSUS_REAL_DATA": true, "CURSUS_SHOTS": true, "CURSUS_LONG": true, "CURSUS_SEED": true} // of the tests
	for f := range reflect.TypeFor[config.Config]().Fields() {
		known[f.Tag.Get("env")] = true
	}
	files, err := filepath.Glob(deploy + "*")
	if err != nil || len(files) < 8 {
		t.Fatal(files, err)
	}
	for _, path := range append(files, "../../../README.md") {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range variable.FindAllString(string(b), -1) {
			if !known[v] {
				t.Errorf("%s names %s, which no setting is", filepath.Base(path), v)
			}
		}
	}
}

// The example, once its secrets are filled in, starts a server.
func TestTheExampleStarts(t *testing.T) {
	f, err := os.Open(deploy + "cursus.env.example")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok && !strings.HasPrefix(name, "#") {
			t.Setenv(name, value)
		}
	}
	c, err := config.Load()
	if err != nil {
		t.Fatal(err)
	}
	if c.CheckServing() == nil {
		t.Error("the example starts without a secret")
	}
	c.Secret = "correct horse battery staple 1234"
	if err := c.CheckServing(); err != nil {
		t.Error(err)
	}
	if len(c.TrustedProxies) != 2 {
		t.Error(c.TrustedProxies)
	}
}

func TestComposeIsWhole(t *testing.T) {
	b, err := os.ReadFile(deploy + "compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Services map[string]struct {
			Command []string `yaml:"command"`
			EnvFile string   `yaml:"env_file"`
		} `yaml:"services"`
	}
	if err := yaml.Unmarshal(b, &c); err != nil {
		t.Fatal(err)
	}
	for service, command := range map[string]string{"migrate": "migrate", "api1": "serve --no-worker", "api2": "serve --no-worker", "worker": "serve --no-api"} {
		if s := c.Services[service]; strings.Join(s.Command, " ") != command || s.EnvFile == "" {
			t.Errorf("%s: %+v", service, s)
		}
	}
}
