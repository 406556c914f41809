package web

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// due are the forms that ask for who signed in just now, with the acts of theirs that do; none: whatever the act.
var due = map[string][]string{
	"/console/orders/:id/refunds": nil, "/console/refunds/:id": nil, "/console/refunds/:id/repayment": nil, "/orders/:id/seats": {"giveback"},
	"/console/desk/reversal": nil, "/console/money": {"return", "paid"}, "/console/issuers/:key": nil,
	"/console/clients": nil, "/console/clients/:id": nil, "/partners/:key/systems": nil, "/partners/:key/systems/:id": nil,
	"/partners/:key": nil, "/console/behalf": {"put", "drop"},
	"/console/providers": nil, "/console/providers/:id": nil, "/console/platforms": nil, "/console/platforms/:key": {"save"}, "/console/lab-providers": nil, "/console/lab-providers/:key": nil,
	"/console/proctors": nil, "/console/proctors/:key": {"save", "rotate"},
	"/privacy": {"erase"}, "/console/privacy": {"approve", "erase"},
}

// calm are the forms whose address sounds like one of those, with the reason why they ask for no fresh sign-in.
var calm = map[string]string{
	"/orders/:id/withdrawal": "her own right: what she paid goes back the way it came", "/orders/:id/cancel": "nothing was paid", "/orders/:id/card": "it ends what may be taken of her",
	"/console/partners/settlements": "it writes down what came in", "/console/money/statement": "it writes down what came in", "/console/desk": "it writes down what came in",
	"/console/organisations": "names of organisations alone", "/console/offers/:id/withdraw": "what is sold no more; what was sold stays",
	"/console/webhooks": "its secret signs what we tell: it opens nothing here", "/console/webhooks/:id": "the same", "/organisation/webhooks": "the same",
	"/organisation/webhooks/:id": "the same", "/console/webhooks/:id/deliveries/:delivery": "what was told is told again, to the same address",
	"/organisation/webhooks/:id/deliveries/:delivery": "the same", "/exams/lti/:provider/start": "what a provider signed says that who sits is set up",
}

// Each form that moves money back, makes or ends keys, gives roles, or rewrites what money or sign-ins rest upon asks for who signed in just
// now, with each of its acts, and nobody is asked for more. A new form whose address sounds like one of them has to be in one of the lists.
func TestFormsThatMoveMoneyKeysAndRolesAskForAFreshSignIn(t *testing.T) {
	sounds := regexp.MustCompile(`refund|repay|revers|money|withdraw|cancel|card|desk|settle|issuer|client|system|key|hook|role|partner|manager|behalf|organisations|provider|platform|privacy|erasure|secret`)
	seen := map[string]bool{}
	for _, rt := range (&Web{}).routes() {
		if rt.method != "POST" {
			continue
		}
		asks := func(act string) bool {
			return rt.fresh != nil && rt.fresh(&request{form: func(name string) string { return map[string]string{"do": act}[name] }})
		}
		acts, is := due[rt.path]
		_, excused := calm[rt.path]
		seen[rt.path] = true
		switch {
		case !is && rt.fresh != nil:
			t.Errorf("%s asks for a fresh sign-in and is not in the list", rt.path)
		case !is && !excused && sounds.MatchString(strings.ReplaceAll(rt.path, ":key", "")):
			t.Errorf("%s: does it move money back, or rewrite keys, roles, or what they rest upon? Then it is due, otherwise calm with a reason", rt.path)
		case is && len(acts) == 0 && !asks(""), is && len(acts) > 0 && asks(""):
			t.Errorf("%s, another act: it asks %v", rt.path, asks(""))
		}
		for _, act := range acts {
			if !asks(act) {
				t.Errorf("%s does %q without a fresh sign-in", rt.path, act)
			}
		}
		if rt.upload && is {
			t.Errorf("%s carries a file, which does not wait on the page that asks", rt.path)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(due)) {
		if !seen[path] {
			t.Error("there is no form", path)
		}
	}
	for path := range calm {
		if !seen[path] || calm[path] == "" {
			t.Error("there is no form, or no reason:", path)
		}
	}
}
