package api

import (
	"context"
	"errors"
	"log/slog"
	"mime"
	"regexp"
	"slices"
	"strings"
	"time"

	"cursus/internal/domain/identity"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
)

// Options configure the API.
type Options struct {
	Rooms Rooms
	// Authenticate says who a bearer token is of. An Unauthenticated fault means nobody.
	Authenticate func(ctx context.Context, secret string) (Principal, error)
	Contract     []byte       // openapi.yaml
	Log          *slog.Logger // nil: says nothing
	Clock        clock.Clock  // nil: the machine's
	Cache        *Cache       // nil: nothing is kept
	// Uploads is how many bodies larger than 1 MiB are held at the same time; 0: two.
	Uploads int
}

// API holds the operations of the contract, read once.
type API struct {
	operations   []*operation
	handlers     handlers
	authenticate func(ctx context.Context, secret string) (Principal, error)
	log          *slog.Logger
	clock        clock.Clock
	uploads      chan struct{}
	cache        *Cache
	limits       limits
}

// New reads the contract and refuses one whose operations do not all have a known scope.
func New(o Options) (*API, error) {
	if o.Rooms == nil || o.Authenticate == nil {
		return nil, errors.New("api: no rooms, or nobody who knows the tokens")
	}
	operations, err := readContract(o.Contract)
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Uploads == 0 {
		o.Uploads = 2
	}
	return &API{
		operations: operations, handlers: handlers{o.Rooms}, authenticate: o.Authenticate, log: o.Log, clock: o.Clock,
		uploads: make(chan struct{}, o.Uploads), cache: o.Cache,
	}, nil
}

// freshLife is how long who signed in counts as having done so just now.
const freshLife = identity.FreshLife

// large is the size beyond which a body counts as an upload.
const large = 1 << 20

var (
	saneID    = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	saneToken = regexp.MustCompile(`^[A-Za-z0-9._~+/=-]{1,512}$`)
)

// requestID keeps the caller's id where it is one, and makes one otherwise.
func requestID(theirs string) string {
	if saneID.MatchString(theirs) {
		return theirs
	}
	return ident.Secret(10)
}

// admit says who asks, and whether she may. authorization are all values of that header.
func (a *API) admit(ctx context.Context, o *operation, authorization []string) (Principal, error) {
	if o.scope == Public {
		return Principal{Actor: "public"}, nil
	}
	if len(authorization) != 1 {
		return Principal{}, errNoToken
	}
	scheme, secret, _ := strings.Cut(authorization[0], " ")
	if !strings.EqualFold(scheme, "Bearer") || !saneToken.MatchString(secret) {
		return Principal{}, errNoToken
	}
	who, err := a.authenticate(ctx, secret)
	if err != nil {
		return Principal{}, err
	}
	if who.PersonID == "" || who.Actor == "" {
		return Principal{}, errNoToken
	}
	if !slices.Contains(who.Scopes, o.scope) {
		return Principal{}, errNoScope.Detailf("This needs the scope %s.", o.scope)
	}
	if err := o.checkStepUp(who, a.clock.Now()); err != nil {
		return Principal{}, err
	}
	if !who.Reaches(o.scope) {
		who.Actor = "learner:" + who.PersonID
	}
	return who, nil
}

// Wider says with which scopes of staff one that everybody has for her own things reaches those of everybody. Staff who have none of them
// are learners there: an officer who writes courses neither reads nor cancels anybody's order.
var Wider = map[string][]string{
	"orders:read":    {"operations:read", "accounts:read", "refunds:write"},
	"orders:write":   {"orders:behalf"},
	"learning:read":  {"grades:read", "certificates:write", "orders:behalf"},
	"exams:book":     {"exams:write"},
	"webhooks:write": {"orders:behalf"},
	"privacy:own":    {"privacy:write"},
}

// Reaches says whether she acts as staff where an operation asks for a scope.
func (p Principal) Reaches(scope string) bool {
	if p.Desk {
		return scope == "desk:write"
	}
	staff := Wider[scope]
	return len(staff) == 0 || slices.ContainsFunc(staff, func(s string) bool { return slices.Contains(p.Scopes, s) })
}

// checkStepUp refuses who has not signed in just now, where the operation asks for that.
func (o *operation) checkStepUp(who Principal, now time.Time) error {
	switch {
	case o.stepUp == "", o.stepUp == freshOrSystem && who.Client != "":
		return nil
	case who.Client != "":
		return errPersonOnly
	case who.ProvenAt.IsZero(), now.Sub(who.ProvenAt) > freshLife:
		return errStepUp
	}
	return nil
}

// checkHead refuses a body that must not be read: compressed, of the wrong type, or too large by its own saying. length is what
// Content-Length says; -1: it comes in chunks.
func (o *operation) checkHead(contentEncoding, contentType string, length int) error {
	if o.media == nil {
		if length > 0 || length == -1 {
			return errBody
		}
		return nil
	}
	if contentEncoding != "" {
		return errEncoding
	}
	if !o.anyMedia {
		media, parameters, err := mime.ParseMediaType(contentType)
		charset := parameters["charset"]
		if err != nil || o.media[media] == nil || media == "application/json" && charset != "" && !strings.EqualFold(charset, "utf-8") {
			return errMediaType.Detailf("The body is sent as %s.", strings.Join(o.types(), " or "))
		}
	}
	if length > o.maxBytes {
		return o.tooLarge()
	}
	return nil
}

func (o *operation) types() (all []string) {
	for name := range o.media {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

func (o *operation) tooLarge() error {
	return errTooLarge.Detailf("The body has more than %d bytes.", o.maxBytes)
}

// checkBody reads a body as the contract wants it. The value is what was decoded; nil where the body is bytes.
func (o *operation) checkBody(raw []byte) (any, error) {
	if len(raw) == 0 {
		return nil, errNoBody
	}
	if !o.takesJSON() {
		return nil, nil
	}
	v, err := decode(raw)
	if err != nil {
		return nil, err
	}
	return v, checkBody(o.media["application/json"], v)
}

// entry is a line of the access log. It names the operation and not the address, whose parts may say who somebody is.
type entry struct {
	requestID, operation, method string
	status, bytesIn, bytesOut    int
	began                        time.Time
	err                          error
}

func (a *API) note(ctx context.Context, e entry) {
	attributes := []any{
		"request", e.requestID, "operation", e.operation, "method", e.method, "status", e.status, "bytes_in", e.bytesIn, "bytes_out", e.bytesOut,
		"ms", a.clock.Now().Sub(e.began).Milliseconds(),
	}
	if e.err != nil {
		attributes = append(attributes, "code", fault.From(e.err).Code)
	}
	if e.status >= 500 {
		a.log.ErrorContext(ctx, "request failed", append(attributes, "error", e.err)...)
		return
	}
	a.log.InfoContext(ctx, "request", attributes...)
}
