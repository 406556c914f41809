package stripesandbox_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stripe/stripe-mock/embedded"
)

// The judges were not written by us: Stripe's published schema of API 2023-10-16 judges what the sandbox says, and
// Stripe's own stripe-mock of the same version judges what we ask.

var stripeSpec = sync.OnceValues(func() (*openapi3.T, error) {
	return openapi3.NewLoader().LoadFromData(embedded.OpenAPISpec)
})

// judgeObject validates one object, or a list of objects, against the schema that bears its name.
func judgeObject(raw []byte) error {
	spec, err := stripeSpec()
	if err != nil {
		return err
	}
	var v map[string]any
	if err := json.Unmarshal(raw, &v); err != nil {
		return fmt.Errorf("%w in %s", err, raw)
	}
	if _, isError := v["error"]; isError {
		return judgeAs(spec, "error", v)
	}
	name, _ := v["object"].(string)
	switch name {
	case "list":
		if v["url"] == nil || v["has_more"] == nil {
			return fmt.Errorf("a list without url or has_more")
		}
		for _, item := range v["data"].([]any) {
			one, err := json.Marshal(item)
			if err != nil {
				return err
			}
			if err := judgeObject(one); err != nil {
				return err
			}
		}
		return nil
	case "event":
		inside, err := json.Marshal(v["data"].(map[string]any)["object"])
		if err != nil {
			return err
		}
		if err := judgeObject(inside); err != nil {
			return fmt.Errorf("inside %v: %w", v["type"], err)
		}
	}
	return judgeAs(spec, name, v)
}

func judgeAs(spec *openapi3.T, name string, v map[string]any) error {
	ref, ok := spec.Components.Schemas[name]
	if !ok {
		return fmt.Errorf("Stripe has no object %q", name)
	}
	if err := ref.Value.VisitJSON(v, openapi3.MultiErrors()); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if path := strangeKey(ref.Value, v, 0); path != "" {
		return fmt.Errorf("%s: Stripe does not send %s", name, path)
	}
	return nil
}

// strangeKey finds a field that the schema does not name. Stripe's schema lets such fields pass, so that a misspelt
// optional field would never be noticed.
func strangeKey(s *openapi3.Schema, v any, depth int) string {
	switch v := v.(type) {
	case []any:
		if s.Items != nil {
			for _, item := range v {
				if path := strangeKey(s.Items.Value, item, depth+1); path != "" {
					return path
				}
			}
		}
	case map[string]any:
		if len(s.AnyOf) > 0 {
			best := ""
			for _, alternative := range s.AnyOf {
				if !alternative.Value.Type.Is("object") || alternative.Value.VisitJSON(v) != nil {
					continue
				}
				if best = strangeKey(alternative.Value, v, depth+1); best == "" {
					return ""
				}
			}
			return best
		}
		if s.AdditionalProperties.Schema != nil || len(s.Properties) == 0 {
			return ""
		}
		for key, inner := range v {
			property, ok := s.Properties[key]
			if !ok {
				return key
			}
			if path := strangeKey(property.Value, inner, depth+1); path != "" {
				return key + "." + path
			}
		}
	}
	return ""
}

// mockURL starts stripe-mock once for all tests of the package. It is stateless: it judges the form of a request only.
var mockURL = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "stripe-mock")
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "stripe-mock")
	if out, err := exec.Command("go", "build", "-o", program, "github.com/stripe/stripe-mock").CombinedOutput(); err != nil {
		return "", fmt.Errorf("building stripe-mock: %w\n%s", err, out)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	addr := ln.Addr().String()
	_ = ln.Close()
	cmd := exec.Command(program, "-http-addr", addr, "-strict-version-check")
	if err := cmd.Start(); err != nil {
		return "", err
	}
	stopMock = func() { _ = cmd.Process.Kill(); _ = cmd.Wait(); _ = os.RemoveAll(dir) }
	for range 100 {
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			return "http://" + addr, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return "", fmt.Errorf("stripe-mock did not start")
})

var stopMock = func() {}

func TestMain(m *testing.M) {
	code := m.Run()
	stopMock()
	os.Exit(code)
}

// judgedTransport sends every request to stripe-mock first and then to the sandbox, and judges what the sandbox answers.
type judgedTransport struct {
	t    testing.TB
	next http.RoundTripper
}

func (j judgedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		_ = r.Body.Close()
	}
	if complaint := askMock(r, body); complaint != "" {
		j.t.Errorf("stripe-mock refuses %s %s %s: %s", r.Method, r.URL, body, complaint)
	}
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	again.ContentLength = int64(len(body))
	res, err := j.next.RoundTrip(again)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil {
		return nil, err
	}
	if err := judgeObject(answer); err != nil {
		j.t.Errorf("the answer to %s %s: %v", r.Method, r.URL.Path, err)
	}
	res.Body = io.NopCloser(bytes.NewReader(answer))
	return res, nil
}

func askMock(r *http.Request, body []byte) string {
	base, err := mockURL()
	if err != nil {
		return err.Error()
	}
	req, err := http.NewRequestWithContext(r.Context(), r.Method, base+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return err.Error()
	}
	for k, v := range r.Header {
		if !strings.EqualFold(k, "Authorization") {
			req.Header[k] = v
		}
	}
	req.Header.Set("Authorization", "Bearer sk_test_123") // the mock wants a key of that form and knows nobody
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = res.Body.Close() }()
	answer, _ := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusOK {
		return res.Status + " " + string(answer)
	}
	return ""
}
