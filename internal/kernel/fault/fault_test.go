package fault_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"cursus/internal/kernel/fault"
)

var errLost = fault.New(fault.NotFound, "lost", "It is not there.")

// A declared fault is never changed by those who return it with more to say, and is known by its code however it is wrapped.
func TestFaultsAreCopiedAndKnownByTheirCode(t *testing.T) {
	detailed := errLost.Detailf("%d of them.", 3).At("/a", "x", "y").At("/b", "x", "y").Because(errors.New("secret cause"))
	if errLost.Detail != "It is not there." || len(errLost.Fields) != 0 || errLost.Unwrap() != nil {
		t.Error("the declared fault was changed:", errLost)
	}
	wrapped := fmt.Errorf("while looking: %w", detailed)
	if !errors.Is(wrapped, errLost) || errors.Is(wrapped, fault.New(fault.NotFound, "other", "")) {
		t.Error("a fault is known by its code")
	}
	f := fault.From(wrapped)
	if f.Detail != "3 of them." || len(f.Fields) != 2 || !strings.Contains(f.Error(), "secret cause") || strings.Contains(f.Detail, "secret") {
		t.Error(f)
	}
	first := errLost.At("/a", "x", "y")
	if a, b := first.At("/b", "x", "y"), first.At("/c", "x", "y"); a.Fields[1] == b.Fields[1] {
		t.Error("two copies share their fields")
	}
}

// What nobody classified is our failure, and its text stays inside.
func TestUnknownErrorsAreOurs(t *testing.T) {
	cause := errors.New("password is hunter2")
	f := fault.From(cause)
	if f.Kind != fault.Internal || f.Code != "internal" || strings.Contains(f.Detail, "hunter2") || !errors.Is(f, cause) {
		t.Error(f)
	}
}
