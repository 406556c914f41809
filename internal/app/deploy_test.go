package app_test

import (
	"bufio"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/getkin/kin-openapi/openapi3"

	"cursus/api/contract"
	"cursus/internal/gateways/stripegate"
	"cursus/internal/platform/config"
)

// The proxy of docs/deploy lets through what the contract allows: a file that Cursus takes is not refused on its way, and who sent a large
// one is not told that it failed while it is taken in.
func TestTheProxyLetsThroughWhatTheContractAllows(t *testing.T) {
	document, err := openapi3.NewLoader().LoadFromData(contract.YAML)
	if err != nil {
		t.Fatal(err)
	}
	var bytes, seconds float64
	for _, item := range document.Paths.Map() {
		for _, op := range item.Operations() {
			if n, ok := op.Extensions["x-max-bytes"].(float64); ok {
				bytes = max(bytes, n)
			}
			if n, ok := op.Extensions["x-timeout-seconds"].(float64); ok {
				seconds = max(seconds, n)
			}
		}
	}
	proxy, err := os.ReadFile("../../docs/deploy/Caddyfile")
	if err != nil {
		t.Fatal(err)
	}
	sizes := regexp.MustCompile(`max_size (\d+)MiB\n`).FindAllSubmatch(proxy, -1)
	if len(sizes) != strings.Count(string(proxy), "max_size") || len(sizes) == 0 {
		t.Fatal("sizes of the proxy in MiB:", len(sizes))
	}
	for _, s := range sizes {
		if n, _ := strconv.ParseFloat(string(s[1]), 64); n*(1<<20) < bytes {
			t.Errorf("the proxy refuses bodies of more than %s MiB, and the contract allows %.0f bytes", s[1], bytes)
		}
	}
	wait := regexp.MustCompile(`response_header_timeout (\S+)\n`).FindSubmatch(proxy)
	if bytes < 1<<28 || seconds < 60 {
		t.Fatal("limits of the contract were not read:", bytes, seconds)
	}
	if wait == nil {
		t.Fatal("the proxy waits for ever")
	}
	if d, err := time.ParseDuration(string(wait[1])); err != nil || d.Seconds() <= seconds {
		t.Errorf("the proxy waits %s, and an answer may take %.0f s: %v", wait[1], seconds, err)
	}
}

// The example of settings is understood whole, and starts a server once the secrets are filled in. Before that it does not.
func TestTheExampleOfSettingsStartsOnceItIsFilledIn(t *testing.T) {
	f, err := os.Open("../../docs/deploy/cursus.env.example")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	settings := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok && !strings.HasPrefix(name, "#") {
			settings[name] = value
		}
	}
	table, err := os.ReadFile("../../docs/settings.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range settings {
		if !strings.Contains(string(table), "| `"+name+"` |") {
			t.Errorf("%s is no setting", name)
		}
	}
	c, err := env.ParseAsWithOptions[config.Config](env.Options{Environment: settings})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.CheckServing(); code(err) != "bad-settings" {
		t.Error("it starts with empty secrets:", err)
	}
	c.Secret, c.StripeKey, c.StripeWebhookSecret = "correct horse battery staple 1234", "sk_live_abc", "whsec_abcdefgh"
	if err := c.CheckServing(); err != nil {
		t.Error("it does not start when it is filled in:", err)
	}
}

// A service whose database is away for minutes is started again until it is there: systemd gives up after five starts in ten seconds otherwise.
func TestServicesAreStartedAgainForEver(t *testing.T) {
	for _, name := range []string{"cursus-api@.service", "cursus-worker.service"} {
		unit, err := os.ReadFile("../../docs/deploy/" + name)
		if err != nil {
			t.Fatal(err)
		}
		head, rest, _ := strings.Cut(string(unit), "[Service]")
		if !strings.Contains(head, "\nStartLimitIntervalSec=0\n") || !strings.Contains(rest, "\nRestart=always\n") {
			t.Errorf("%s is given up after a few starts", name)
		}
	}
}

// The page says of which events Stripe has to tell: what it leaves out would be fetched a minute later only, instalments and cards that are kept too.
func TestThePageOfDeployingNamesEveryEvent(t *testing.T) {
	page, err := os.ReadFile("../../docs/deploy/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, said, _ := strings.Cut(string(page), "**Stripe**")
	said, _, _ = strings.Cut(said, "\n- **")
	for _, kind := range stripegate.Types {
		family := kind[:strings.LastIndex(kind, ".")]
		if !strings.Contains(said, "`"+kind+"`") && !strings.Contains(said, "`"+family+".*`") {
			t.Error(kind, "is not named")
		}
	}
}
