package api_test

import (
	"context"
	"testing"

	"cursus/api/contract"
	"cursus/internal/kernel/fault"
	"cursus/internal/transport"
	"cursus/internal/transport/api"
	"cursus/internal/transport/api/apitest"
)

// A key that is revoked while a file is on its way does not bring it in: what was accepted before stands, and nothing after.
func TestAKeyThatIsRevokedInMidUpload(t *testing.T) {
	narrow, err := apitest.WithoutAreas(contract.YAML)
	if err != nil {
		t.Fatal(err)
	}
	rooms, asked, live := &fake{}, 0, 1000
	a, err := api.New(api.Options{Rooms: rooms, Contract: narrow, Authenticate: func(ctx context.Context, secret string) (api.Principal, error) {
		if asked++; asked > live {
			return api.Principal{}, fault.New(fault.Unauthenticated, "token-invalid", "The token is not valid.")
		}
		return authenticate(ctx, secret)
	}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := transport.NewServer(transport.Options{API: a})
	if err != nil {
		t.Fatal(err)
	}
	w, err := apitest.New(narrow, s.Test)
	if err != nil {
		t.Fatal(err)
	}
	if got := w.Do(t, with(w, "importGrades")); got.Status >= 300 || asked != 2 || len(rooms.calls) != 1 {
		t.Fatal("before and after the body:", got.Status, asked, rooms.calls)
	}
	live = asked + 1 // it lets the head in
	if got := w.Do(t, with(w, "importGrades")); got.Status != 401 || len(rooms.calls) != 1 {
		t.Error("a revoked key brought a file in:", got.Status, rooms.calls)
	}
}
