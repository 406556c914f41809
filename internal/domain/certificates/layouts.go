package certificates

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	_ "image/jpeg" // logos come as JPEG too
	"image/png"
	"net/http"
	"regexp"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/lib/pq"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/postgres"
)

// What fits on a page.
const (
	mostLogos      = 4
	mostSignatures = 4
	mostImageBytes = 500_000
	mostImageSide  = 2000
)

// Layout is how certificates look: colours, logos and signatures over the page of templates/certificate. One with an organisation is printed for
// the editions of that partner; any other one where a kind names it.
type Layout struct {
	ID           string    `json:"id"`
	Name         string    `json:"name"`
	Organisation string    `json:"organisation,omitempty"` // key
	Design       Design    `json:"design"`
	SavedAt      time.Time `json:"saved_at"`
	Version      int       `json:"-"`
}

// Design is what can be said of a layout. Empty fields are the house's own.
type Design struct {
	Issuer     string      `json:"issuer,omitempty"` // in whose name, as printed
	Accent     string      `json:"accent,omitempty"` // "#rrggbb", of headings and the frame
	Line       string      `json:"line,omitempty"`   // of the inner frame
	Logos      []string    `json:"logos"`            // hashes of images, from the outside in: left, right, left, right
	Signatures []Signatory `json:"signatures"`
}

// Signatory is who signs.
type Signatory struct {
	Name         string       `json:"name"`
	Role         catalog.Text `json:"role,omitzero"`
	Organisation string       `json:"organisation,omitempty"` // as printed
	Image        string       `json:"image,omitempty"`        // hash of the signature as an image
}

// LayoutPlan is what is said of a layout.
type LayoutPlan struct {
	Name         string `json:"name"`
	Organisation string `json:"organisation"`
	Design       Design `json:"design"`
}

var (
	hexColour = regexp.MustCompile(`^#[0-9a-f]{6}$`)
	hexHash   = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

func (p LayoutPlan) check() error {
	var wrong []fault.Field
	short := func(at, s string, least, most int) {
		if n := utf8.RuneCountInString(s); n < least || n > most {
			wrong = append(wrong, fault.Field{Pointer: at, Code: "bad-length", Detail: fmt.Sprintf("%d to %d characters.", least, most)})
		}
	}
	short("/name", p.Name, 1, 100)
	d := p.Design
	short("/design/issuer", d.Issuer, 0, 200)
	for at, c := range map[string]string{"/design/accent": d.Accent, "/design/line": d.Line} {
		if c != "" && !hexColour.MatchString(c) {
			wrong = append(wrong, fault.Field{Pointer: at, Code: "bad-colour", Detail: "Six hexadecimal digits after a #."})
		}
	}
	if len(d.Logos) > mostLogos || len(d.Signatures) > mostSignatures {
		wrong = append(wrong, fault.Field{Pointer: "/design", Code: "too-many", Detail: fmt.Sprintf("At most %d logos and %d signatures.", mostLogos, mostSignatures)})
	}
	for i, x := range d.Signatures {
		at := "/design/signatures/" + strconv.Itoa(i)
		short(at+"/name", x.Name, 1, 100)
		short(at+"/role", x.Role.EN, 0, 100)
		short(at+"/role", x.Role.FR, 0, 100)
		short(at+"/organisation", x.Organisation, 0, 100)
	}
	for _, h := range d.look("en").images() {
		if !hexHash.MatchString(h) {
			wrong = append(wrong, fault.Field{Pointer: "/design", Code: "bad-image", Detail: "An image is named by the hash that its upload was answered with."})
		}
	}
	if len(wrong) > 0 {
		return fault.InvalidInput(wrong...)
	}
	return nil
}

// look is a design in a language.
func (d Design) look(lang string) Look {
	l := Look{Accent: d.Accent, Line: d.Line, Logos: d.Logos}
	for _, x := range d.Signatures {
		l.Signatures = append(l.Signatures, Signed{x.Name, x.Role.In(lang), x.Organisation, x.Image})
	}
	return l
}

type layoutRow struct {
	ID           string    `db:"id"`
	Name         string    `db:"name"`
	Organisation string    `db:"organisation"`
	Design       []byte    `db:"design"`
	SavedAt      time.Time `db:"saved_at"`
	Version      int       `db:"version"`
}

func (r layoutRow) layout() (Layout, error) {
	l := Layout{ID: r.ID, Name: r.Name, Organisation: r.Organisation, SavedAt: r.SavedAt, Version: r.Version}
	return l, json.Unmarshal(r.Design, &l.Design)
}

func layoutTx(ctx context.Context, tx *postgres.Tx, id string) (Layout, error) {
	return oneLayout(ctx, tx, "Layout", id)
}

func oneLayout(ctx context.Context, tx *postgres.Tx, statement string, arg any) (Layout, error) {
	var r layoutRow
	err := tx.Get(ctx, &r, q.Q(statement), arg)
	if errors.Is(err, sql.ErrNoRows) {
		return Layout{}, ErrNoLayout
	}
	if err != nil {
		return Layout{}, err
	}
	return r.layout()
}

// Layouts lists all layouts by name.
func (s *Service) Layouts(ctx context.Context) (all []Layout, err error) {
	err = s.db.View(ctx, "layouts", func(ctx context.Context, tx *postgres.Tx) error {
		var rows []layoutRow
		if err := tx.Select(ctx, &rows, q.Q("Layouts")); err != nil {
			return err
		}
		all = make([]Layout, len(rows))
		for i, r := range rows {
			if all[i], err = r.layout(); err != nil {
				return err
			}
		}
		return nil
	})
	return all, err
}

// Layout finds one. Error: ErrNoLayout.
func (s *Service) Layout(ctx context.Context, id string) (l Layout, err error) {
	err = s.db.View(ctx, "layout", func(ctx context.Context, tx *postgres.Tx) (err error) {
		l, err = layoutTx(ctx, tx, id)
		return err
	})
	return l, err
}

// CreateLayout makes a layout, once per key.
func (s *Service) CreateLayout(ctx context.Context, key string, p LayoutPlan) (Layout, error) {
	if err := p.check(); err != nil {
		return Layout{}, err
	}
	design, err := p.design()
	if err != nil {
		return Layout{}, err
	}
	reply, _, err := s.replies.Do(ctx, postgres.Actor(ctx), key, "create layout "+p.Name+"\n"+p.Organisation+"\n"+design, func(ctx context.Context, tx *postgres.Tx) (idempotency.Reply, error) {
		id := ident.New("lay")
		if err := knownImages(ctx, tx, p.Design); err != nil {
			return idempotency.Reply{}, err
		}
		if _, err := tx.Exec(ctx, q.Q("AddLayout"), id, p.Name, p.Organisation, design, tx.Now(), postgres.Actor(ctx)); err != nil {
			return idempotency.Reply{}, err
		}
		return idempotency.Reply{Status: http.StatusCreated, Body: []byte(id)}, audit.AppendTx(ctx, tx, audit.Entry{Action: "certificate_layout.created", Object: id, Detail: map[string]string{"name": p.Name}})
	})
	if err != nil {
		return Layout{}, err
	}
	return s.Layout(ctx, string(reply.Body))
}

func (p LayoutPlan) design() (string, error) {
	if p.Design.Logos == nil {
		p.Design.Logos = []string{}
	}
	if p.Design.Signatures == nil {
		p.Design.Signatures = []Signatory{}
	}
	b, err := json.Marshal(p.Design)
	return string(b), err
}

// PutLayout writes a layout over the version that was read; 0: whatever stands there. What was issued with it stays as it was printed. Errors: ErrNoLayout, ErrChanged.
func (s *Service) PutLayout(ctx context.Context, id string, version int, p LayoutPlan) (l Layout, err error) {
	if err := p.check(); err != nil {
		return l, err
	}
	design, err := p.design()
	if err != nil {
		return l, err
	}
	err = s.db.InTx(ctx, "put layout", func(ctx context.Context, tx *postgres.Tx) error {
		if l, err = layoutTx(ctx, tx, id); err != nil {
			return err
		}
		if err := knownImages(ctx, tx, p.Design); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, q.Q("PutLayout"), id, version, p.Name, p.Organisation, design, tx.Now(), postgres.Actor(ctx))
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrChanged
		}
		if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "certificate_layout.put", Object: id, Before: LayoutPlan{l.Name, l.Organisation, l.Design}, After: p}); err != nil {
			return err
		}
		l, err = layoutTx(ctx, tx, id)
		return err
	})
	return l, err
}

// knownImages refuses a design with an image that was never added.
func knownImages(ctx context.Context, tx *postgres.Tx, d Design) error {
	images, err := imagesTx(ctx, tx, d.look("en").images())
	if err != nil {
		return err
	}
	for _, h := range d.look("en").images() {
		if images[h] == nil {
			return fault.InvalidInput(fault.Field{Pointer: "/design", Code: "no-such-image", Detail: "There is no image " + h + "."})
		}
	}
	return nil
}

// AddImage keeps a logo or a signature and gives the hash under which a design names it. It is kept as a PNG without transparency, on white, which
// is embedded as it is, however many certificates are printed with it. Error: ErrImage.
func (s *Service) AddImage(ctx context.Context, content []byte) (hash string, err error) {
	flat, err := flatten(content)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(flat)
	hash = hex.EncodeToString(sum[:])
	return hash, s.db.InTx(ctx, "add image", func(ctx context.Context, tx *postgres.Tx) error {
		n, err := tx.Exec(ctx, q.Q("AddImage"), hash, flat, tx.Now())
		if err != nil || n == 0 {
			return err
		}
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "certificate_image.added", Object: hash, Detail: map[string]int{"bytes": len(flat)}})
	})
}

func flatten(content []byte) ([]byte, error) {
	if len(content) == 0 || len(content) > mostImageBytes {
		return nil, ErrImage
	}
	c, _, err := image.DecodeConfig(bytes.NewReader(content)) // before its points take memory
	if err != nil || c.Width < 1 || c.Height < 1 || c.Width > mostImageSide || c.Height > mostImageSide {
		return nil, ErrImage.Because(err)
	}
	in, _, err := image.Decode(bytes.NewReader(content))
	if err != nil {
		return nil, ErrImage.Because(err)
	}
	out := image.NewRGBA(image.Rect(0, 0, c.Width, c.Height))
	draw.Draw(out, out.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(out, out.Bounds(), in, in.Bounds().Min, draw.Over)
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, out); err != nil {
		return nil, err
	}
	if b.Len() > mostImageBytes {
		return nil, ErrImage
	}
	return b.Bytes(), nil
}

func imagesTx(ctx context.Context, tx *postgres.Tx, hashes []string) (Images, error) {
	if len(hashes) == 0 {
		return Images{}, nil
	}
	var rows []struct {
		SHA256 string `db:"sha256"`
		PNG    []byte `db:"png"`
	}
	if err := tx.Select(ctx, &rows, q.Q("Images"), pq.Array(hashes)); err != nil {
		return nil, err
	}
	out := make(Images, len(rows))
	for _, r := range rows {
		out[r.SHA256] = r.PNG
	}
	return out, nil
}

// images gives those that a look shows. They never change, so those of the last looks are kept.
func (s *Service) images(ctx context.Context, l Look) (Images, error) {
	hashes := l.images()
	if len(hashes) == 0 {
		return Images{}, nil
	}
	key := fmt.Sprint(hashes)
	if known, ok := s.known.Load(key); ok {
		return known.(Images), nil //nolint:forcetypeassert // nothing else is put there
	}
	var out Images
	err := s.db.View(ctx, "images", func(ctx context.Context, tx *postgres.Tx) (err error) {
		out, err = imagesTx(ctx, tx, hashes)
		return err
	})
	if err == nil {
		s.known.Clear() // one batch prints with one look
		s.known.Store(key, out)
	}
	return out, err
}

// Preview shows a layout as it would be printed, with made-up facts: as a PDF, or, but for a transcript, as an SVG for a page. Errors: those of PutLayout, ErrNoKind.
func (s *Service) Preview(ctx context.Context, p LayoutPlan, kind, lang string, svg bool) ([]byte, error) {
	if p.Name == "" {
		p.Name = "–"
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	k, err := s.Kind(ctx, kind)
	if err != nil {
		return nil, err
	}
	if lang != "fr" {
		lang = "en"
	}
	f := CertificateFacts{
		Kind: k.Key, Heading: k.Heading.In(lang), Reason: k.Reason.In(lang), HolderName: "Ndèye-Aïssatou Diop-Lefèvre", CourseTitle: catalog.Text{EN: "Principles of data networks", FR: "Principes des réseaux de données"}.In(lang),
		Session: "PRD-9", Formula: "QUALIFYING", Issuer: s.issuerOf(p.Design), Grade: percent(870_000, lang), IssuedAt: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), Code: "0123456789abcdefghjkmnpqrs",
		VerificationURL: s.issuer.BaseURL + "/verify/0123456789abcdefghjkmnpqrs", Signatory: s.issuer.Signatory, Language: lang, Demo: true, Look: p.Design.look(lang),
	}
	if k.Stage == Followed {
		if svg {
			return nil, ErrNoKind
		}
		f.Transcript = k.example()
	}
	if k.Subject == OfEdition {
		f.Session, f.Grade, f.Hours, f.ECTSHundredths, f.Partners = "NETWORKS-2026", "", 150, 600, []string{"ESP Dakar"}
	}
	images, err := s.images(ctx, f.Look)
	if err != nil {
		return nil, err
	}
	if svg {
		return s.renderer.Preview(ctx, f, images)
	}
	return s.renderer.Certificate(ctx, f, images)
}

func (s *Service) issuerOf(d Design) string {
	if d.Issuer != "" {
		return d.Issuer
	}
	return s.issuer.Name
}
