package web

import (
	"slices"

	"cursus/internal/kernel/fault"
	"cursus/templates/mails"
)

// The mails as people get them, for those who answer for their words.

func (w *Web) mailRoutes() []route {
	return []route{
		{method: "GET", path: "/console/mails", who: staff, handle: w.mailList},
		{method: "GET", path: "/console/mails/:name.html", who: staff, handle: w.mailPage},
	}
}

// mailPolicy lets a mail have the style that it carries, and nothing else.
const mailPolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// sampleMail is one mail with invented facts, in one language.
type sampleMail struct {
	Name, Lang string
	mails.Mail
}

func (w *Web) mailList(r *request) (reply, error) {
	lang := mailLang(r)
	var all []sampleMail
	for _, name := range mails.Names() {
		m, err := mails.Write(name, lang, mails.Sample())
		if err != nil {
			return reply{}, err
		}
		all = append(all, sampleMail{name, lang, m})
	}
	return reply{page: "mails", title: "mails.title", data: all}, nil
}

var errNoMail = fault.New(fault.NotFound, "no-such-mail", "There is no such mail.")

func (w *Web) mailPage(r *request) (reply, error) {
	name := r.param("name")
	if !slices.Contains(mails.Names(), name) {
		return reply{}, errNoMail
	}
	m, err := mails.Write(name, mailLang(r), mails.Sample())
	return reply{file: &File{Name: name + ".html", ContentType: "text/html; charset=utf-8", Content: []byte(m.HTML)}, inline: true, policy: mailPolicy}, err
}

// mailLang is the language that was asked for, or else the reader's own.
func mailLang(r *request) string {
	if l := r.query("in"); l == "en" || l == "fr" {
		return l
	}
	return r.lang
}
