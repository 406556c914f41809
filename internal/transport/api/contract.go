package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// Public is the scope of operations that need no token.
const Public = "public"

// Scopes are all that a token can have. An operation that names another one does not start.
var Scopes = []string{
	"orders:write", "orders:read", "learning:read", "surveys:answer", "exams:book", "preferences:write",
	"catalog:read", "catalog:write", "programs:write", "workshops:write", "offers:write", "grades:write", "grades:read", "exams:write", "refunds:write", "certificates:write",
	"analytics:read", "operations:read", "accounts:read", "accounts:write", "desk:write", "orders:behalf", "keys:write", "clients:write", "webhooks:write",
	"roles:write", "cohorts:read", "cohorts:write", "lms:write", "statements:read", "exams:proctor",
	"audit:read", "privacy:own", "privacy:write",
	"outreach:write", "coaching:write", "exports:write",
	"labs:read", "labs:write", "labs:help",
}

// What holds where the contract says nothing else.
const (
	maxBytes       = 64 << 10
	timeoutSeconds = 10
)

// What an operation that moves money, keys or roles asks of who calls (x-step-up). A system cannot sign in again: it is held by its key, its
// scopes and its networks. It may pay back with that; it may make neither keys nor roles, which would outlive the key that it has.
const (
	freshPerson   = "person"           // a person who signed in just now
	freshOrSystem = "person-or-system" // the same, or a system
)

// operation is one operation of the contract.
type operation struct {
	id, method, path string
	scope            string
	parameters       []*openapi3.Parameter
	media            map[string]*openapi3.Schema // by type of the body; nil: it takes no body
	anyMedia         bool                        // whatever type it is said to be
	maxBytes         int
	timeout          time.Duration
	stepUp           string // x-step-up: who calls has to have signed in just now
	cached           bool   // x-cache: public; the answer is the same for everybody
}

// takesJSON says whether the body is read as JSON. What may come as a file of another type too is bytes, which the room reads.
func (o *operation) takesJSON() bool { return o.media["application/json"] != nil && len(o.media) == 1 }

// changesPublic says whether the operation may change an answer that is kept.
func (o *operation) changesPublic() bool {
	return o.method != http.MethodGet && (o.scope == "catalog:write" || o.scope == "offers:write")
}

// fiberPath is the path in the words of the router.
func (o *operation) fiberPath() string {
	return strings.NewReplacer("{", ":", "}", "").Replace(o.path)
}

// readContract reads the operations, sorted by path and method, and refuses those that do not say who may.
func readContract(raw []byte) ([]*operation, error) {
	loader := openapi3.NewLoader()
	document, err := loader.LoadFromData(raw)
	if err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	if err := document.Validate(context.Background(), openapi3.EnableExamplesValidation()); err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	var all []*operation
	for path, item := range document.Paths.Map() {
		for method, op := range item.Operations() {
			o, err := readOperation(path, method, item, op)
			if err != nil {
				return nil, fmt.Errorf("openapi.yaml: %s %s: %w", method, path, err)
			}
			all = append(all, o)
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].path+all[i].method < all[j].path+all[j].method })
	return all, nil
}

func readOperation(path, method string, item *openapi3.PathItem, op *openapi3.Operation) (*operation, error) {
	o := &operation{id: op.OperationID, method: method, path: path, maxBytes: maxBytes, timeout: timeoutSeconds * time.Second}
	if o.id == "" {
		return nil, fmt.Errorf("no operationId")
	}
	o.scope, _ = op.Extensions["x-scope"].(string)
	if o.scope != Public && !slices.Contains(Scopes, o.scope) {
		return nil, fmt.Errorf("x-scope %q is neither public nor a known scope", o.scope)
	}
	if secured := op.Security != nil && len(*op.Security) > 0; secured != (o.scope != Public) {
		return nil, fmt.Errorf("security and x-scope contradict each other")
	}
	if mark, ok := op.Extensions["x-step-up"]; ok {
		if o.stepUp, _ = mark.(string); o.stepUp != freshPerson && o.stepUp != freshOrSystem {
			return nil, fmt.Errorf("x-step-up is %s, %s or absent", freshPerson, freshOrSystem)
		}
	}
	if mark, ok := op.Extensions["x-cache"]; ok {
		if o.cached = mark == Public; !o.cached || o.scope != Public || method != http.MethodGet {
			return nil, fmt.Errorf("x-cache is public, on a GET for everybody, or absent")
		}
	}
	for name, apply := range map[string]func(int){
		"x-max-bytes":       func(n int) { o.maxBytes = n },
		"x-timeout-seconds": func(n int) { o.timeout = time.Duration(n) * time.Second },
	} {
		n, err := whole(op, name)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			apply(n)
		}
	}
	for _, p := range append(slices.Clone(item.Parameters), op.Parameters...) {
		if p.Value.Schema == nil || p.Value.In == openapi3.ParameterInCookie {
			return nil, fmt.Errorf("parameter %s is of a kind that is not read", p.Value.Name)
		}
		o.parameters = append(o.parameters, p.Value)
	}
	if op.RequestBody == nil {
		return o, nil
	}
	if method == http.MethodGet || !op.RequestBody.Value.Required {
		return nil, fmt.Errorf("a body is required, or there is none")
	}
	o.media = map[string]*openapi3.Schema{}
	for name, m := range op.RequestBody.Value.Content {
		o.media[name] = m.Schema.Value
		o.anyMedia = o.anyMedia || name == "*/*"
	}
	return o, nil
}

// whole reads a positive whole number of an extension; 0 where it is absent. The loader gives numbers of JSON.
func whole(op *openapi3.Operation, name string) (int, error) {
	v, ok := op.Extensions[name]
	if !ok {
		return 0, nil
	}
	n, err := strconv.Atoi(fmt.Sprintf("%.0f", v))
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s is no positive number", name)
	}
	return n, nil
}
