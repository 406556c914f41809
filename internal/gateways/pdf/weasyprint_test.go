package pdf

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"rsc.io/qr"

	"cursus/internal/domain/certificates"
)

// equalPage is the page of a certificate as somebody would write it for a program that prints HTML: the same size, frames, texts, fonts and QR code at
// the same places.
func (r *Renderer) equalPage(f certificates.CertificateFacts) (string, error) {
	l, words := r.layout.with(f.Look), r.layout.Words[f.Language]
	var b strings.Builder
	fmt.Fprintf(&b, `<!DOCTYPE html><html lang="%s"><head><meta charset="utf-8"><title>%s</title><style>@page{size:%gmm %gmm;margin:0}body{margin:0}div,svg{position:absolute;white-space:nowrap;text-align:center}</style></head><body>`,
		f.Language, html.EscapeString(words["title"]), l.Page.Width, l.Page.Height)
	for _, x := range l.Frames {
		fmt.Fprintf(&b, `<div style="left:%gmm;top:%gmm;width:%gmm;height:%gmm;border:%gmm solid %s"></div>`, x.X, x.Y, x.W, x.H, x.Line, x.Color)
	}
	text := func(x textBox, said string) {
		family, weight := "Helvetica,Liberation Sans,sans-serif", "normal"
		if strings.HasPrefix(x.Face, "serif") {
			family = "Times New Roman,Liberation Serif,serif"
		}
		if strings.HasSuffix(x.Face, "bold") {
			weight = "bold"
		}
		if said != "" {
			fmt.Fprintf(&b, `<div style="left:%gmm;top:%.2fmm;width:%gmm;font:%s %gpt %s;color:%s">%s</div>`, x.X, x.Y-x.Size*0.3528, x.W, weight, x.Size, family, x.Color, html.EscapeString(said))
		}
	}
	for said, i := textsOn(f, words), 0; i < len(l.Texts); i++ {
		text(l.Texts[i], said[l.Texts[i].Key])
	}
	for _, said := range signaturesOn(f) {
		for _, x := range l.Signatures.Texts {
			x.X, x.W = l.Signatures.X, l.Signatures.W
			text(x, said[x.Key])
		}
	}
	c, err := qr.Encode(f.VerificationURL, qr.M)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(&b, `<svg style="left:%gmm;top:%gmm;width:%gmm;height:%gmm" viewBox="0 0 %d %d"><path d="`, l.QR.X, l.QR.Y, l.QR.Size, l.QR.Size, c.Size, c.Size)
	for y := range c.Size {
		for x := 0; x < c.Size; x++ {
			from := x
			for x < c.Size && c.Black(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", from, y, x-from, x-from)
			}
		}
	}
	return b.String() + `"/></svg></body></html>`, nil
}

// prints is how WeasyPrint is asked: it reads pages, prints one for the warmth, then each of them into memory, its fonts configured once, and says how
// many seconds these took and how large the last one is.
const prints = `
import json, sys, time
from weasyprint import HTML
from weasyprint.text.fonts import FontConfiguration
pages, fonts = json.load(open(sys.argv[1])), FontConfiguration()
HTML(string=pages[0]).write_pdf(font_config=fonts)
began = time.perf_counter()
for p in pages:
    out = HTML(string=p).write_pdf(font_config=fonts)
print(time.perf_counter() - began, len(out))
open(sys.argv[2], "wb").write(out)
`

// weasy has WeasyPrint print pages, and gives the seconds that it took, without its start. It is a Debian package; where it is not, ok is false.
func weasy(b *testing.B, pages []string) (seconds float64, ok bool) {
	b.Helper()
	program, err := exec.LookPath("weasyprint")
	if err != nil {
		return 0, false
	}
	script, err := os.ReadFile(program) //nolint:gosec // the program that the machine has
	if err != nil {
		b.Fatal(err)
	}
	first, _, _ := strings.Cut(string(script), "\n")
	folder := b.TempDir()
	in, out := filepath.Join(folder, "pages.json"), filepath.Join(folder, "last.pdf")
	all, err := json.Marshal(pages)
	if err == nil {
		err = os.WriteFile(in, all, 0o600)
	}
	if err != nil {
		b.Fatal(err)
	}
	interpreter := strings.Fields(strings.TrimPrefix(first, "#!"))
	said, err := exec.Command(interpreter[0], append(interpreter[1:], "-c", prints, in, out)...).Output() //nolint:gosec,noctx // a benchmark
	if err != nil {
		b.Fatal("weasyprint:", err)
	}
	var size int
	if _, err := fmt.Sscan(string(said), &seconds, &size); err != nil || size == 0 {
		b.Fatal(err, string(said))
	}
	if to := os.Getenv("CURSUS_SHOTS"); to != "" {
		doc, err := os.ReadFile(out)
		if err == nil {
			err = os.WriteFile(filepath.Join(to, "weasyprint.pdf"), doc, 0o600)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	return seconds, true
}

// BenchmarkCertificate prints on one core (-cpu 1) certificates with names that PDF's own fonts have, and with others. In the same run
// WeasyPrint prints equal pages, also on one core, and memory is looked at after many of them: what it holds does not grow.
func BenchmarkCertificate(b *testing.B) {
	r, err := New()
	if err != nil {
		b.Fatal(err)
	}
	holders := []struct{ name, holder string }{{"code-page", "Aïcha N'Diaye"}, {"wide", "Łukasz Żółć"}, {"arabic", "محمد عبد السلام"}, {"han", "王小明"}}
	one := func(b *testing.B, f certificates.CertificateFacts) []byte {
		doc, err := r.Certificate(context.Background(), f, nil)
		if err != nil {
			b.Fatal(err)
		}
		return doc
	}
	for _, c := range holders {
		b.Run(c.name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				one(b, facts(fmt.Sprint(c.holder, " ", i)))
			}
			ours := float64(b.N) / b.Elapsed().Seconds()
			b.StopTimer()
			b.ReportMetric(ours, "certificates/s")
			before := held()
			for i := range 500 {
				one(b, facts(fmt.Sprint(c.holder, " ", i)))
			}
			b.ReportMetric(float64(held()-before)/1024, "held-KiB-after-500-more")
			pages := make([]string, 12)
			for i := range pages {
				if pages[i], err = r.equalPage(facts(fmt.Sprint(c.holder, " ", i))); err != nil {
					b.Fatal(err)
				}
			}
			if took, ok := weasy(b, pages); ok {
				theirs := float64(len(pages)) / took
				b.ReportMetric(theirs, "weasyprint/s")
				b.ReportMetric(ours/theirs, "times-weasyprint")
			} else {
				b.Log("WeasyPrint (Debian package weasyprint) is not on this machine: nothing to compare with")
			}
		})
	}
}

// held is the memory that is in use, once what is not is given back.
func held() int64 {
	runtime.GC()
	runtime.GC() // what a pool holds is given up at the second one
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // far from the largest
}
