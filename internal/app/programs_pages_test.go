package app_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"cursus/api/contract"
	"cursus/internal/app"
)

// The public sees a published program with its path, its edition and what that costs.
func TestThePublicSeesAProgramWithItsPath(t *testing.T) {
	w := newWorld(t)
	w.networks()
	server, err := app.NewServer(w.h, contract.YAML, nil)
	if err != nil {
		t.Fatal(err)
	}
	for path, said := range map[string][]string{
		"/programs": {"Networks basics", "PRD → LAN"}, "/programs/NETB": {"EducationalOccupationalProgram", "after PRD", "NETB-1", "100", "ESP Dakar"},
	} {
		r, err := http.NewRequest(http.MethodGet, "http://cursus.test"+path+"?lang=en", nil)
		if err != nil {
			t.Fatal(err)
		}
		a, err := server.Test(r)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(a.Body)
		if err := a.Body.Close(); err != nil {
			t.Error(err)
		}
		for _, s := range said {
			if a.StatusCode != http.StatusOK || err != nil || !strings.Contains(string(b), s) {
				t.Errorf("%s: %d, does not say %q\n%.3000s", path, a.StatusCode, s, b)
			}
		}
	}
}
