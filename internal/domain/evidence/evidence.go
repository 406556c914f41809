// Package evidence puts together what the house can show of an order when its buyer says at her bank that she did not buy it, or did not
// get it: what was agreed, who signed in, what was learnt, examined and certified, and the papers.
package evidence

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/certificates"
	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("evidence", queriesSQL)

// File is the evidence of an order, as it is printed and as machines read it. Times are UTC.
type File struct {
	MadeAt       time.Time     `json:"made_at"`
	Lang         string        `json:"lang"`
	Demo         bool          `json:"demo,omitempty"`
	Order        Order         `json:"order"`
	Buyer        Buyer         `json:"buyer"`
	Terms        Terms         `json:"terms"`
	Payments     []Payment     `json:"payments"`
	Disputes     []Dispute     `json:"disputes"`
	Record       []Entry       `json:"record"` // the oldest first
	Papers       []Paper       `json:"documents"`
	Certificates []Certificate `json:"certificates"`
}

// Order is what was bought.
type Order struct {
	ID       string       `json:"id"`
	State    string       `json:"state"`
	Way      string       `json:"way"`
	PlacedAt time.Time    `json:"placed_at"`
	PaidAt   *time.Time   `json:"paid_at,omitempty"`
	Total    money.Amount `json:"total"`
	Credited money.Amount `json:"credited"`
	Lines    []Line       `json:"lines"`
}

// Line is one thing that was bought.
type Line struct {
	Title        catalog.Text `json:"title"`
	Formula      string       `json:"formula"`
	Entitlements []string     `json:"entitlements"`
	Quantity     int          `json:"quantity"`
	Total        money.Amount `json:"total"`
}

// Buyer is who bought it.
type Buyer struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

// Terms is what was agreed about leaving the contract: the right (consumer, vocational, none), and whether the buyer asked that it
// begin before the time for that was over.
type Terms struct {
	Withdrawal string    `json:"withdrawal" db:"withdrawal"`
	BeginNow   bool      `json:"begin_now" db:"begin_now"`
	AgreedAt   time.Time `json:"agreed_at" db:"agreed_at"`
}

// Payment is money that came for it. Intent is the provider's name of it, by which the bank's side finds it.
type Payment struct {
	ID         string       `json:"id"`
	Intent     string       `json:"payment_intent,omitempty"`
	Method     string       `json:"method"`
	Captured   money.Amount `json:"captured"`
	CapturedAt time.Time    `json:"captured_at"`
}

// Dispute is what the bank says.
type Dispute struct {
	ID       string       `json:"id"`
	State    string       `json:"state"`
	Reason   string       `json:"reason,omitempty"`
	Amount   money.Amount `json:"amount"`
	OpenedAt time.Time    `json:"opened_at"`
	AnswerBy *time.Time   `json:"answer_by,omitempty"`
}

// Entry is one thing that is on record: what happened to the order (sales.Happening), or one of signed_in, stage_…, worked (the first score of an
// exercise), exam_booked, exam_passed, exam_failed, exam_no_show, exam_canceled, certified, certificate_revoked. Detail names it: a session, an
// exercise, a number.
type Entry struct {
	At     time.Time     `json:"at" db:"at"`
	What   string        `json:"what" db:"what"`
	Detail string        `json:"detail,omitempty" db:"detail"`
	Amount *money.Amount `json:"amount,omitempty" db:"-"`
}

// Paper is a document of the order; Name is that of its file in the bundle.
type Paper struct {
	Kind     string    `json:"kind"`
	Number   string    `json:"number"`
	IssuedAt time.Time `json:"issued_at"`
	Name     string    `json:"file"`
	SHA256   string    `json:"sha256"`
	id       string
}

// Certificate is one that was awarded for what the order opened.
type Certificate struct {
	ID        string     `json:"id" db:"id"`
	Code      string     `json:"code" db:"code"`
	Session   string     `json:"session" db:"session"`
	IssuedAt  time.Time  `json:"issued_at" db:"issued_at"`
	RevokedAt *time.Time `json:"revoked_at,omitempty" db:"revoked_at"`
	Name      string     `json:"file" db:"-"`
	SHA256    string     `json:"sha256" db:"-"`
}

// Printer puts a file on paper.
type Printer interface {
	Evidence(ctx context.Context, f File) ([]byte, error)
}

// Service is the room.
type Service struct {
	db           *postgres.DB
	sales        *sales.Service
	invoicing    *invoicing.Service
	certificates *certificates.Service
	printer      Printer
	demo         bool
}

// New opens the room.
func New(db *postgres.DB, s *sales.Service, i *invoicing.Service, c *certificates.Service, p Printer, demo bool) *Service {
	return &Service{db: db, sales: s, invoicing: i, certificates: c, printer: p, demo: demo}
}

// Bundle is a ZIP of all that the house can show of an order that the actor may see: evidence.pdf for people (in en or fr), evidence.json for
// machines, the documents and the certificates. That it was made is noted: it leaves the house. Error: sales.ErrNoOrder.
func (s *Service) Bundle(ctx context.Context, orderID, lang string) ([]byte, error) {
	f, err := s.gather(ctx, orderID, lang)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name string, content []byte) error {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: f.MadeAt})
		if err != nil {
			return err
		}
		_, err = w.Write(content)
		return err
	}
	for i, p := range f.Papers {
		_, paper, err := s.invoicing.PDF(ctx, p.id)
		if err != nil {
			return nil, err
		}
		f.Papers[i].SHA256 = sum(paper)
		if err := add(p.Name, paper); err != nil {
			return nil, err
		}
	}
	for i, c := range f.Certificates {
		paper, err := s.certificates.PDF(ctx, c.ID)
		if err != nil {
			return nil, err
		}
		f.Certificates[i].SHA256 = sum(paper)
		if err := add(c.Name, paper); err != nil {
			return nil, err
		}
	}
	paper, err := s.printer.Evidence(ctx, f)
	if err != nil {
		return nil, err
	}
	facts, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return nil, err
	}
	for _, x := range []struct {
		name    string
		content []byte
	}{{"evidence.pdf", paper}, {"evidence.json", facts}} {
		if err := add(x.name, x.content); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), s.db.InTx(ctx, "evidence was made", func(ctx context.Context, tx *postgres.Tx) error {
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "evidence.made", Object: orderID, Detail: map[string]any{"sha256": sum(b.Bytes())}})
	})
}

func sum(content []byte) string {
	h := sha256.Sum256(content)
	return hex.EncodeToString(h[:])
}

func (s *Service) gather(ctx context.Context, orderID, lang string) (f File, err error) {
	c, err := s.sales.Case(ctx, orderID)
	if err != nil {
		return f, err
	}
	o := c.Order
	f = File{
		Lang: lang, Demo: s.demo, Buyer: Buyer{c.Buyer.FullName, c.Buyer.Email},
		Order:    Order{ID: o.ID, State: string(o.State), Way: string(o.Way), PlacedAt: o.PlacedAt, PaidAt: o.PaidAt, Total: o.Total, Credited: o.Credited},
		Disputes: []Dispute{},
	}
	for _, l := range o.Lines {
		f.Order.Lines = append(f.Order.Lines, Line{l.Title, l.Formula, l.Entitlements, l.Quantity, l.Total})
	}
	for _, d := range c.Disputes {
		f.Disputes = append(f.Disputes, Dispute{d.ID, d.State, d.Reason, d.Amount(), d.OpenedAt, d.AnswerBy})
	}
	for _, h := range c.History {
		f.Record = append(f.Record, Entry{h.At, h.What, h.Detail, h.Amount})
	}
	// Whoever may see the order may show what it led to: sign-ins and scores are behind walls of their own.
	happened := slices.Clip(f.Record)
	err = s.db.View(postgres.WithActor(ctx, "system"), "evidence", func(ctx context.Context, tx *postgres.Tx) error {
		f.MadeAt, f.Payments, f.Papers, f.Certificates = tx.Now(), []Payment{}, []Paper{}, []Certificate{}
		if err := tx.Get(ctx, &f.Terms, q.Q("Terms"), orderID); err != nil {
			return err
		}
		var paid []struct {
			ID         string         `db:"id"`
			Intent     string         `db:"intent"`
			Method     string         `db:"method"`
			Minor      int64          `db:"minor"`
			Currency   money.Currency `db:"currency"`
			CapturedAt time.Time      `db:"captured_at"`
		}
		if err := tx.Select(ctx, &paid, q.Q("Payments"), orderID); err != nil {
			return err
		}
		for _, p := range paid {
			f.Payments = append(f.Payments, Payment{p.ID, p.Intent, p.Method, money.Of(p.Minor, p.Currency), p.CapturedAt})
		}
		var learnt []Entry
		if err := tx.Select(ctx, &learnt, q.Q("Learnt"), orderID, o.BuyerID); err != nil {
			return err
		}
		f.Record = append(happened, learnt...)
		if err := tx.Select(ctx, &f.Certificates, q.Q("Certificates"), orderID); err != nil {
			return err
		}
		docs, err := invoicing.OfOrderTx(ctx, tx, orderID)
		for _, d := range docs {
			f.Papers = append(f.Papers, Paper{Kind: d.Kind, Number: d.Number, IssuedAt: d.IssuedAt, Name: "documents/" + fileName(d.Number) + ".pdf", id: d.ID})
		}
		return err
	})
	for i, c := range f.Certificates {
		f.Certificates[i].Name = "certificates/" + c.ID + ".pdf"
	}
	slices.SortStableFunc(f.Record, func(a, b Entry) int { return a.At.Compare(b.At) })
	return f, err
}

// fileName keeps what every file system takes.
func fileName(number string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '-' {
			return r
		}
		return '_'
	}, number)
}
