// Package privacy keeps what people agree to.
package privacy

import (
	_ "embed"

	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("privacy", queriesSQL)
