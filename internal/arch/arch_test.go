// Package arch holds the law of the house as a test: a package imports only what stands below it, a foreign key points only
// to its own or a lower floor, and an outside dependency has one room.
package arch

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// floors gives each package its floor; the longest prefix counts. Packages of one floor do not import each other, except
// inside one folder of the table that says "within".
var floors = []struct {
	prefix string
	floor  int
	within bool // packages below this prefix may import each other
}{
	{"internal/kernel/fault", 0, false},
	{"internal/kernel", 1, false},
	{"migrations", 2, false},
	{"internal/platform/config", 3, false}, {"internal/platform/telemetry", 3, false}, {"internal/platform/seal", 3, false}, {"internal/platform/outward", 3, false}, {"internal/platform/jwks", 3, false}, {"internal/platform/lti", 3, false}, {"internal/platform/lean", 3, false},
	{"internal/platform/postgres", 4, false},
	{"internal/platform/postgres/cluster", 3, false},
	{"internal/platform/jobs", 5, false}, {"internal/platform/audit", 5, false}, {"internal/platform/idempotency", 5, false},
	{"internal/books", 10, false},
	{"internal/domain/identity", 21, false}, {"internal/domain/catalog", 21, false},
	{"internal/domain/privacy", 22, false},
	{"internal/domain/payments", 22, false}, {"internal/domain/invoicing", 22, false}, {"internal/domain/programs", 22, false},
	{"internal/domain/offers", 23, false}, {"internal/domain/enrolment", 23, false},
	{"internal/domain/lms", 24, false}, {"internal/domain/gradebook", 24, false}, {"internal/domain/sales", 24, false}, {"internal/domain/workshops", 24, false},
	{"internal/domain/cohorts/roster", 22, false},
	{"internal/domain/exams", 25, false}, {"internal/domain/labs", 25, false}, {"internal/domain/paths", 25, false}, {"internal/domain/exchange", 25, false},
	{"internal/domain/cohorts", 25, true},
	{"internal/domain/surveys", 25, false},
	{"internal/domain/uploads", 26, false}, {"internal/domain/intakes", 26, false}, {"internal/domain/accounting", 26, false}, {"internal/domain/confidence", 26, false}, {"internal/domain/certificates", 26, false},
	{"internal/domain/analytics", 27, false},
	{"internal/domain/evidence", 27, false}, {"internal/domain/badges", 27, false}, {"internal/domain/webhooks", 27, false},
	{"internal/domain/export", 28, false}, {"internal/domain/outreach", 28, false}, {"internal/domain/progress", 27, false}, {"internal/domain/dossier", 29, false},
	{"templates", 30, false},
	{"api", 31, true},                        // made from the contract
	{"internal/gateways/ltitool", 39, false}, // of doubles
	{"internal/gateways", 40, false},
	{"internal/transport", 50, true},
	{"internal/flows", 45, false},
	{"internal/app", 60, false},
	{"internal/demo", 65, false}, {"internal/bench", 65, false},
	{"cmd", 70, true},
	{"internal/testkit", 90, false}, // test only
	{"internal/arch", 91, false},    // test only
}

// schemaFloors gives each PostgreSQL schema the floor of its room.
var schemaFloors = map[string]int{
	"surveys":  25,
	"platform": 4, "jobs": 5, "ledger": 10, "journey": 10, "identity": 21, "catalog": 21, "privacy": 22, "payments": 22, "invoicing": 22, "programs": 22, "offers": 23, "enrolment": 23,
	"gradebook": 24, "lms": 24, "sales": 24, "workshops": 24, "exams": 25, "labs": 25, "paths": 25, "cohorts": 25, "uploads": 26, "intakes": 26, "certificates": 26, "accounting": 26, "confidence": 26, "webhooks": 27, "analytics": 27, "badges": 27, "outreach": 28, "export": 28, "progress": 27, "dossier": 29,
}

// oneRoom lists outside dependencies and the only folders that may import them.
var oneRoom = map[string][]string{
	"github.com/lib/pq":                   {"internal/platform/postgres", "internal/platform/jobs", "internal/books", "internal/domain"}, // arrays; the driver itself is registered below
	"github.com/jmoiron/sqlx":             {"internal/platform/postgres"},
	"github.com/pressly/goose/v3":         {"internal/platform/postgres"},
	"github.com/parquet-go/parquet-go":    {"internal/domain/export"},
	"github.com/caarlos0/env/v11":         {"internal/platform/config"},
	"github.com/alecthomas/kong":          {"cmd/cursus"},
	"github.com/schollz/progressbar/v3":   {"cmd/cursus"},
	"github.com/stripe/stripe-go/v76":     {"internal/gateways/stripegate"},
	"github.com/jung-kurt/gofpdf":         {"internal/gateways/pdf"},
	"github.com/gofiber/fiber/v2":         {"internal/transport", "api"},
	"github.com/wneessen/go-mail":         {"internal/gateways/mail"},
	"github.com/go-jose/go-jose/v4":       {"internal/platform/jwks", "internal/gateways/oidc", "internal/gateways/proctoring"}, // reads and proves; reads what a token says; signs ours,
	"github.com/prometheus/client_golang": {"internal/platform/telemetry"},
	"github.com/google/uuid":              {"internal/kernel/ident"},
	"github.com/getkin/kin-openapi":       {"internal/transport/api"},
	"github.com/oapi-codegen/runtime":     {"api"},
}

func floorOf(pkg string) (floor int, prefix string, within, known bool) {
	for _, f := range floors {
		if (pkg == f.prefix || strings.HasPrefix(pkg, f.prefix+"/")) && len(f.prefix) > len(prefix) {
			floor, prefix, within, known = f.floor, f.prefix, f.within, true
		}
	}
	return floor, prefix, within, known
}

// importFaults judges one import of a package that is not a test.
func importFaults(pkg, imported string) string {
	if path, ours := strings.CutPrefix(imported, "cursus/"); ours {
		from, prefix, within, known := floorOf(pkg)
		if !known {
			return pkg + " stands on no floor"
		}
		to, toPrefix, _, toKnown := floorOf(path)
		if sameHouse := within && prefix == toPrefix; !toKnown || to > from || (to == from && !sameHouse) {
			return pkg + " imports " + path + ", which does not stand below it"
		}
		return ""
	}
	for dependency, rooms := range oneRoom {
		if imported != dependency && !strings.HasPrefix(imported, dependency+"/") {
			continue
		}
		for _, room := range rooms {
			if pkg == room || strings.HasPrefix(pkg, room+"/") {
				return ""
			}
		}
		return pkg + " imports " + imported + ", whose room is " + strings.Join(rooms, ", ")
	}
	return ""
}

var foreignKey = regexp.MustCompile(`(?i)(?:CREATE|ALTER) TABLE (\w+)\.\w+|REFERENCES (\w+)\.\w+`)

// keyFaults judges the foreign keys of a migration.
func keyFaults(sql string) (faults []string) {
	current := ""
	for _, m := range foreignKey.FindAllStringSubmatch(sql, -1) {
		if m[1] != "" {
			if current = m[1]; schemaFloors[current] == 0 {
				faults = append(faults, "schema "+current+" stands on no floor")
			}
			continue
		}
		if to := m[2]; to != current && schemaFloors[to] >= schemaFloors[current] {
			faults = append(faults, "a table of "+current+" refers to "+to)
		}
	}
	return faults
}

var forbidden = []struct {
	pattern *regexp.Regexp
	allowed []string
	why     string
}{
	{regexp.MustCompile(`\btime\.Now\(`), []string{"internal/kernel/clock", "cmd/cursus", "internal/testkit"}, "the time comes from kernel/clock (commands may measure how long they took)"},
	{regexp.MustCompile(`\bos\.(Getenv|LookupEnv)\(`), []string{"internal/platform/config", "internal/testkit", "internal/kernel/failpoint", "api/example"}, "the environment is read by platform/config"},
	{regexp.MustCompile(`\bfloat(32|64)\b`), []string{"internal/domain/analytics", "cmd/cursus", "internal/gateways/pdf", "internal/platform/telemetry"}, "no float touches money or grades (on paper a float is a length; grades come as text)"},
	{regexp.MustCompile("[\"`](?i:select|insert into|update|delete from) "), []string{"internal/platform/postgres", "internal/testkit"}, "SQL stands in queries.sql"},
}

func textFaults(pkg, source string) (faults []string) {
	for _, f := range forbidden {
		ok := false
		for _, a := range f.allowed {
			ok = ok || pkg == a || strings.HasPrefix(pkg, a+"/")
		}
		if m := f.pattern.FindString(source); m != "" && !ok {
			faults = append(faults, pkg+" has "+strconv.Quote(m)+": "+f.why)
		}
	}
	return faults
}

func TestTheHouseKeepsItsLaw(t *testing.T) {
	root, files := "../..", 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root {
			return filepath.SkipDir
		}
		source, isGo := "", strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go")
		if isGo || strings.HasSuffix(path, ".sql") {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			source = string(b)
		}
		if strings.HasSuffix(path, ".sql") {
			for _, f := range keyFaults(source) {
				t.Errorf("%s: %s", path, f)
			}
		}
		if !isGo {
			return nil
		}
		files++
		rel, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(rel)
		for _, f := range textFaults(pkg, source) {
			t.Error(f)
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, source, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range parsed.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			if f := importFaults(pkg, imported); f != "" && pkg != "internal/testkit" {
				t.Error(f)
			}
			if imported == "cursus/internal/testkit" || strings.HasSuffix(imported, "/apitest") || imported == "testing" && pkg != "internal/testkit" {
				t.Errorf("%s imports %s outside a test", pkg, imported)
			}
		}
		return nil
	})
	if err != nil || files < 20 {
		t.Fatal(files, "files were read:", err)
	}
}

// The law can be broken, and then it says so.
func TestTheLawSeesWhatBreaksIt(t *testing.T) {
	for pkg, imported := range map[string]string{
		"internal/books/ledger": "cursus/internal/domain/catalog", "internal/domain/catalog": "cursus/internal/domain/identity",
		"internal/kernel/money": "cursus/internal/platform/postgres", "internal/domain/gradebook": "github.com/stripe/stripe-go/v76/refund",
		"internal/nowhere": "cursus/internal/kernel/fault",
	} {
		if importFaults(pkg, imported) == "" {
			t.Errorf("%s may import %s", pkg, imported)
		}
	}
	if importFaults("internal/domain/gradebook", "cursus/internal/books/journey") != "" {
		t.Error("a room may write into the books")
	}
	if len(keyFaults("CREATE TABLE identity.a (b text REFERENCES gradebook.c)")) != 1 || len(keyFaults("CREATE TABLE gradebook.c (b text REFERENCES identity.a)")) != 0 {
		t.Error("foreign keys are misjudged")
	}
	if len(textFaults("internal/domain/x", "t := time.Now(); q := `select 1 `")) != 2 {
		t.Error("forbidden words are not seen")
	}
}

// A room says on one page what it owns, so that a newcomer knows where to look.
func TestEveryRoomHasItsPage(t *testing.T) {
	rooms := 0
	for _, floor := range []string{"books", "domain", "gateways"} {
		folders, err := os.ReadDir("../" + floor)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range folders {
			rooms++
			if page, err := os.ReadFile(filepath.Join("..", floor, f.Name(), "README.md")); err != nil || !strings.Contains(string(page), "Owns") {
				t.Errorf("%s/%s has no page that says what it owns: %v", floor, f.Name(), err)
			}
		}
	}
	if rooms < 15 {
		t.Error("only", rooms, "rooms were found")
	}
}
