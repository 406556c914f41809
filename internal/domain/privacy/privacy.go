// Package privacy keeps what people agree to.
package privacy

import (
	"context"
	_ "embed"

	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("privacy", queriesSQL)

// asSystem is for what a learner may do for herself and the database lets the house alone write.
func asSystem(ctx context.Context) context.Context { return postgres.WithActor(ctx, "system") }
