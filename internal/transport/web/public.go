package web

import (
	"crypto/subtle"
	"net/mail"
	"net/url"
	"strings"

	"cursus/internal/domain/identity"
	"cursus/internal/kernel/fault"
)

func (w *Web) catalogue(r *request) (reply, error) {
	c, err := w.house.Catalogue(r.ctx)
	return reply{page: "catalogue", title: "catalogue.title", data: c}, err
}

func (w *Web) course(r *request) (reply, error) {
	c, err := w.house.Course(r.ctx, r.param("key"))
	return reply{page: "course", title: c.Title.In(r.lang), data: c}, err
}

func (w *Web) session(r *request) (reply, error) {
	s, err := w.house.Session(r.ctx, r.viewer, r.param("key"), strings.TrimSpace(r.query("voucher")))
	return reply{page: "session", title: s.Title.In(r.lang), data: s}, err
}

// signing is what the sign-in pages show.
type signing struct {
	Next, Email, Token string
	Providers          []identity.Provider
}

func (w *Web) signIn(r *request) (reply, error) {
	if r.viewer.Known() {
		return reply{redirect: local(r.query("next"))}, nil
	}
	providers, err := w.house.SignInBy(r.ctx)
	return reply{page: "signin", title: "signin.title", data: signing{Next: local(r.query("next")), Providers: providers}}, err
}

func (w *Web) sendLink(r *request) (reply, error) {
	email := strings.TrimSpace(r.form("email"))
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Address != email || len(email) > 254 {
		return reply{}, fault.InvalidInput(fault.Field{Pointer: "email", Code: "bad-email", Detail: email})
	}
	if err := w.house.SendSignInLink(r.ctx, email, local(r.form("next")), r.lang); err != nil {
		return reply{}, err
	}
	return reply{page: "sent", title: "signin.sent.title", data: signing{Email: email}}, nil
}

// openLink only shows a button: programs that look into mails follow links, and a link is spent by pressing, not by looking.
func (w *Web) openLink(r *request) (reply, error) {
	return reply{page: "openlink", title: "signin.open.title", data: signing{Token: r.param("token")}}, nil
}

func (w *Web) redeemLink(r *request) (reply, error) {
	opened, err := w.house.RedeemSignInLink(r.ctx, r.param("token"), r.secret)
	if err != nil {
		return reply{}, err
	}
	next := "/learning"
	if opened.Next != "" {
		next = local(opened.Next)
	}
	return reply{redirect: next, session: opened.begun()}, nil
}

func (w *Web) signOut(r *request) (reply, error) {
	if r.secret == "" {
		return reply{redirect: "/"}, nil
	}
	left, err := w.house.SignOut(r.ctx, r.secret)
	if err != nil || left.Provider == "" {
		return reply{redirect: "/", signOut: true}, err
	}
	return reply{page: "signedout", title: "signedout.title", data: left, signOut: true, flow: &left.State}, nil
}

// signedOut is where a provider sends her back once she signed out there too; whoever comes without having left is told nothing of that.
func (w *Web) signedOut(r *request) (reply, error) {
	none := ""
	there := r.flow != "" && subtle.ConstantTimeCompare([]byte(r.flow), []byte(r.query("state"))) == 1
	return reply{page: "signedout", title: "signedout.title", data: identity.Leaving{State: map[bool]string{true: "there"}[there]}, flow: &none}, nil
}

func (w *Web) verifyForm(r *request) (reply, error) {
	if code := strings.TrimSpace(r.query("code")); code != "" {
		return reply{redirect: "/verify/" + url.PathEscape(code)}, nil
	}
	return reply{page: "verifyform", title: "verify.title"}, nil
}

// verify answers unknown codes as a page of their own, with the status of what is not there.
func (w *Web) verify(r *request) (reply, error) {
	v, err := w.house.Verify(r.ctx, r.param("code"))
	if err != nil {
		return reply{}, err
	}
	out := reply{page: "verify", title: "verify.title", data: v}
	if v.State == "unknown" {
		out.status = 404
	}
	return out, nil
}

func (w *Web) showDocs(*request) (reply, error) {
	if w.docs == nil {
		return reply{}, fault.New(fault.NotFound, "no-contract", "The contract is not part of this installation.")
	}
	return reply{page: "docs", title: "docs.title", data: w.docs}, nil
}

func (w *Web) showDocsOf(r *request) (reply, error) {
	if w.docs != nil {
		for _, g := range w.docs.Groups {
			if g.Path() == "/docs/"+r.param("area") {
				return reply{page: "docs_area", title: "docs.title", data: g}, nil
			}
		}
	}
	return reply{}, fault.New(fault.NotFound, "no-area", "The contract has no such area.")
}

func (w *Web) contractFile(*request) (reply, error) {
	if w.docs == nil {
		return reply{}, fault.New(fault.NotFound, "no-contract", "The contract is not part of this installation.")
	}
	return reply{file: &File{"openapi.yaml", "application/yaml", w.contract}, inline: true}, nil
}
