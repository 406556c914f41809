package pdf

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"cursus/internal/domain/progress"
	"cursus/internal/kernel/clock"
)

var _ progress.Printer = (*Renderer)(nil)

// Digest prints what a week changed for those whom a partner follows: A4 pages in portrait, in a language. The same digest gives the same bytes:
// nothing in it says when it was printed. demo marks it as of no value.
func (r *Renderer) Digest(_ context.Context, d progress.Digest, lang string, demo bool) ([]byte, error) {
	texts := []string{d.Group.School, d.Group.Name, d.Group.Key, d.Group.Title.EN, d.Group.Title.FR, d.Week.String(), "0123456789 :.,/-–·•×()"}
	for _, s := range d.Sessions {
		texts = append(append(append(append(texts, s.Session, s.Title.EN, s.Title.FR), s.Started...), s.FellBehind...), s.Certified...)
	}
	return r.paper(lang, d.Week.Until(), demo, func(*paper) []string { return texts }, func(p *paper) { p.digest(d) })
}

func (p *paper) digest(d progress.Digest) {
	title := p.words["digest"]
	p.SetTitle(title+" "+d.Name(p.lang)+" "+d.Week.String(), true)
	p.footer = strings.Join(filled([]string{title, d.Group.School, d.Name(p.lang), d.Week.String()}), " · ")
	p.page()
	p.put(clean(title), p.Left, p.y+6, p.Size["title"], "sans-bold", "accent")
	p.y += 16
	p.said("partner", d.Group.School)
	p.said("group", strings.Join(filled([]string{d.Group.Name, d.Group.Key}), " · "))
	p.said("course", d.Group.Title.In(p.lang))
	p.said("week", d.Week.String()+": "+clock.Day(d.Week.From(), p.lang)+" – "+clock.Day(d.Week.Until().Add(-1), p.lang))
	p.said("by_name", fmt.Sprint(d.Shared, " ", p.words["by_name.of"], " ", d.Members))
	p.y += 2
	if d.Suppressed {
		p.y = p.block([]string{p.words["kept.why"]}, p.Left, p.y, p.Right-p.Left, p.Size["small"], "sans", "soft", true)
	}
	if len(d.Sessions) == 0 {
		p.y = p.block([]string{p.words["not_begun"]}, p.Left, p.y+4, p.Right-p.Left, p.Size["text"], "sans", "ink", true)
	}
	for _, s := range d.Sessions {
		p.digestOf(s)
	}
}

// digestOf sets one session: what changed, and the counts.
func (p *paper) digestOf(s progress.SessionDigest) {
	p.room(40)
	p.y += 6
	p.put(clean(s.Title.In(p.lang)+" ("+s.Session+")"), p.Left, p.y, p.Size["total"], "sans-bold", "accent")
	p.y += p.Step + 1
	for _, x := range []struct {
		what  string
		names []string
	}{{"began", s.Started}, {"fell_behind", s.FellBehind}, {"certified_now", s.Certified}} {
		said := strings.Join(x.names, ", ")
		if said == "" {
			said = p.words["nobody"]
		}
		p.room(2 * p.Step)
		p.y = p.block([]string{p.words[x.what]}, p.Left, p.y, p.Right-p.Left, p.Size["text"], "sans-bold", "ink", true)
		p.y = p.list(said) + 1
	}
	p.room(12)
	p.head(p.Digest)
	p.heads = p.Digest
	number := func(n *int) string {
		if n == nil {
			return p.words["kept"]
		}
		return strconv.Itoa(*n)
	}
	p.row(p.heads, []string{p.words["all"], number(s.Learners)}, "")
	for _, c := range s.Furthest {
		p.row(p.heads, []string{p.words["stage."+c.Name], number(c.Count)}, "")
	}
	for _, c := range s.Pace {
		p.row(p.heads, []string{p.words["pace."+c.Name], number(c.Count)}, "")
	}
	p.heads = nil
}

// list sets names, however many there are: a paragraph has its longest length.
func (p *paper) list(names string) float64 {
	y := p.y
	for rest := []rune(names); len(rest) > 0; {
		n := min(len(rest), longestMention)
		for n < len(rest) && n > 1 && rest[n-1] != ' ' { // between two words
			n--
		}
		y = p.block([]string{string(rest[:n])}, p.Left, y, p.Right-p.Left, p.Size["text"], "sans", "ink", true)
		rest = rest[n:]
	}
	return y
}
