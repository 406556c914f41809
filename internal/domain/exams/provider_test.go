package exams_test

import (
	"encoding/json"
	"testing"

	"cursus/internal/domain/exams"
	"cursus/internal/gateways/proctordouble"
	"cursus/internal/kernel/fault"
)

// What is refused of a provider, and that nobody sends a secret she does not know to an address of hers.
func TestSettingsOfAProvider(t *testing.T) {
	w := newWatched(t, 0)
	for name, change := range map[string]func(n *exams.NewProvider){
		"/name":         func(n *exams.NewProvider) { n.Name = "" },
		"/base_url":     func(n *exams.NewProvider) { n.BaseURL = "http://169.254.169.254/latest" },
		"/setup_url":    func(n *exams.NewProvider) { n.SetupURL = "javascript:alert(1)" },
		"/client_id":    func(n *exams.NewProvider) { n.ClientID = "" },
		"/target_url":   func(n *exams.NewProvider) { n.TargetURL = w.url },
		"/keys_url":     func(n *exams.NewProvider) { n.Issuer = "https://acme.example.org" },
		"/secret":       func(n *exams.NewProvider) { n.Secret, n.ClientID = "", "other" },
		"/on_violation": func(n *exams.NewProvider) { n.OnViolation = "shrug" },
	} {
		n := w.said()
		change(&n)
		_, err := w.exams.PutProvider(system, "acme", 0, n)
		if f := fault.From(err); err == nil || len(f.Fields) != 1 || f.Fields[0].Pointer != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	n := w.said()
	n.Secret = ""
	if p, err := w.exams.PutProvider(system, "acme", 1, n); err != nil || p.Version != 2 {
		t.Error(p, err)
	}
	_, err := w.exams.PutProvider(system, "acme", 1, n)
	w.wants(err, exams.ErrChanged)
	_, err = w.exams.PutProvider(system, "acme", -1, n)
	w.wants(err, exams.ErrChanged)
	_, err = w.exams.PutProvider(system, "none", 1, n)
	w.wants(err, exams.ErrNoProvider)
	if c, trouble, err := w.exams.ProbeProvider(system, "acme"); err != nil || trouble != nil || c.Name != "Proctor double" {
		t.Error(c, trouble, err)
	}
	w.double.Set(proctordouble.Weather{Down: true})
	if _, trouble, err := w.exams.ProbeProvider(system, "acme"); err != nil || trouble == nil || trouble.Code != "server_error" {
		t.Error(trouble, err)
	}
	n.Enabled = new(bool)
	_, err = w.exams.PutProvider(system, "acme", 0, n)
	w.must(err)
	w.wants(w.exams.HearProctor(system, "acme", exams.ProctorMessage{}), exams.ErrNoProvider)
	if _, err := json.Marshal(w.provider()); err != nil {
		t.Error(err)
	}
}
