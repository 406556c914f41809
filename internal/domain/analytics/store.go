package analytics

import (
	_ "embed"

	"github.com/lib/pq"

	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

//go:embed figures.sql
var figuresSQL string // of single figures; what many share stands in queries.sql

var q = postgres.MustLoad("analytics", queriesSQL+"\n"+figuresSQL)

func array(s []string) any { return pq.Array(s) }

func ints(n []int64) any { return pq.Array(n) }
