package labs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/labs"
	"cursus/internal/gateways/labdouble"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/lti"
	"cursus/internal/platform/postgres"
)

// A token opens the lab once, within a minute, and tells nobody's name; a stranger's launch is not there; whoever has no right to it any more at the very
// moment is refused.
func TestATokenOpensALabOnce(t *testing.T) {
	s := newSite(t)
	l := s.launched()
	other, _ := s.learner("labs")
	if _, err := s.room.Open(system, l.ID, other); !errors.Is(err, labs.ErrNoLaunch) {
		t.Error("a stranger opened it:", err)
	}
	ticket, err := s.room.Open(system, l.ID, l.LearnerID)
	s.must(err)
	token, err := jose.ParseSignedCompact(ticket.Fields[0][1], []jose.SignatureAlgorithm{jose.RS256})
	s.must(err)
	raw, err := token.Verify(s.private.Public())
	s.must(err)
	var c map[string]any
	s.must(json.Unmarshal(raw, &c))
	if c["exp"].(float64)-c["iat"].(float64) > 60 || c["aud"] != "cursus" || c["iss"] != s.us || strings.Contains(string(raw), "Learner 1") || strings.Contains(string(raw), "example.org") {
		t.Errorf("%s", raw)
	}
	if status, shown := s.come(ticket); status != 200 || !strings.Contains(shown, "The machine runs") {
		t.Fatal(status, shown)
	}
	if status, _ := s.come(ticket); status != 403 {
		t.Error("the same token opened it again:", status)
	}
	if _, err := s.room.Open(system, l.ID, l.LearnerID); !errors.Is(err, labs.ErrSpent) {
		t.Error("a second token of one link:", err)
	}
	again, err := s.launch(s.lab.ID, l.EnrolmentID, l.LearnerID)
	s.must(err)
	if again.ID != l.ID || s.of(l.ID).State != labs.Running {
		t.Errorf("she who comes back is in another machine: %+v", again)
	}
	s.clock.Advance(labs.TokenLife)
	if _, err := s.room.Open(system, again.ID, l.LearnerID); !errors.Is(err, labs.ErrSpent) {
		t.Error("a link of more than a minute:", err)
	}
	_, err = s.launch(s.lab.ID, l.EnrolmentID, l.LearnerID)
	s.must(err)
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := enrolment.RevokeTx(ctx, tx, "ord_1", "refund")
		return err
	})
	if _, err := s.room.Open(system, again.ID, l.LearnerID); !errors.Is(err, labs.ErrLeft) {
		t.Error("after a refund:", err)
	}
	if _, err := s.launch(s.lab.ID, l.EnrolmentID, l.LearnerID); !errors.Is(err, labs.ErrLeft) {
		t.Error("after a refund:", err)
	}
	if _, err := s.launch(s.lab.ID, l.EnrolmentID, other); !errors.Is(err, enrolment.ErrNoEnrolment) {
		t.Error("by somebody else's enrolment:", err)
	}
	free, enrolled := s.learner("knowledge")
	if _, err := s.launch(s.lab.ID, enrolled, free); !errors.Is(err, labs.ErrFormula) {
		t.Error("without labs:", err)
	}
	s.verify()
}

// However many come by one link at once, one has a token.
func TestManyHandsGetOneToken(t *testing.T) {
	s := newSite(t)
	for range 5 {
		l, opened := s.launched(), make([]error, 8)
		var all sync.WaitGroup
		for i := range opened {
			all.Go(func() { _, opened[i] = s.room.Open(system, l.ID, l.LearnerID) })
		}
		all.Wait()
		if rest := slices.DeleteFunc(opened, func(err error) bool { return errors.Is(err, labs.ErrSpent) }); len(rest) != 1 || rest[0] != nil {
			t.Fatal(len(rest), "have a token, or another fault:", rest)
		}
	}
}

// LTI 1.3 as a platform: the tool answers the login that we began, gets an id_token at the address that is registered, and at no other.
func TestALabOpensByLTI(t *testing.T) {
	s := newSite(t)
	var lab labs.Lab
	s.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		n := s.plan()
		n.Provider = "tool"
		lab, err = labs.CreateLabTx(ctx, tx, "PRD-9", n)
		return err
	})
	id, enrolled := s.learner("labs")
	l, err := s.launch(lab.ID, enrolled, id)
	s.must(err)
	ticket, err := s.room.Open(system, l.ID, id)
	s.must(err)
	status, to := s.come(ticket)
	u, err := url.Parse(to)
	s.must(err)
	v := u.Query()
	if status != 303 || !strings.HasPrefix(to, s.us+"/labs/lti?") {
		t.Fatal(status, to)
	}
	good := lti.Login{Scope: v.Get("scope"), ResponseType: v.Get("response_type"), ResponseMode: v.Get("response_mode"), Prompt: v.Get("prompt"), ClientID: v.Get("client_id"), RedirectURI: v.Get("redirect_uri"),
		LoginHint: v.Get("login_hint"), Hint: v.Get("lti_message_hint"), State: v.Get("state"), Nonce: v.Get("nonce")}
	for name, spoil := range map[string]func(*lti.Login){
		"another address": func(a *lti.Login) { a.RedirectURI = "https://evil.example/" }, "another client": func(a *lti.Login) { a.ClientID = "x" }, "no nonce": func(a *lti.Login) { a.Nonce = "" },
		"no state": func(a *lti.Login) { a.State = "" }, "another flow": func(a *lti.Login) { a.ResponseType = "code" }, "another token": func(a *lti.Login) { a.Hint = "2" },
	} {
		bad := good
		spoil(&bad)
		if _, err := s.room.Answer(system, id, bad); !errors.Is(err, lti.ErrLogin) {
			t.Error(name, err)
		}
	}
	if stranger, _ := s.learner("labs"); stranger != "" {
		if _, err := s.room.Answer(system, stranger, good); !errors.Is(err, labs.ErrNoLaunch) {
			t.Error("somebody else's browser:", err)
		}
	}
	answer, err := s.room.Answer(system, id, good)
	s.must(err)
	if status, shown := s.come(answer); status != 200 || !strings.Contains(shown, "The machine runs") {
		t.Fatal(status, shown)
	}
	if _, err := s.room.Answer(system, id, good); !errors.Is(err, labs.ErrSpent) {
		t.Error("a second id_token of one login:", err)
	}
	m := s.double.Machines()
	if len(m) != 1 || m[0].Shape != "lti" || m[0].Subject != enrolled || s.of(l.ID).State != labs.Running {
		t.Errorf("%+v", m)
	}
	s.verify()
}

// A machine that is idle is stopped by its provider; a stop that nobody tells of is closed by the last activity and the idle time; what comes late corrects
// the ledger by a reversal; the checks see a cost that nobody posted.
func TestAnIdleMachineIsStopped(t *testing.T) {
	s := newSite(t)
	l := s.launched()
	s.enters(l)
	s.clock.Advance(4 * time.Minute)
	s.sweep()
	if got := s.of(l.ID); got.State != labs.Running || got.StopAskedAt != nil {
		t.Fatalf("stopped before it was idle: %+v", got)
	}
	s.clock.Advance(2 * time.Minute)
	s.sweep()
	if got := s.of(l.ID); got.State != labs.Ended || got.StopReason != labs.ReasonIdle || got.Minutes != 6 || got.CostMinor != 8 || s.posted(l.EnrolmentID) != 8 {
		t.Fatalf("6 minutes at 1.25 cents are 7.5, and so 8: %+v", got)
	}
	s.double.Set(labdouble.Weather{LoseStops: true})
	lost := s.launched()
	s.enters(lost)
	began := s.clock.Now()
	s.clock.Advance(14 * time.Minute)
	s.sweep()
	if got := s.of(lost.ID); got.State != labs.Running || got.StopAskedAt == nil {
		t.Fatalf("it is given time to say that it stopped: %+v", got)
	}
	s.clock.Advance(time.Minute)
	s.sweep()
	if got := s.of(lost.ID); got.State != labs.Ended || got.Minutes != 5 || got.CostMinor != 6 {
		t.Fatalf("the last activity and the idle time are five minutes: %+v", got)
	}
	s.must(s.say("late", "stopped", lost.ID, began.Add(2*time.Minute)))
	if got := s.of(lost.ID); got.Minutes != 2 || got.CostMinor != 3 || got.Costing != 2 || s.posted(lost.EnrolmentID) != 3 {
		t.Fatalf("what came late corrects: %+v", got)
	}
	s.verify()
	for _, spoil := range []string{
		`UPDATE labs.launches SET cost_minor = cost_minor + 1 WHERE id = '` + lost.ID + `'`,
		`UPDATE labs.launches SET minutes = minutes + 1, cost_minor = cost_minor + 1 WHERE id = '` + lost.ID + `'`,
	} {
		_, err := s.owner.Exec(spoil)
		s.must(err)
		broken := 0
		for _, c := range labs.Checks() {
			rows, err := postgres.RunCheck(system, s.db, c)
			s.must(err)
			broken += len(rows)
		}
		if broken == 0 {
			t.Error("no check sees", spoil)
		}
	}
}

// Used minutes shut the lab and stop the machine; a refund stops it too; a provider that is down is asked again.
func TestAMachineIsStoppedWhenItsTimeIsUsedOrItsRightIsGone(t *testing.T) {
	s := newSite(t)
	one, two := s.launched(), s.launched()
	for _, l := range []labs.Launch{one, two} {
		s.enters(l)
	}
	for range 7 {
		s.clock.Advance(4 * time.Minute)
		for _, l := range []labs.Launch{one, two} {
			s.must(s.double.Tell(system, l.ID, "activity"))
		}
		s.sweep()
	}
	if a, b := s.of(one.ID), s.of(two.ID); a.State != labs.Running || b.State != labs.Running {
		t.Fatalf("28 of 30 minutes: %+v %+v", a, b)
	}
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := enrolment.RevokeTx(ctx, tx, "ord_2", "refund")
		return err
	})
	s.sweep()
	if b := s.of(two.ID); b.State != labs.Ended || b.StopReason != labs.ReasonAccess {
		t.Errorf("after a refund: %+v", b)
	}
	s.clock.Advance(2 * time.Minute)
	s.must(s.double.Tell(system, one.ID, "activity"))
	s.sweep()
	if a := s.of(one.ID); a.State != labs.Ended || a.StopReason != labs.ReasonQuota || a.Minutes != 30 || a.CostMinor != 38 {
		t.Errorf("30 minutes at 1.25 cents are 37.5: %+v", a)
	}
	if _, err := s.launch(s.lab.ID, one.EnrolmentID, one.LearnerID); !errors.Is(err, labs.ErrQuota) {
		t.Error("with all minutes used:", err)
	}
	s.double.Set(labdouble.Weather{Down: true})
	if err := s.room.Stop(system, one.ID); err != nil {
		t.Error("what has ended is asked for no more:", err)
	}
	three := s.launched()
	s.enters(three)
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error { return s.room.AskStopTx(ctx, tx, three.ID) })
	if err := s.room.Stop(system, three.ID); !errors.Is(err, labs.ErrProvider) {
		t.Error("a provider that is down took it:", err)
	}
	s.double.Set(labdouble.Weather{})
	s.must(s.room.Stop(system, three.ID))
	if c := s.of(three.ID); c.State != labs.Ended || c.StopReason != labs.ReasonTeacher {
		t.Errorf("%+v", c)
	}
	s.verify()
}

// Who asks for help is first on the board until she is helped; a new price changes nothing of what was launched; usages come in pages.
func TestTheBoardAndThePriceOfWhatWasLaunched(t *testing.T) {
	s := newSite(t)
	one, two := s.launched(), s.launched()
	for _, l := range []labs.Launch{one, two} {
		s.enters(l)
	}
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		n := s.plan()
		n.CostMilli, n.Currency = 99_000, "XOF"
		if _, err := labs.PutLabTx(ctx, tx, s.lab.ID, n, 7); !errors.Is(err, labs.ErrChanged) {
			t.Error("over a version that is not there:", err)
		}
		_, err := labs.PutLabTx(ctx, tx, s.lab.ID, n, s.lab.Version)
		return err
	})
	s.clock.Advance(time.Minute)
	s.must(s.double.Tell(system, one.ID, "help_asked"))
	s.clock.Advance(time.Minute)
	s.must(s.double.Tell(system, two.ID, "activity"))
	board := func() (all []labs.Usage) {
		s.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
			all, err = labs.BoardTx(ctx, tx, s.session.ID)
			return err
		})
		return all
	}
	if b := board(); len(b) != 2 || b[0].ID != one.ID || b[0].HelpSince == nil || b[0].In(s.clock.Now()) != 2 || b[0].Left() != 28 || b[1].HelpSince != nil {
		t.Fatalf("%+v", b)
	}
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error { return s.room.HelpGivenTx(ctx, tx, one.ID) })
	if b := board(); len(b) != 2 || b[0].ID != two.ID || b[1].HelpSince != nil {
		t.Fatalf("%+v", b)
	}
	s.must(s.double.Tell(system, one.ID, "stopped"))
	if got := s.of(one.ID); got.Currency != "EUR" || got.CostMinor != 3 {
		t.Errorf("2 minutes at 1.25 cents are 2.5: %+v", got)
	}
	next, seen := "", 0
	for range 3 {
		s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			all, after, err := labs.UsagesTx(ctx, tx, s.session.ID, page.Request{Limit: 1, After: next})
			seen += len(all)
			next = after
			return err
		})
		if next == "" {
			break
		}
	}
	if seen != 2 {
		t.Error(seen, "usages were listed")
	}
	s.verify()
}

// After a change of secrets what the old one signs is taken for a day, and the one before that no more; who rewrites a provider keeps both; a version
// that is not there changes nothing. A provider that is switched off opens no lab, and its machines are stopped.
func TestTheSecretOfAProviderChangesAndItIsSwitchedOff(t *testing.T) {
	s := newSite(t)
	var p labs.Provider
	put := func(n labs.NewProvider, version int) (err error) {
		t.Helper()
		return s.db.InTx(system, "test", func(ctx context.Context, tx *postgres.Tx) error {
			p, err = s.room.PutProviderTx(ctx, tx, "cloud", n, version)
			return err
		})
	}
	n := s.plain()
	if err := put(n, -1); !errors.Is(err, labs.ErrChanged) {
		t.Error("another one of the same key:", err)
	}
	if err := put(n, 9); !errors.Is(err, labs.ErrChanged) {
		t.Error("over a version that is not there:", err)
	}
	s.must(put(n, 1))
	if p.BeforeUntil != nil {
		t.Error("the same secret again is none that was replaced")
	}
	first, second, third := shared, labs.NewSecret(), labs.NewSecret()
	said := 0
	takes := func(secret string) bool {
		t.Helper()
		said++
		d := s.signedBy(secret, fmt.Sprint("s", said), `{}`)
		err := s.room.Receive(context.Background(), "cloud", d)
		if err != nil && !errors.Is(err, labs.ErrSignature) {
			t.Fatal(err)
		}
		return err == nil
	}
	n.Secret = second
	s.must(put(n, 2))
	n.Secret = ""
	s.must(put(n, 3))
	if !takes(first) || !takes(second) || takes(third) || p.BeforeUntil == nil {
		t.Error("after one change both are taken, also after other settings were written")
	}
	s.clock.Advance(23 * time.Hour)
	n.Secret = third
	s.must(put(n, 4))
	if takes(first) || !takes(second) || !takes(third) {
		t.Error("after another change the first one is out")
	}
	s.clock.Advance(24 * time.Hour)
	if takes(second) || !takes(third) {
		t.Error("after a day the old one is out")
	}
	n.Secret = first // what the double signs with
	s.must(put(n, 5))
	l := s.launched()
	s.enters(l)
	off := false
	n.Enabled, n.Secret = &off, ""
	s.must(put(n, 6))
	if _, err := s.launch(s.lab.ID, l.EnrolmentID, l.LearnerID); !errors.Is(err, labs.ErrOff) {
		t.Error("of a provider that is off:", err)
	}
	s.sweep()
	if got := s.of(l.ID); got.State != labs.Ended || got.StopReason != labs.ReasonAccess {
		t.Errorf("its machines go on: %+v", got)
	}
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		hosts, err := labs.LabsOfProviderTx(ctx, tx, "cloud")
		if err != nil || len(hosts) != 1 || hosts[0].ID != s.lab.ID || hosts[0].Served || hosts[0].Minute(100).Minor != 125 {
			t.Errorf("%+v %v", hosts, err)
		}
		none, err := labs.LabsOfProviderTx(ctx, tx, "tool")
		if len(none) != 0 {
			t.Errorf("%+v", none)
		}
		return err
	})
	s.verify()
}
