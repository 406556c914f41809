package app_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// act is one statement of a purchase, by its name in the rooms' files, with what stands for each of its parameters. :n is
// new in every purchase.
type act struct {
	name string
	args []string
}

// purchaseActs are the statements of one purchase in their transactions: the order, the opened pay page, the stored event,
// the settlement. Left out are who asks, and the queue's own work. chr(58) is the colon, which pgbench takes for a variable.
func (s *shop) purchaseActs() [][]act {
	session, offer := lit(s.session.ID), lit(s.world.paid.ID)
	const (
		ord, pay, per, enr = "('ord_'||:n::text)", "('pay_'||:n::text)", "('per_'||:n::text)", "('enr_'||:n::text)"
		evt, cs, pi, all   = "('evt_'||:n::text)", "('cs_'||:n::text)", "('pi_'||:n::text)", "'{knowledge,practice,know_how,labs,extra_content,proctored_exam,certificate}'"
	)
	entries := "('ltx_sale'||:n::text),('ltx_sale'||:n::text),('ltx_capture'||:n::text),('ltx_capture'||:n::text)"
	ledger := act{"ledger.Post", []string{
		"array['ltx_sale'||:n::text,'ltx_capture'||:n::text]", "array[" + ord + "||'sale'," + ord + "||'capture']", "array['sale','capture']", "array['EUR','EUR']",
		`array['\x00','\x00']::bytea[]`, "array[now(),now()]", "now()", "array[" + entries + "]",
		"array['receivable','revenue','clearing'||chr(58)||'stripe','receivable']", "array[15000,-15000,15000,-15000]::bigint[]",
		"array[" + ord + "," + ord + "," + ord + "," + ord + "]", "array[''," + enr + ",'','']",
	}}
	audit := func(action string) act {
		return act{"audit.Append", []string{"now()", "'system'", lit(action), ord, "'{}'", "''"}}
	}
	return [][]act{
		{
			{"idempotency.Begin", []string{"'buyer'", "('k'||:n::text)"}},
			{"offers.Offer", []string{offer}}, {"sales.LockBuyer", []string{per}}, {"sales.OpenOrders", []string{per, "now()"}},
			{"catalog.Session", []string{session}}, {"identity.Person", []string{per}}, {"enrolment.OfLearnerInSession", []string{per, session}},
			{"payments.Add", []string{pay, ord, "'stripe'", "true", "15000", "'EUR'", "'x'", "''", "'en'", "now()", "now()"}},
			{"sales.Add", []string{ord, per, "null", "null", "'card'", "15000", "'EUR'", "'awaiting_payment'", "'en'", "true", pay, "now()", "now() + interval '1 hour'",
				"jsonb_build_array(jsonb_build_object('line', 1, 'offer', " + offer + ", 'session', " + session + ", 'formula', 'QUALIFYING', 'entitlements', " + all + "::text[], 'qualifying', true, " +
					"'quantity', 1, 'list', 15000, 'discount', 0, 'reason', '', 'total', 15000))",
				"jsonb_build_array(jsonb_build_object('line', 1, 'position', 1, 'session', " + session + ", 'weight', 1, 'sold', 15000, 'place', true))"}},
			audit("order.placed"), {"idempotency.Store", []string{"'buyer'", "('k'||:n::text)", "'h'", "201", `'\x00'`, "now()"}},
		},
		{{"payments.Opened", []string{pay, cs, "''", "'http://pay.test'"}}},
		{{"payments.AddEvent", []string{evt, "'checkout.session.completed'", "'v'", "false", "now()", "now()", `'\x00'`, "false"}}},
		{
			{"payments.Handled", []string{evt, "'applied'", "''", "now()"}}, {"payments.OfFact", []string{pay, cs, pi}}, {"sales.Lock", []string{ord}},
			{"payments.Lock", []string{pay}}, {"payments.Captured", []string{pay, "'captured'", "15000", "'EUR'", pi, "'card'", "now()"}},
			{"identity.Person", []string{per}}, {"enrolment.Grant", []string{enr, per, session, "now()", "('grt_'||:n::text)", ord, "'QUALIFYING'", all, "true"}},
			{"journey.Open", []string{"array[" + enr + "]", "array[" + session + "]", "array[" + per + "]", "array['2026-03-02']::timestamptz[]", "array[" + ord + "]", "array[true]", "1", "4097", "now()"}}, ledger,
			{"sales.Settle", []string{ord, "'paid'", "now()", "array[1]", "array[1]", "array[" + enr + "]", "'{}'", "'{}'"}},
			audit("order.paid"), {"invoicing.Source", []string{"'IMT'", "array['off_x']", "''", "now()", ord}}, {"invoicing.Issue", []string{"'IMT-2026'", "'IMT'", "now()", "('inv_'||:n::text)", "'invoice'", ord, ord, per, "null", "15000", "'EUR'", "'{}'", "'IMT'"}},
		},
	}
}

func lit(s string) string { return "'" + s + "'" }

// script writes the acts for pgbench.
func (s *shop) script() string {
	texts := map[string]string{}
	for _, q := range postgres.AllQueries() {
		texts[q.Name] = q.SQL
	}
	var b strings.Builder
	b.WriteString("\\set n random(1, 9000000000000000)\nselect set_config('cursus.actor', 'system', false);\ninsert into identity.people (id, full_name, created_at) values ('per_'||:n::text, 'x', now());\n")
	for _, tx := range s.purchaseActs() {
		b.WriteString("begin;\nselect set_config('cursus.actor', 'system', true);\n")
		for _, a := range tx {
			text, ok := texts[a.name]
			if !ok {
				s.t.Fatal("there is no statement", a.name)
			}
			for i := len(a.args); i > 0; i-- {
				text = strings.ReplaceAll(text, "$"+strconv.Itoa(i), a.args[i-1])
			}
			b.WriteString(strings.Join(strings.Fields(uncommented(text)), " ") + ";\n")
		}
		b.WriteString("commit;\n")
	}
	return b.String()
}

func uncommented(sql string) string {
	lines := strings.Split(sql, "\n")
	for i, l := range lines {
		lines[i], _, _ = strings.Cut(l, "--")
	}
	return strings.Join(lines, "\n")
}

// pgbench runs the statements of purchases without anything around them: the limit to compare with. It gives purchases per
// second and the latencies in milliseconds, sorted.
func (s *shop) pgbench(b *testing.B, clients int) (perSecond float64, latencies []float64) {
	b.Helper()
	program, err := exec.LookPath("pgbench")
	if err != nil {
		found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pgbench")
		if len(found) == 0 {
			b.Log("pgbench is not on this machine: there is no limit to compare with")
			return 0, nil
		}
		program = found[len(found)-1]
	}
	if err := s.h.Jobs.Stop(system); err != nil { // the statements enqueue jobs, which are not part of the limit
		b.Fatal(err)
	}
	folder := b.TempDir()
	file := filepath.Join(folder, "purchase.sql")
	if err := os.WriteFile(file, []byte(s.script()), 0o600); err != nil {
		b.Fatal(err)
	}
	c := exec.Command(program, "-n", "-M", "prepared", "-c", strconv.Itoa(clients), "-j", "2", "-T", "8", "-l", "--log-prefix="+filepath.Join(folder, "log"), "-f", file, s.dsn) //nolint:gosec,noctx // a benchmark
	// One plan of each statement, as the rooms have it.
	c.Env = append(os.Environ(), "PGOPTIONS=-c role=cursus_house -c plan_cache_mode=force_generic_plan")
	out, err := c.CombinedOutput()
	if err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	logs, _ := filepath.Glob(filepath.Join(folder, "log*"))
	for _, l := range logs {
		f, err := os.Open(l)
		if err != nil {
			b.Fatal(err)
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if cells := strings.Fields(lines.Text()); len(cells) > 2 {
				us, _ := strconv.ParseFloat(cells[2], 64)
				latencies = append(latencies, us/1000)
			}
		}
		_ = f.Close()
	}
	slices.Sort(latencies)
	if len(latencies) < 100 {
		b.Fatalf("pgbench made %d purchases\n%s", len(latencies), out)
	}
	return float64(len(latencies)) / 8, latencies
}

// The script that stands for the limit runs: each of its statements is one of the rooms', and one purchase of it is whole.
func TestTheLimitOfPurchasesIsAPurchase(t *testing.T) {
	w := newWorld(t)
	s := &shop{world: w}
	owner := testkit.Owner(t, w.dsn)
	if _, err := owner.Exec("set role cursus_house"); err != nil {
		t.Fatal(err)
	}
	for _, statement := range strings.Split(strings.ReplaceAll(s.script(), ":n", "42"), "\n")[1:] {
		if _, err := owner.Exec(statement); err != nil {
			t.Fatalf("%v: %s", err, statement)
		}
	}
	w.counts(map[string]int{"select count(*) from sales.orders where state = 'paid'": 1, "select count(*) from invoicing.documents": 1, "select count(*) from journey.changes": 2})
}
