package certificates_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/certificates"
	"cursus/internal/kernel/fault"
)

func picture(c color.Color, w, h int) []byte {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for x := range w {
		for y := range h {
			m.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	_ = png.Encode(&b, m)
	return b.Bytes()
}

// A layout is data: its colours, logos and signatures are printed, its edits leave alone what was issued, and the same facts give the same bytes.
func TestALayoutIsPrintedAndCopied(t *testing.T) {
	s := newSite(t)
	hash, err := s.room.AddImage(system, picture(color.NRGBA{200, 30, 30, 128}, 60, 40))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.room.AddImage(system, picture(color.NRGBA{200, 30, 30, 128}, 60, 40)); err != nil || again != hash {
		t.Error("the same image has the same hash:", again, err)
	}
	for name, bad := range map[string][]byte{"no image": []byte("GIF89a"), "nothing": nil, "too wide": picture(color.Black, 2001, 1)} {
		if _, err := s.room.AddImage(system, bad); code(err) != "bad-image" {
			t.Errorf("%s: %v", name, err)
		}
	}
	plan := certificates.LayoutPlan{Name: "With Dakar", Organisation: "ESP", Design: certificates.Design{
		Accent: "#0a5c36", Line: "#aa8800", Logos: []string{hash},
		Signatures: []certificates.Signatory{{Name: "Pr. Awa Diop", Role: catalog.Text{EN: "Director", FR: "Directrice"}, Organisation: "ESP", Image: hash}, {Name: "Pr. Jean Dupont", Organisation: "IMT"}},
	}}
	l, err := s.room.CreateLayout(system, "l1", plan)
	if err != nil || l.Version != 1 {
		t.Fatal(l, err)
	}
	if _, err := s.room.CreateLayout(system, "l2", plan); code(err) != "layout-name-taken" && code(err) != "layout-of-organisation" {
		t.Error(err)
	}
	for _, break_ := range []func(*certificates.LayoutPlan){
		func(p *certificates.LayoutPlan) { p.Name = "" }, func(p *certificates.LayoutPlan) { p.Design.Accent = "red" }, func(p *certificates.LayoutPlan) { p.Design.Logos = []string{"x"} },
		func(p *certificates.LayoutPlan) { p.Design.Logos = []string{strings.Repeat("a", 64)} }, func(p *certificates.LayoutPlan) { p.Design.Signatures = make([]certificates.Signatory, 5) },
	} {
		bad := plan
		break_(&bad)
		if _, err := s.room.PutLayout(system, l.ID, 1, bad); fault.From(err).Kind != fault.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	zoe, enrolled := s.learner("Zoé Ndiaye", all...)
	s.reaches(enrolled, journey.Succeeded)
	c, err := s.award("program", zoe.ID)
	if err != nil || c.Facts.Look.Accent != "#0a5c36" || c.Facts.Look.Signatures[0].Role != "Directrice" {
		t.Fatalf("%+v %v", c.Facts.Look, err)
	}
	plan.Design.Accent = "#000000"
	if _, err := s.room.PutLayout(system, l.ID, 7, plan); code(err) != "changed-meanwhile" {
		t.Error(err)
	}
	if now, err := s.room.PutLayout(system, l.ID, 1, plan); err != nil || now.Version != 2 {
		t.Error(now, err)
	}
	doc, err := s.room.PDF(system, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	now, _ := s.room.Certificate(system, c.ID)
	if sum := sha256.Sum256(doc); hex.EncodeToString(sum[:]) != now.SHA256 || now.Facts.Look.Accent != "#0a5c36" {
		t.Error("an edit of the layout reached what was issued")
	}
	for _, part := range []string{"Pr. Awa Diop", "Pr. Jean Dupont", "/Width 60", "/Keywords (cursus-certificate " + c.Code + ")"} {
		if !bytes.Contains(doc, []byte(part)) {
			t.Errorf("%q is not on paper", part)
		}
	}
	preview, err := s.room.Preview(system, plan, "program", "fr", true)
	if err != nil || !bytes.Contains(preview, []byte("Directrice")) || !bytes.Contains(preview, []byte("data:image/png;base64,")) || !bytes.Contains(preview, []byte("ESP Dakar")) {
		t.Error("the preview is not the layout:", err)
	}
	k, err := s.room.PutKind(system, "attestation", 1, certificates.KindPlan{Heading: catalog.Text{EN: "Statement", FR: "Attestation"}, Reason: catalog.Text{EN: "for", FR: "pour"}, LayoutID: l.ID})
	if err != nil || k.Version != 2 {
		t.Fatal(k, err)
	}
	if c, err := s.award("attestation", zoe.ID); err != nil || c.Facts.Heading != "Attestation" || c.Facts.Look.Accent != "#000000" {
		t.Error(c.Facts, err)
	}
	s.holds()
}
