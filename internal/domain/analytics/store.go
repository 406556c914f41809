package analytics

import (
	_ "embed"

	"github.com/lib/pq"

	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("analytics", queriesSQL)

func array(s []string) any { return pq.Array(s) }

func ints(n []int64) any { return pq.Array(n) }
