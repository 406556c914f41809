package app_test

import (
	"context"
	"testing"

	"cursus/api/contract"
	"cursus/internal/app"
	"cursus/internal/domain/identity"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
	"cursus/internal/transport/api/apitest"
)

// A hybrid session from draft to the attendance of its workshop day, through the API: every answer is as documented.
func TestAHybridSessionThroughTheAPI(t *testing.T) {
	w := newWorld(t)
	server, err := app.NewServer(w.h, contract.YAML, nil)
	if err != nil {
		t.Fatal(err)
	}
	walker, err := apitest.New(contract.YAML, server.Test)
	if err != nil {
		t.Fatal(err)
	}
	zoe, staff := w.person("zoe@example.org", "Zoé N’Diaye 🎓"), w.person("staff@example.org", "Staff Member")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.GrantRoleTx(ctx, tx, staff.ID, "admin")
	})
	w.hybridStory(t, walker, w.tokens(staff)(api.Scopes...), w.tokens(zoe)("learning:read", "exams:book"), zoe.ID)
	w.verify()
}
