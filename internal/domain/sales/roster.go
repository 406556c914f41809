package sales

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"cursus/internal/domain/identity"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/sheet"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// maxRoster is how many people a roster names at most: they are given their seats in one transaction.
const maxRoster = 2000

// MaxRosterBytes is how long a roster may be as a file.
const MaxRosterBytes = 512 << 10

// ErrRoster refuses a file that is no list of addresses.
var ErrRoster = fault.New(fault.Invalid, "bad-roster", "This is no list of addresses: a table with the column email, and perhaps name, or an address on each line.")

// Invitee is somebody on a roster. At is where, as a pointer or as the line of a file.
type Invitee struct {
	Email string
	Name  string
	At    string
}

// What a roster does about somebody.
const (
	RosterEnrol  = "enrol"  // she is known, and gets a seat
	RosterInvite = "invite" // nobody knows her: a seat is reserved and she is invited
	RosterKeep   = "keep"   // she has a seat of this line, or one is reserved for her
	RosterSkip   = "skip"   // she needs none: she has what it opens, or ordered it herself
)

// RosterRow says what becomes of somebody on a roster, and why where it is nothing.
type RosterRow struct {
	Email  string `json:"email"`
	Name   string `json:"name,omitempty"`
	Action string `json:"action"`
	Reason string `json:"reason,omitempty"`
}

// RosterResult is what a roster changes, or would.
type RosterResult struct {
	DryRun  bool        `json:"dry_run"`
	Enrol   int         `json:"enrol"`
	Invite  int         `json:"invite"`
	Keep    int         `json:"keep"`
	Skip    int         `json:"skip"`
	Free    int         `json:"free"`    // seats before it
	Missing int         `json:"missing"` // seats that it needs and that are not there
	Others  int         `json:"others"`  // seats of who is not on it; they stay
	Rows    []RosterRow `json:"rows"`
}

// Roster gives seats of a line to the people of a list: all of them, or nothing is changed. The same list again changes nothing. Who is
// not on it keeps her seat.
type Roster struct {
	OrderID string
	Line    int
	People  []Invitee
	File    []byte // to read them from, instead
	DryRun  bool
	By      By
}

// ReadRoster reads a roster from a table with a column email and perhaps name, or from an address on each line. Errors: ErrRoster.
func ReadRoster(raw []byte) (out []Invitee, err error) {
	data, err := sheet.Text(raw, MaxRosterBytes)
	if err != nil {
		return nil, ErrRoster.Because(err)
	}
	in := sheet.Reader(data)
	email, name, first := 0, -1, true
	for {
		cells, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, ErrRoster.Because(err)
		}
		line, _ := in.FieldPos(0)
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if first {
			first = false
			if !slices.ContainsFunc(cells, func(c string) bool { return strings.Contains(c, "@") }) {
				email, name = columns(cells)
				if email < 0 {
					return nil, ErrRoster
				}
				continue
			}
		}
		if !slices.ContainsFunc(cells, func(c string) bool { return c != "" }) {
			continue
		}
		x := Invitee{At: fmt.Sprintf("line %d", line)}
		if email < len(cells) {
			x.Email = cells[email]
		}
		if name >= 0 && name < len(cells) {
			x.Name = cells[name]
		}
		out = append(out, x)
	}
	return out, nil
}

// columns finds the columns of a roster by their names.
func columns(header []string) (email, name int) {
	find := func(names ...string) int {
		return slices.IndexFunc(header, func(c string) bool { return slices.Contains(names, strings.ToLower(c)) })
	}
	return find("email", "e-mail", "mail", "address", "courriel", "adresse"), find("name", "full name", "nom", "full_name")
}

// normal gives the people sorted by address, or every place that is wrong.
func (c Roster) normal() ([]Invitee, error) {
	if len(c.People) == 0 || len(c.People) > maxRoster {
		return nil, fault.InvalidInput(fault.Field{Pointer: "/people", Code: "bad-length", Detail: fmt.Sprintf("1 to %d people.", maxRoster)})
	}
	var wrong []fault.Field
	seen := map[string]string{}
	out := slices.Clone(c.People)
	for i := range out {
		x := &out[i]
		email, err := identity.NormalEmail(x.Email)
		switch {
		case err != nil:
			wrong = append(wrong, fault.Field{Pointer: x.At, Code: identity.ErrEmail.Code, Detail: identity.ErrEmail.Detail})
		case seen[email] != "":
			wrong = append(wrong, fault.Field{Pointer: x.At, Code: "twice", Detail: "The same address stands at " + seen[email] + "."})
		case utf8.RuneCountInString(x.Name) > 255 || strings.ContainsAny(x.Name, "\x00\r\n"):
			wrong = append(wrong, fault.Field{Pointer: x.At, Code: identity.ErrName.Code, Detail: identity.ErrName.Detail})
		}
		x.Email, seen[email] = email, x.At
		if len(wrong) == 100 { // enough to see what is wrong with the file
			break
		}
	}
	if wrong != nil {
		return nil, fault.InvalidInput(wrong...)
	}
	slices.SortFunc(out, func(a, b Invitee) int { return strings.Compare(a.Email, b.Email) }) // people are locked in one order
	return out, nil
}

// ApplyRoster says what a roster changes and, unless it is a dry run, does it. Errors: ErrNoOrder, ErrNoPool, ErrNoLine, ErrSeatsClosed,
// ErrNoSeatLeft where it needs more seats than are free, and invalid fields, each with its place: then nothing is changed.
func (s *Service) ApplyRoster(ctx context.Context, c Roster) (out RosterResult, err error) {
	system := postgres.WithActor(ctx, "system")
	if err := s.db.View(system, "whose roster", func(ctx context.Context, tx *postgres.Tx) error {
		o, err := OrderTx(ctx, tx, c.OrderID)
		if err == nil {
			err = o.mustManage(ctx, tx, c.By)
		}
		return err
	}); err != nil {
		return out, err
	}
	if c.File != nil {
		if c.People, err = ReadRoster(c.File); err != nil {
			return out, err
		}
	}
	people, err := c.normal()
	if err != nil {
		return out, err
	}
	if c.DryRun {
		err = s.db.View(system, "dry roster", func(ctx context.Context, tx *postgres.Tx) error {
			o, err := OrderTx(ctx, tx, c.OrderID)
			if err != nil {
				return err
			}
			out, _, err = planRoster(ctx, tx, o, c.Line, people)
			return err
		})
		out.DryRun = true
		return out, err
	}
	err = s.db.InTx(system, "roster", func(ctx context.Context, tx *postgres.Tx) error {
		o, err := poolTx(ctx, tx, c.OrderID, c.By)
		if err != nil {
			return err
		}
		var p place
		if out, p, err = planRoster(ctx, tx, o, c.Line, people); err != nil {
			return err
		}
		if out.Missing > 0 {
			return ErrNoSeatLeft.At("/people", "too-many", fmt.Sprintf("%d more than are free.", out.Missing))
		}
		if out.Enrol+out.Invite == 0 {
			return nil
		}
		for _, row := range out.Rows {
			if row.Action != RosterEnrol && row.Action != RosterInvite {
				continue
			}
			if _, err := s.assign(ctx, tx, &p, row.Email, row.Name); err != nil {
				return err
			}
		}
		return audit.AppendTx(ctx, tx, audit.Entry{
			Action: "roster.applied", Object: o.ID, Detail: map[string]any{"line": c.Line, "enrolled": out.Enrol, "invited": out.Invite, "by": c.By.PersonID},
		})
	})
	return out, err
}

// planRoster says what becomes of each of some people.
func planRoster(ctx context.Context, tx *postgres.Tx, o Order, line int, people []Invitee) (out RosterResult, p place, err error) {
	if p, err = placeOf(ctx, tx, o, line); err != nil {
		return out, p, err
	}
	var seats []Seat
	if err := tx.Select(ctx, &seats, q.Q("SeatsOfLine"), o.ID, line); err != nil {
		return out, p, err
	}
	has := map[string]bool{}
	for _, x := range seats {
		has[x.Email] = true
	}
	out = RosterResult{Free: p.line.free(p.held), Others: len(seats), Rows: []RosterRow{}}
	for _, x := range people {
		row := RosterRow{Email: x.Email, Name: x.Name, Action: RosterKeep}
		if has[x.Email] {
			out.Keep++
			out.Others--
			out.Rows = append(out.Rows, row)
			continue
		}
		person, known, err := identity.FindByEmailTx(ctx, tx, x.Email)
		if err != nil {
			return out, p, err
		}
		if row.Action = RosterInvite; known {
			row.Action, row.Name = RosterEnrol, person.FullName
			err := p.couldHave(ctx, tx, person.ID)
			if f := (*fault.Fault)(nil); errors.As(err, &f) && (errors.Is(f, ErrEnrolled) || errors.Is(f, ErrOpenAlready)) {
				row.Action, row.Reason = RosterSkip, f.Code
			} else if err != nil {
				return out, p, err
			}
		}
		switch row.Action {
		case RosterEnrol:
			out.Enrol++
		case RosterInvite:
			out.Invite++
		default:
			out.Skip++
		}
		out.Rows = append(out.Rows, row)
	}
	out.Missing = max(0, out.Enrol+out.Invite-out.Free)
	return out, p, nil
}
