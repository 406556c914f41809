package stripesandbox

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

const maxBody = 1 << 20

// errorBody is Stripe's error object.
type errorBody struct {
	Type        string `json:"type"`
	Code        string `json:"code,omitempty"`
	DeclineCode string `json:"decline_code,omitempty"`
	Message     string `json:"message"`
	Param       string `json:"param,omitempty"`
	DocURL      string `json:"doc_url,omitempty"`
	Charge      string `json:"charge,omitempty"`

	PaymentIntent *intent `json:"payment_intent,omitempty"`
}

// apiError is an error object with its HTTP status. An error about the parameters is not kept under the idempotency key.
type apiError struct {
	errorBody
	Status int
	params bool
}

func badParam(param, code, message string) *apiError {
	return &apiError{errorBody{Type: "invalid_request_error", Code: code, Message: message, Param: param}, http.StatusBadRequest, true}
}

func badState(code, message string) *apiError {
	return &apiError{errorBody{Type: "invalid_request_error", Code: code, Message: message}, http.StatusBadRequest, false}
}

func missing(what, id string) *apiError {
	return &apiError{errorBody{
		Type: "invalid_request_error", Code: "resource_missing", Message: "No such " + what + ": '" + id + "'", Param: "id",
	}, http.StatusNotFound, true}
}

var errBroken = &apiError{errorBody{Type: "api_error", Message: "The sandbox could not write its book."}, http.StatusInternalServerError, true}

// form is a decoded request: flat keys with brackets, as Stripe's clients send them.
type form struct{ url.Values }

func (f form) text(key string) *string {
	if !f.Has(key) {
		return nil
	}
	v := f.Get(key)
	return &v
}

// tree collects key[name]=value pairs such as metadata.
func (f form) tree(key string) map[string]string {
	out := map[string]string{}
	for k := range f.Values {
		if name, ok := strings.CutPrefix(k, key+"["); ok && strings.HasSuffix(name, "]") {
			if v := f.Get(k); v != "" {
				out[strings.TrimSuffix(name, "]")] = v
			}
		}
	}
	return out
}

func (f form) whole(key string) (v int64, given bool, bad *apiError) {
	if !f.Has(key) {
		return 0, false, nil
	}
	v, err := strconv.ParseInt(f.Get(key), 10, 64)
	if err != nil {
		return 0, true, badParam(key, "parameter_invalid_integer", "Invalid integer: "+f.Get(key))
	}
	return v, true, nil
}

// only refuses parameters that the sandbox does not know, so that it never ignores what the real Stripe would obey.
func (f form) only(names ...string) *apiError {
	for k := range f.Values {
		top, _, _ := strings.Cut(k, "[")
		known := false
		for _, n := range names {
			known = known || top == n
		}
		if !known {
			return badParam(top, "parameter_unknown", "Received unknown parameter: "+top)
		}
	}
	for k, v := range f.tree("metadata") {
		if len(k) > 40 || len(v) > 500 {
			return badParam("metadata", "", "Metadata keys have at most 40 characters and values at most 500.")
		}
	}
	return nil
}

// handler is one operation of the API.
type handler func(c *change, f form, id string) (any, *apiError)

// api wraps an operation with what all of Stripe's operations share: key check, request id, idempotency, error objects.
func (s *Sandbox) api(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		requestID := newID("req")
		w.Header().Set("Request-Id", requestID)
		w.Header().Set("Stripe-Version", apiVersion)
		if !s.authorized(r) {
			writeError(w, &apiError{errorBody{Type: "invalid_request_error", Message: "Invalid API Key provided."}, http.StatusUnauthorized, true})
			return
		}
		if v := r.Header.Get("Stripe-Version"); v != "" && v != apiVersion {
			writeError(w, badParam("", "", "The sandbox speaks API version "+apiVersion+" only, not "+v+"."))
			return
		}
		f, bad := readForm(r)
		if bad != nil {
			writeError(w, bad)
			return
		}
		key := ""
		if r.Method == http.MethodPost {
			if key = r.Header.Get("Idempotency-Key"); len(key) > 255 {
				writeError(w, &apiError{errorBody{Type: "invalid_request_error", Message: "Idempotency keys have at most 255 characters."}, http.StatusBadRequest, true})
				return
			}
		}
		if key != "" {
			w.Header().Set("Idempotency-Key", key)
		}
		sum := sha256.Sum256([]byte(r.Method + " " + r.URL.Path + "\n" + f.Encode()))
		rep, replayed, bad := s.execute(requestID, key, hex.EncodeToString(sum[:]), func(c *change) (any, *apiError) {
			return h(c, f, r.PathValue("id"))
		})
		if bad != nil {
			writeError(w, bad)
			return
		}
		if replayed {
			w.Header().Set("Idempotent-Replayed", "true")
			w.Header().Set("Original-Request", rep.RequestID)
		}
		writeRaw(w, rep.Status, rep.Body)
	}
}

func (s *Sandbox) authorized(r *http.Request) bool {
	got := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if user, _, ok := r.BasicAuth(); ok {
		got = user
	}
	return subtle.ConstantTimeCompare([]byte(got), []byte(s.cfg.SecretKey)) == 1
}

func readForm(r *http.Request) (form, *apiError) {
	values := r.URL.Query()
	if r.Method == http.MethodPost {
		raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
		if err != nil || len(raw) > maxBody {
			return form{}, badParam("", "", "The request body cannot be read or is too large.")
		}
		body, err := url.ParseQuery(string(raw))
		if err != nil {
			return form{}, badParam("", "", "The request body is not form-encoded.")
		}
		for k, v := range body {
			values[k] = append(values[k], v...)
		}
	}
	if wanted := append(values["expand[0]"], values["expand[]"]...); len(wanted) > 0 && (r.URL.Path != transactionsPath || len(wanted) > 1 || wanted[0] != "data.source") {
		return form{}, badParam("expand", "", "The sandbox expands nothing but data.source of balance transactions.")
	}
	return form{values}, nil
}

const replyKept = 24 * 3600 // seconds, as Stripe keeps them at least

// execute runs an operation once per idempotency key. The operation's effects and its stored reply are one commit.
func (s *Sandbox) execute(requestID, key, fingerprint string, do func(*change) (any, *apiError)) (rep reply, replayed bool, bad *apiError) {
	if key != "" {
		s.book.mu.Lock()
		old, ok := s.book.replies[key]
		s.book.mu.Unlock()
		if ok && s.cfg.Clock.Now().Unix()-old.At < replyKept {
			return replay(old, key, fingerprint)
		}
	}
	_, bad = s.change(requestID, key, func(c *change) (any, *apiError) {
		if old, ok := c.replies[key]; ok && key != "" && c.now.Unix()-old.At < replyKept {
			var again *apiError // another request with the key came in between
			rep, replayed, again = replay(old, key, fingerprint)
			return nil, again
		}
		out, failed := do(c)
		if failed != nil && (failed.params || key == "") {
			return nil, failed
		}
		rep = reply{Fingerprint: fingerprint, Status: http.StatusOK, RequestID: requestID, At: c.now.Unix()}
		var err error
		if failed != nil {
			rep.Status = failed.Status
			rep.Body, err = json.Marshal(map[string]any{"error": failed.errorBody})
		} else {
			rep.Body, err = json.Marshal(out)
		}
		if err != nil {
			return nil, errBroken
		}
		if key != "" {
			c.replies[key] = rep
			c.touch("reply", key, &rep)
		}
		return nil, nil
	})
	return rep, replayed, bad
}

func replay(old reply, key, fingerprint string) (reply, bool, *apiError) {
	if old.Fingerprint == fingerprint {
		return old, true, nil
	}
	return reply{}, false, &apiError{errorBody{
		Type: "idempotency_error",
		Message: "Keys for idempotent requests can only be used with the same parameters they were first used with. " +
			"Try using a key other than '" + key + "' if you meant to execute a different request.",
	}, http.StatusBadRequest, true}
}

// change runs do under the book's lock and commits what it touched, then hands the new events to the courier.
func (s *Sandbox) change(requestID, key string, do func(*change) (any, *apiError)) (any, *apiError) {
	b := s.book
	b.mu.Lock()
	if b.broken != nil {
		b.mu.Unlock()
		return nil, errBroken
	}
	c := &change{book: b, cfg: &s.cfg, now: s.cfg.Clock.Now(), requestID: requestID, key: key}
	out, bad := do(c)
	n, err := c.commit()
	b.mu.Unlock()
	if err == nil && n > 0 {
		err = b.journal.settle(n, func() int64 { b.mu.Lock(); defer b.mu.Unlock(); return b.journal.written })
	}
	if err != nil {
		s.cfg.Log.Error("stripe sandbox book", "error", err)
		return nil, errBroken
	}
	for _, e := range c.events {
		s.post.enqueue(e)
	}
	return out, bad
}

func writeError(w http.ResponseWriter, e *apiError) {
	raw, err := json.Marshal(map[string]any{"error": e.errorBody})
	if err != nil {
		raw = []byte(`{"error":{"type":"api_error","message":"unreadable"}}`)
	}
	writeRaw(w, e.Status, raw)
}

func writeRaw(w http.ResponseWriter, status int, raw []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(raw) // the client went away
}

// list answers Stripe's list objects: newest first, limit 1 to 100, starting_after, created bounds.
func list[T any](f form, s *shelf[T], path string, created func(*T) int64, keep func(*T) bool) (any, *apiError) {
	limit, given, bad := f.whole("limit")
	if bad != nil {
		return nil, bad
	}
	if !given {
		limit = 10
	}
	if limit < 1 || limit > 100 {
		return nil, badParam("limit", "parameter_invalid_integer", "limit is 1 to 100.")
	}
	from := len(s.rows) - 1
	if after := f.Get("starting_after"); after != "" {
		i, ok := s.place[after]
		if !ok {
			return nil, missing("object", after)
		}
		from = i - 1
	}
	least, most, bad := createdBounds(f)
	if bad != nil {
		return nil, bad
	}
	data, more := []*T{}, false
	for i := from; i >= 0; i-- {
		if at := created(s.rows[i]); at < least || at > most || !keep(s.rows[i]) {
			continue
		}
		if int64(len(data)) == limit {
			more = true
			break
		}
		data = append(data, s.rows[i])
	}
	return map[string]any{"object": "list", "url": path, "has_more": more, "data": data}, nil
}

func createdBounds(f form) (least, most int64, bad *apiError) {
	least, most = 0, 1<<62
	for key, set := range map[string]func(int64){
		"created":      func(v int64) { least, most = v, v },
		"created[gte]": func(v int64) { least = max(least, v) },
		"created[gt]":  func(v int64) { least = max(least, v+1) },
		"created[lte]": func(v int64) { most = min(most, v) },
		"created[lt]":  func(v int64) { most = min(most, v-1) },
	} {
		v, given, bad := f.whole(key)
		if bad != nil {
			return 0, 0, bad
		}
		if given {
			set(v)
		}
	}
	return least, most, nil
}
