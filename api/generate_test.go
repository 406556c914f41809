package api_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// generated is what `make generate` makes here, by its configuration.
var generated = map[string]string{"api/models.yaml": "api/api.gen.go", "api/server/server.yaml": "api/server/server.gen.go"}

func TestGeneratedCodeIsThatOfTheContract(t *testing.T) {
	contract, err := os.ReadFile("../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if embedded, err := os.ReadFile("contract/openapi.yaml"); err != nil || !bytes.Equal(embedded, contract) {
		t.Errorf("api/contract/openapi.yaml is not openapi.yaml: run make generate (%v)", err)
	}
	for config, file := range generated {
		fresh := filepath.Join(t.TempDir(), "fresh.go")
		c := exec.Command("go", "tool", "oapi-codegen", "-config", config, "-o", fresh, "openapi.yaml")
		c.Dir = ".."
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", config, err, out)
		}
		want, err := os.ReadFile(fresh)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("..", file))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what openapi.yaml says: run make generate", file)
		}
	}
}
