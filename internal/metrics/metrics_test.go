package metrics_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.uber.org/goleak"

	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/audit"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/config/configtest"
	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/dnscheck"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/metrics"
	"github.com/tollgate-mail/tollgate/internal/state"
	"github.com/tollgate-mail/tollgate/internal/tally"
	"github.com/tollgate-mail/tollgate/internal/took"
	"github.com/tollgate-mail/tollgate/rules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixed is a daemon with this status.
type fixed struct {
	status   daemon.Status
	tally    *tally.Tally
	draining bool
}

func (f *fixed) Status(context.Context) daemon.Status {
	s := f.status
	s.Mail = f.tally.Figures()
	return s
}
func (f *fixed) Draining() bool { return f.draining }
func (f *fixed) Spools() bool   { return f.status.Spool.WriteError == "" }

// everything has every part that a status can have.
func everything() *fixed {
	return &fixed{tally: tally.New(clock), status: daemon.Status{
		Version: "1.2", Started: time.Unix(1000, 0), Degraded: []string{"x"},
		Store:      assemble.StoreStatus{Kind: "embedded", Error: "away"},
		Journal:    journal.Status{Kinds: []journal.KindStatus{{Kind: "messages", Lines: 3}, {Kind: "blocks", Lost: 2, LastError: "disk full"}}},
		Limits:     []gate.BoundStatus{{Name: "recipients", Hits: 4}},
		Inspectors: []assemble.InspectorStatus{{Name: "antivirus", State: "away", Inspected: 9, Failed: 1, LatencyMS: 250}},
		DNS:        &dnscheck.Stats{Asked: 7, Hits: 5, Servers: []dnscheck.ServerStats{{Addr: "192.0.2.53:53", State: "down"}, {Addr: "192.0.2.53:53", State: "down"}, {Addr: "192.0.2.54:53", State: dnscheck.NotAsked}}},
		State:      &state.Status{Kind: "redis"},
		Clients:    &assemble.ClientsStatus{Count: 2}, Records: &audit.Balance{Missing: 1},
	}}
}

func clock() time.Time { return time.Unix(5000, 0) }

// running is a Metrics with its policy.
type running struct {
	t       *testing.T
	m       *metrics.Metrics
	running *assemble.Running
}

func start(t *testing.T) *running {
	m := metrics.New(slog.New(slog.DiscardHandler))
	r := &running{t, m, assemble.New(m)}
	t.Cleanup(func() {
		if err := r.running.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// policy loads one with these rules and this address.
func policy(t *testing.T, listen string, names ...string) *config.Config {
	t.Helper()
	text := "[gateway]\nname = \"gw\"\n[metrics]\nlisten = \"" + listen + "\"\n"
	for _, n := range names {
		text += fmt.Sprintf("[[rule]]\nname = %q\nstage = \"connect\"\nmatch = { client_ip = \"192.0.2.0/24\" }\nweight = 1\n", n)
	}
	return configtest.Text(t, text)
}

func (r *running) load(cfg *config.Config) error {
	c, err := assemble.Prepare(r.t.Context(), cfg, r.running)
	if err != nil {
		return err
	}
	c.Commit()
	return nil
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func get(t *testing.T, addr, page string) (int, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + addr + page)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func wantLines(t *testing.T, page string, lines ...string) {
	t.Helper()
	for _, l := range lines {
		if !strings.Contains("\n"+page, "\n"+l+"\n") {
			t.Errorf("no line %q", l)
		}
	}
}

// count counts a message that these rules of a policy matched.
func (r *running) count(d *fixed, cfg *config.Config, v gate.Verdict, stage string, hits ...int) {
	f := gate.Fate{Policy: cfg.Gate.Rules, Verdict: v, Stage: stage, Weight: 1500, Accepted: 2, Refused: 1}
	f.Took = &took.Times{Total: 3 * time.Second}
	f.Took.Add(took.Complete, time.Second)
	for _, i := range hits {
		f.Hits = append(f.Hits, rules.Hit{Rule: cfg.Gate.Rules.Rules()[i]})
	}
	for _, c := range []gate.Counter{r.m, d.tally} {
		c.Count(f)
	}
}

// The pages say what was counted and how the daemon is, in the form that
// Prometheus wants.
func TestPages(t *testing.T) {
	r, addr := start(t), free(t)
	cfg := policy(t, addr, "one", "two")
	if err := r.load(cfg); err != nil {
		t.Fatal(err)
	}
	if code, text := get(t, addr, "/readyz"); code != 503 || text != "starting\n" {
		t.Errorf("readyz: %d %q", code, text)
	}
	d := everything()
	r.m.Attach(d)
	d.tally.Take(cfg.Gate.Rules)
	r.count(d, cfg, gate.Accepted, "complete", 0)
	r.count(d, cfg, gate.Rejected, "rcptto", 0, 1)
	r.count(d, cfg, gate.Deferred, "somewhere odd")
	code, page := get(t, addr, "/metrics")
	if code != 200 {
		t.Fatalf("%d %s", code, page)
	}
	wantLines(t, page,
		`tollgate_messages_total{stage="complete",verdict="accept"} 1`,
		`tollgate_messages_total{stage="rcptto",verdict="reject"} 1`,
		`tollgate_messages_total{stage="_other",verdict="tempfail"} 1`,
		`tollgate_messages_total{stage="complete",verdict="hold"} 0`,
		`tollgate_recipients_total{answer="accepted"} 6`,
		`tollgate_rule_hits_total{rule="one"} 2`,
		`tollgate_rule_hits_total{rule="two"} 1`,
		`tollgate_message_weight_sum 4.5`,
		`tollgate_message_seconds_sum 9`,
		`tollgate_stage_seconds_sum{stage="complete"} 3`,
		`tollgate_stage_seconds_bucket{stage="complete",le="0.5"} 0`,
		`tollgate_stage_seconds_count{stage="connect"} 0`,
		`tollgate_wait_seconds_count{cause="dns"} 0`,
		`tollgate_last_message_timestamp_seconds 5000`,
		`tollgate_store_up{kind="embedded"} 0`,
		`tollgate_state_up{kind="redis"} 1`,
		`tollgate_journal_up{journal="blocks"} 0`,
		`tollgate_journal_lines_lost_total{journal="blocks"} 2`,
		`tollgate_inspector_up{inspector="antivirus"} 0`,
		`tollgate_inspection_seconds{inspector="antivirus"} 0.25`,
		`tollgate_dns_lookups_total 7`,
		`tollgate_dns_server_up{server="192.0.2.53:53"} 0`,
		`tollgate_dns_server_up{server="192.0.2.54:53"} 1`,
		`tollgate_bound_hits_total{bound="recipients"} 4`,
		`tollgate_findings 1`,
	)
	problems, err := promlint.New(strings.NewReader(page)).Lint()
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "tollgate_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	if err != nil {
		t.Error(err)
	}
	if code, text := get(t, addr, "/readyz"); code != 200 || text != "ready\n" {
		t.Errorf("readyz: %d %q", code, text)
	}
	d.status.Spool.WriteError = "no space left"
	if code, text := get(t, addr, "/readyz"); code != 503 || !strings.HasPrefix(text, "degraded") {
		t.Errorf("readyz: %d %q", code, text)
	}
	if _, page := get(t, addr, "/metrics"); !strings.Contains(page, "\ntollgate_spool_writable 0\n") {
		t.Error("the spool is said to be writable")
	}
	d.draining = true
	if code, text := get(t, addr, "/readyz"); code != 503 || text != "draining\n" {
		t.Errorf("readyz: %d %q", code, text)
	}
	if code, text := get(t, addr, "/healthz"); code != 200 || text != "ok\n" {
		t.Errorf("healthz: %d %q", code, text)
	}
}

// A reload moves the pages to another address; one that is taken refuses the
// policy, and the pages stay where they were.
func TestReload(t *testing.T) {
	r, first, second := start(t), free(t), free(t)
	if err := r.load(policy(t, first, "gone", "stays")); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	err = r.load(policy(t, taken.Addr().String(), "refused-one"))
	if err == nil || !strings.Contains(err.Error(), "[metrics] listen") {
		t.Errorf("an address that is taken: %v", err)
	}
	if code, _ := get(t, first, "/healthz"); code != 200 {
		t.Error("the refused policy took the pages away")
	}
	// What is discarded does not keep its socket.
	c, err := assemble.Prepare(t.Context(), policy(t, second), r.running)
	if err != nil {
		t.Fatal(err)
	}
	c.Discard()
	if err := r.load(policy(t, second, "stays")); err != nil {
		t.Fatal(err)
	}
	if code, _ := get(t, second, "/healthz"); code != 200 {
		t.Error("nobody answers at the new address")
	}
	if err := r.load(policy(t, "")); err != nil {
		t.Fatal(err)
	}
	if err := r.running.Close(); err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{first, second} {
		if code, _ := get(t, addr, "/healthz"); code != 0 {
			t.Errorf("%s answers yet", addr)
		}
	}
}

// BenchmarkCount is what figures cost a message that came to every stage and waited
// for everything.
func BenchmarkCount(b *testing.B) {
	m := metrics.New(slog.New(slog.DiscardHandler))
	defer m.Close()
	f := gate.Fate{Took: &took.Times{Total: time.Second}}
	for p := range took.Parts {
		f.Took.Add(p, 3*time.Millisecond)
	}
	for b.Loop() {
		m.Count(f)
	}
}
