package stripesandbox

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"cursus/internal/kernel/money"
)

//go:embed pages/pay.html
var pageFiles embed.FS

var payPage = template.Must(template.ParseFS(pageFiles, "pages/pay.html"))

// words of the pay page, in the two languages of the house.
var words = map[string]map[string]string{
	"en": {
		"test": "TEST MODE · no real money moves on this page", "pay": "Pay", "card": "Card number or test IBAN", "name": "Name on the card",
		"cancel": "Cancel and go back", "step": "3-D Secure", "stepText": "The bank of this test card asks whether it is really you.",
		"complete": "Complete authentication", "fail": "Fail authentication", "complete_state": "This payment is complete.",
		"expired_state": "This pay page has expired.", "cards": "Test numbers", "email": "E-mail",
		"incorrect_number": "This is not one of the test numbers below.", "card_declined": "The card was declined. Try another one.",
		"insufficient_funds": "The card has insufficient funds. Try another one.", "other": "The payment did not succeed. Try another card.",
		"payment_intent_authentication_failure": "The bank could not confirm that it is you. Try again or use another card.",
		"leave":                                 "Leave a card for later payments", "save": "Save the card", "t_always": "asks for the 3-D Secure step, and again at each later payment", "t_later": "asks for the 3-D Secure step; later payments have insufficient funds",
		"t_ok": "pays", "t_3ds": "asks for the 3-D Secure step", "t_decline": "is declined", "t_funds": "has insufficient funds",
		"t_dispute": "pays and is disputed at once", "t_sepa": "SEPA debit, pays later", "t_sepafail": "SEPA debit, fails later",
	},
	"fr": {
		"test": "MODE TEST · aucun argent réel ne circule sur cette page", "pay": "Payer", "card": "Numéro de carte ou IBAN de test", "name": "Nom sur la carte",
		"cancel": "Annuler et revenir", "step": "3-D Secure", "stepText": "La banque de cette carte de test demande si c’est bien vous.",
		"complete": "Réussir l’authentification", "fail": "Échouer l’authentification", "complete_state": "Ce paiement est terminé.",
		"expired_state": "Cette page de paiement a expiré.", "cards": "Numéros de test", "email": "Courriel",
		"incorrect_number": "Ce n’est pas un des numéros de test ci-dessous.", "card_declined": "La carte a été refusée. Essayez-en une autre.",
		"insufficient_funds": "Provision insuffisante. Essayez une autre carte.", "other": "Le paiement n’a pas abouti. Essayez une autre carte.",
		"payment_intent_authentication_failure": "La banque n’a pas pu confirmer que c’est vous. Réessayez ou prenez une autre carte.",
		"leave":                                 "Enregistrer une carte pour les paiements à venir", "save": "Enregistrer la carte", "t_always": "demande l’étape 3-D Secure, et à chaque paiement ultérieur", "t_later": "demande l’étape 3-D Secure ; sans provision aux paiements ultérieurs",
		"t_ok": "paie", "t_3ds": "demande l’étape 3-D Secure", "t_decline": "est refusée", "t_funds": "n’a pas de provision",
		"t_dispute": "paie, puis conteste aussitôt", "t_sepa": "prélèvement SEPA, paie plus tard", "t_sepafail": "prélèvement SEPA, échoue plus tard",
	},
}

// view is what the pay page shows.
type view struct {
	Lang, Item, Amount, Email, Cancel, State, Error, Number string
	Step, Sepa                                              bool
	W                                                       map[string]string
}

func (s *Sandbox) viewOf(row *sessionRow, r *http.Request) view {
	lang := "en"
	if row.S.Locale != nil && strings.HasPrefix(*row.S.Locale, "fr") ||
		(row.S.Locale == nil || *row.S.Locale == "auto") && strings.HasPrefix(r.Header.Get("Accept-Language"), "fr") {
		lang = "fr"
	}
	v := view{Lang: lang, Item: row.ItemName, State: row.S.Status, W: words[lang], Step: row.Authenticate != ""}
	if row.S.AmountTotal != nil {
		v.Amount = inUnits(*row.S.AmountTotal, row.S.Currency).Format(lang)
	} else {
		v.Item = v.W["leave"]
	}
	if row.S.CustomerEmail != nil {
		v.Email = *row.S.CustomerEmail
	}
	if row.S.CancelURL != nil {
		v.Cancel = expandURL(*row.S.CancelURL, row.S.ID)
	}
	for _, m := range row.S.PaymentMethodTypes {
		v.Sepa = v.Sepa || m == "sepa_debit"
	}
	return v
}

// inUnits reads a number of Stripe's wire as an amount: it counts some currencies in other units than people do.
func inUnits(number int64, code string) money.Amount {
	switch {
	case slices.Contains(noFraction, code):
		number /= 100
	case code == "mga":
		number *= 100
	}
	return money.Of(number, money.Currency(strings.ToUpper(code)))
}

func expandURL(raw, id string) string {
	return strings.ReplaceAll(raw, "{CHECKOUT_SESSION_ID}", url.QueryEscape(id))
}

func (s *Sandbox) showPayPage(w http.ResponseWriter, r *http.Request) {
	s.book.mu.Lock()
	row, ok := s.book.sessions.get(r.PathValue("id"))
	var v view
	if ok {
		v = s.viewOf(row, r)
	}
	s.book.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	show(w, http.StatusOK, v)
}

func show(w http.ResponseWriter, status int, v view) {
	var b bytes.Buffer
	if err := payPage.Execute(&b, v); err != nil {
		http.Error(w, "The page could not be made.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the browser went away
}

// submitPayPage is the buyer pressing a button: pay, or the end of the 3-D Secure step.
func (s *Sandbox) submitPayPage(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "The form cannot be read.", http.StatusBadRequest)
		return
	}
	var v view
	goTo := ""
	_, bad := s.change("", "", func(c *change) (any, *apiError) {
		row, ok := c.sessions.get(r.PathValue("id"))
		if !ok {
			return nil, missing("checkout.session", r.PathValue("id"))
		}
		var out outcome
		var bad *apiError
		switch step := r.PostForm.Get("authenticate"); {
		case row.S.Status != "open":
		case step != "":
			out, bad = c.authenticate(row, step == "complete")
		default:
			out, bad = c.pay(row, r.PostForm.Get("number"), r.PostForm.Get("name"))
		}
		if row.S.Status == "complete" {
			goTo = expandURL(row.S.SuccessURL, row.S.ID)
		}
		v = s.viewOf(row, r)
		switch {
		case bad != nil:
			v.Error = problem(v.W, &bad.errorBody)
		case out.Error != nil:
			v.Error = problem(v.W, out.Error)
		}
		return nil, nil
	})
	switch {
	case bad != nil && bad.Status == http.StatusNotFound:
		http.NotFound(w, r)
	case bad != nil:
		http.Error(w, bad.Message, bad.Status)
	case goTo != "":
		http.Redirect(w, r, goTo, http.StatusSeeOther)
	case v.Step && v.Error == "":
		http.Redirect(w, r, r.URL.Path, http.StatusSeeOther)
	case v.Error != "":
		show(w, http.StatusPaymentRequired, v)
	default:
		show(w, http.StatusOK, v)
	}
}

func problem(w map[string]string, e *errorBody) string {
	for _, code := range []string{e.DeclineCode, e.Code} {
		if text, ok := w[code]; ok && code != "" {
			return text
		}
	}
	return w["other"]
}
