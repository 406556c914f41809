// Package labdouble is a stateful double of a provider of labs, for tests and the demonstration: it takes launches by a signed token and by
// LTI 1.3, shows a machine in the browser, tells what happens there, and stops when it is asked to.
package labdouble

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"cursus/internal/gateways/ltitool"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/ident"
)

// Config is what a double is made of.
type Config struct {
	PublicURL    string // where browsers find it, without a slash at the end
	Issuer       string // whose launches it takes
	KeysURL      string // where the keys of the issuer are
	LoginURL     string // where the issuer answers logins (LTI)
	ClientID     string
	DeploymentID string
	Secret       string       // whsec_… , shared with the issuer
	Clock        clock.Clock  // nil: the machine's
	Client       *http.Client // nil: one of its own
}

// Weather is how the provider surprises. The zero value is a fine day.
type Weather struct {
	LoseStops bool `json:"lose_stops"` // a machine is stopped, and nobody is told
	Down      bool `json:"down"`       // stop requests are answered with 503
}

// Machine is one that was opened.
type Machine struct {
	Launch  string    `json:"launch"`
	Subject string    `json:"subject"`
	Shape   string    `json:"shape"`
	Title   string    `json:"title"`
	Running bool      `json:"running"`
	Opened  time.Time `json:"opened"`

	events, back string
}

type event struct {
	id, to string
	body   []byte
}

// Double is the provider.
type Double struct {
	c        Config
	secret   []byte
	mux      *http.ServeMux
	mu       sync.Mutex
	weather  Weather
	machines map[string]*Machine // by launch
	doors    map[string]string   // the secret part of the address of a machine → launch
	spent    map[string]bool     // tokens
	logins   *ltitool.Logins
	sending  sync.Mutex
	outbox   []event // that were not taken yet, in order
}

const (
	maxBody = 64 << 10
	timeout = 10 * time.Second
)

// New makes a double.
func New(c Config) (*Double, error) {
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	if c.Client == nil {
		c.Client = &http.Client{Timeout: timeout}
	}
	secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(c.Secret, "whsec_"))
	if err != nil {
		return nil, err
	}
	d := &Double{c: c, secret: secret, mux: http.NewServeMux(), machines: map[string]*Machine{}, doors: map[string]string{}, spent: map[string]bool{},
		logins: &ltitool.Logins{Issuer: c.Issuer, LoginURL: c.LoginURL, LaunchURL: c.PublicURL + "/lti", ClientID: c.ClientID}}
	d.mux.HandleFunc("POST /launch", d.launch)
	d.mux.Handle("POST /login", d.logins)
	d.mux.Handle("GET /login", d.logins)
	d.mux.HandleFunc("POST /lti", d.ltiLaunch)
	d.mux.HandleFunc("GET /machine/{door}", d.show)
	d.mux.HandleFunc("POST /machine/{door}", d.act)
	d.mux.HandleFunc("POST /stop", d.stop)
	d.mux.HandleFunc("GET /double/machines", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(d.Machines())
	})
	d.mux.HandleFunc("POST /double/weather", func(w http.ResponseWriter, r *http.Request) {
		var weather Weather
		if err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&weather); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		d.Set(weather)
	})
	return d, nil
}

// ServeHTTP answers like the provider.
func (d *Double) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	d.mux.ServeHTTP(w, r)
}

// Set changes the weather.
func (d *Double) Set(weather Weather) {
	d.mu.Lock()
	d.weather = weather
	d.mu.Unlock()
}

// Machines lists what was opened.
func (d *Double) Machines() []Machine {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := []Machine{}
	for _, m := range d.machines {
		all = append(all, *m)
	}
	return all
}

// Tell tells of a machine: started, activity, help_asked, help_given or stopped.
func (d *Double) Tell(ctx context.Context, launch, kind string) error {
	d.mu.Lock()
	m := d.machines[launch]
	if m == nil {
		d.mu.Unlock()
		return fmt.Errorf("there is no machine of %s", launch)
	}
	if kind == "stopped" {
		m.Running = false
	}
	to, lost := m.events, kind == "stopped" && d.weather.LoseStops
	d.mu.Unlock()
	if lost {
		return nil
	}
	body, err := json.Marshal(map[string]any{"type": "lab." + kind, "timestamp": d.c.Clock.Now().UTC(), "data": map[string]string{"launch": launch}})
	if err != nil {
		return err
	}
	return d.send(ctx, event{ident.New("msg"), to, body})
}

// send tells what was not taken yet, and this.
func (d *Double) send(ctx context.Context, e event) error {
	d.sending.Lock()
	defer d.sending.Unlock()
	d.outbox = append(d.outbox, e)
	for len(d.outbox) > 0 {
		if err := d.post(ctx, d.outbox[0]); err != nil {
			return err
		}
		d.outbox = d.outbox[1:]
	}
	return nil
}

func (d *Double) post(ctx context.Context, e event) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.to, bytes.NewReader(e.body))
	if err != nil {
		return err
	}
	at := strconv.FormatInt(d.c.Clock.Now().Unix(), 10)
	for name, value := range map[string]string{"Content-Type": "application/json", "webhook-id": e.id, "webhook-timestamp": at, "webhook-signature": d.sign(e.id, at, e.body)} {
		r.Header.Set(name, value)
	}
	answer, err := d.c.Client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("an event was answered with %s", answer.Status)
	}
	return nil
}

func (d *Double) sign(id, at string, body []byte) string {
	m := hmac.New(sha256.New, d.secret)
	_, _ = m.Write([]byte(id + "." + at + "." + string(body))) // a hash takes everything
	return "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))
}

func (d *Double) stop(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || !hmac.Equal([]byte(d.sign(r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp"), body)), []byte(r.Header.Get("webhook-signature"))) {
		http.Error(w, "the signature is not good", http.StatusUnauthorized)
		return
	}
	var asked struct {
		Type string
		Data struct{ Launch string }
	}
	d.mu.Lock()
	down := d.weather.Down
	d.mu.Unlock()
	if err := json.Unmarshal(body, &asked); err != nil || asked.Type != "lab.stop" {
		http.Error(w, "not a stop request", http.StatusBadRequest)
		return
	}
	if down {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	d.mu.Lock()
	m := d.machines[asked.Data.Launch]
	runs := m != nil && m.Running
	d.mu.Unlock()
	if !runs {
		w.WriteHeader(http.StatusGone)
		return
	}
	if err := d.Tell(r.Context(), asked.Data.Launch, "stopped"); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// open opens the machine of a launch, or shows the one that runs, and leads the browser to it.
func (d *Double) open(w http.ResponseWriter, r *http.Request, m Machine) {
	d.mu.Lock()
	fresh := d.machines[m.Launch] == nil || !d.machines[m.Launch].Running
	if fresh {
		m.Running, m.Opened = true, d.c.Clock.Now()
		d.machines[m.Launch] = &m
	}
	door := ident.Secret(16)
	d.doors[door] = m.Launch
	d.mu.Unlock()
	kind := "activity"
	if fresh {
		kind = "started"
	}
	if err := d.Tell(r.Context(), m.Launch, kind); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	http.Redirect(w, r, d.c.PublicURL+"/machine/"+door, http.StatusSeeOther)
}

func (d *Double) at(r *http.Request) (m Machine, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	found := d.machines[d.doors[r.PathValue("door")]]
	if found == nil {
		return m, false
	}
	return *found, true
}

var screen = template.Must(template.New("machine").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{{.Title}}</title>
<style>body{margin:0;font:16px/1.5 system-ui,sans-serif;background:#111;color:#eee}main{max-width:40rem;margin:0 auto;padding:1rem}pre{background:#000;padding:1rem;overflow:auto}
button,a{font:inherit;padding:.6rem 1rem;margin:.2rem .2rem .2rem 0;color:#111;background:#9fd;border:0;border-radius:4px;display:inline-block}</style></head>
<body><main><h1>{{.Title}}</h1><p role="status">{{if .Running}}The machine runs.{{else}}The machine is stopped.{{end}}</p>
<pre tabindex="0" aria-label="Screen of the machine">$ ping -c 1 192.0.2.1
1 packets transmitted, 1 received, 0% packet loss</pre>
{{if .Running}}<form method="post"><button name="do" value="activity">Run again</button><button name="do" value="help_asked">Ask the teacher for help</button><button name="do" value="stopped">Stop the machine</button></form>{{end}}
<p><a href="{{.Back}}">Back to the course</a></p></main></body></html>`))

func (d *Double) show(w http.ResponseWriter, r *http.Request) {
	m, ok := d.at(r)
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = screen.Execute(w, struct {
		Machine
		Back string
	}{m, m.back})
}

func (d *Double) act(w http.ResponseWriter, r *http.Request) {
	m, ok := d.at(r)
	do := r.FormValue("do")
	if !ok || do != "activity" && do != "help_asked" && do != "stopped" {
		http.NotFound(w, r)
		return
	}
	if m.Running {
		if err := d.Tell(r.Context(), m.Launch, do); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
	}
	http.Redirect(w, r, d.c.PublicURL+"/machine/"+url.PathEscape(r.PathValue("door")), http.StatusSeeOther)
}
