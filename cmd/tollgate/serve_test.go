package main

import (
	"encoding/json"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/journal"
)

func (h *house) status() daemon.Status {
	h.t.Helper()
	var s daemon.Status
	if err := json.Unmarshal([]byte(h.mustRun("status", "--json")), &s); err != nil {
		h.t.Fatal(err)
	}
	return s
}

func TestServe(t *testing.T) {
	h := newHouse(t)
	d := h.serve()
	for name, mode := range map[string]os.FileMode{
		"milter.sock": os.ModeSocket | 0o660, "state/control.sock": os.ModeSocket | 0o660,
		"state": os.ModeDir | 0o750, "state/lock": 0o640, "journal/blocks.jsonl": 0o640,
	} {
		info, err := os.Stat(h.path(name))
		if err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	s := h.status()
	if s.Gateway != "mx1.example.org" || s.PID != d.cmd.Process.Pid || s.Policy.File != "policy.toml" || s.Policy.Clients != 1 || s.Version == "" ||
		len(s.Degraded) != 0 || s.Store.Kind != "embedded" || len(s.Journal.Kinds) != len(journal.Kinds()) || !slices.Equal(s.Listen, []string{"unix:milter.sock"}) {
		t.Errorf("%+v", s)
	}
	if text := h.mustRun("status"); !strings.Contains(text, "mx1.example.org: ok") || !strings.Contains(text, "empty; ") {
		t.Error(text)
	}
	if out := h.mustRun("report"); out == "" {
		t.Error("an empty account is not said")
	}
	if o := h.run("journal"); o.code != 1 {
		t.Errorf("journal: exit code %d: %s", o.code, o.err)
	}
	if code := d.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d\n%s", code, d.log.String())
	}
	d.await("STOPPING=1")
	for _, gone := range []string{"milter.sock", "state/control.sock"} {
		if _, err := os.Stat(h.path(gone)); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", gone, err)
		}
	}
	// Without the daemon the store is opened by the command itself.
	if o := h.run("report"); o.code != 0 || !strings.Contains(o.err, "no daemon runs") {
		t.Errorf("report: %+v", o)
	}
}

func TestServeTwice(t *testing.T) {
	h := newHouse(t)
	d := h.serve()
	o := h.run("serve")
	if o.code != 75 || !strings.Contains(o.err, "process "+itoa(d.cmd.Process.Pid)) {
		t.Errorf("second: exit code %d, %s", o.code, o.err)
	}
	if s := h.status(); s.PID != d.cmd.Process.Pid {
		t.Errorf("process %d answers", s.PID)
	}
}

func itoa(n int) string { return strings.TrimSpace(string(mustJSON(n))) }

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// What a killed daemon leaves does not keep the next from starting.
func TestServeAfterKill(t *testing.T) {
	h := newHouse(t)
	d := h.serve()
	d.stop(syscall.SIGKILL)
	if o := h.run("status"); o.code != 75 {
		t.Errorf("status: %+v", o)
	}
	next := h.serve()
	if code := next.stop(syscall.SIGINT); code != 0 {
		t.Errorf("exit code %d\n%s", code, next.log.String())
	}
}

func TestServeRefusals(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(h *house)
		code  int
		says  string
	}{
		{"bad policy", func(h *house) { h.write("policy.toml", policy+"[nonsense]\n") }, 78, "policy.toml:12: "},
		{"state_dir is a file", func(h *house) { h.write("state", "") }, 75, "state"},
		{"journal dir is a file", func(h *house) { h.write("journal", "") }, 75, "journal"},
		{"the socket's place is taken", func(h *house) { h.write("milter.sock", "") }, 75, "milter.sock"},
		{"no folder for the socket", func(h *house) {
			h.write("policy.toml", strings.Replace(policy, "unix:milter.sock", "unix:none/milter.sock", 1))
		}, 75, "none/milter.sock"},
		{"another listens", func(h *house) {
			l, err := net.Listen("unix", h.path("milter.sock"))
			if err != nil {
				h.t.Fatal(err)
			}
			h.t.Cleanup(func() { l.Close() })
		}, 75, "another process answers"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t)
			tt.spoil(h)
			if o := h.run("serve"); o.code != tt.code || !strings.Contains(o.err, tt.says) {
				t.Errorf("exit code %d, %s", o.code, o.err)
			}
			// Whatever was opened by then is free again.
			lock, err := control.Acquire(h.path("state"))
			if err == nil {
				err = lock.Release()
			}
			if err != nil && tt.code == 75 && tt.name != "state_dir is a file" {
				t.Error(err)
			}
		})
	}
}

func TestReload(t *testing.T) {
	h := newHouse(t)
	d := h.serve()
	h.write("policy.toml", policy+"[[rule]]\nname = \"one\"\nstage = \"connect\"\nweight = 1\n")
	o := h.run("reload")
	if o.code != 0 || !strings.HasPrefix(o.out, "policy.toml: in force (1 rule, 0 thresholds, 0 lists, 1 client), version ") || !strings.Contains(o.err, "policy.toml:12: warning: ") {
		t.Errorf("reload: %+v", o)
	}
	d.await("RELOADING=1")
	d.await("READY=1")
	if s := h.status(); s.Policy.Rules != 1 || len(s.Degraded) != 0 {
		t.Errorf("%+v", s)
	}

	h.write("policy.toml", policy+"[nonsense]\n")
	for _, args := range [][]string{{"reload"}, {"reload", "--json"}} {
		if o := h.run(args...); o.code != 78 || !strings.Contains(o.out+o.err, "nonsense") || !strings.Contains(o.err, "the old one stays") {
			t.Errorf("%v of a bad policy: %+v", args, o)
		}
		d.await("RELOADING=1")
		d.await("READY=1")
	}
	s := h.status()
	if s.Policy.Rules != 1 || len(s.Degraded) != 1 || !strings.Contains(s.Policy.ReloadError, "nonsense") || s.Policy.ReloadFailed.IsZero() {
		t.Errorf("%+v", s)
	}
	if text := h.mustRun("status"); !strings.Contains(text, "degraded") || !strings.Contains(text, "! the last reload was refused") {
		t.Error(text)
	}

	h.write("policy.toml", policy)
	h.mustRun("reload")
	d.await("RELOADING=1")
	d.await("READY=1")
	h.write("policy.toml", policy+"[[rule\n") // no TOML at all
	if o := h.run("reload"); o.code != 78 || strings.Count(o.err, "policy.toml:12") != 1 || strings.Contains(o.err, "going on") {
		t.Errorf("reload of what is no TOML: %+v", o)
	}
	d.await("RELOADING=1")
	d.await("READY=1")
	if s := h.status(); len(s.Degraded) != 1 || !strings.Contains(s.Policy.ReloadError, "policy.toml:12") || s.Policy.ReloadFailed.IsZero() {
		t.Errorf("%+v", s)
	}

	changed := strings.Replace(policy, "unix:milter.sock", "unix:other.sock", 1)
	changed = strings.Replace(changed, "mx1", "mx2", 1)
	changed = strings.Replace(changed, `dir = "journal"`, `dir = "journal2"`, 1)
	h.write("policy.toml", changed+"\n[redis]\naddrs = [\"127.0.0.1:1\"]\n[accounting]\ntimezone = \"Europe/Moscow\"\n")
	for range 2 { // said again as long as it is so
		if o := h.run("reload"); o.code != 0 || !strings.Contains(o.err, "restart to take effect: listen, [redis], timezone") {
			t.Errorf("reload: %+v", o)
		}
		d.await("RELOADING=1")
		d.await("READY=1")
	}
	s = h.status()
	if s.Gateway != "mx2.example.org" || s.Policy.ReloadError != "" || len(s.Degraded) != 3 || s.Journal.Dir != "journal2" || s.Store.Kind != "embedded" ||
		!slices.Equal(s.Listen, []string{"unix:milter.sock"}) {
		t.Errorf("%+v", s)
	}
	if _, err := os.Stat(h.path("journal2/blocks.jsonl")); err != nil {
		t.Error(err)
	}
	d.stop(syscall.SIGTERM)
	h.write("policy.toml", policy+"[[rule\n")
	if o := h.run("reload"); o.code != 78 || !strings.Contains(o.err, "policy.toml:12") {
		t.Errorf("without a daemon: %+v", o)
	}
}

// A reload that one of its steps refuses leaves all that was in force in force.
func TestReloadRefusedByAStep(t *testing.T) {
	const greylisting = "[[rule]]\nname = \"grey\"\nstage = \"rcptto\"\nunless = { client_ip = \"192.0.2.1\" }\naction = \"greylist\"\n"
	for name, fail := range map[string]func(h *house){
		"state store": func(h *house) { h.write("state/state.bolt/a", "") },
		"journal":     func(h *house) { h.write("journal2/blocks.jsonl/a", "") },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.serve()
			before := h.status()
			fail(h)
			changed := strings.Replace(policy, "mx1", "mx2", 1)
			changed = strings.Replace(changed, `dir = "journal"`, "dir = \"journal2\"\ntrace = { rules = true }", 1)
			h.write("policy.toml", changed+greylisting)
			if o := h.run("reload"); o.code != 78 || !strings.Contains(o.err, "the old one stays") {
				t.Fatalf("%+v", o)
			}
			s := h.status()
			if s.Gateway != before.Gateway || s.Journal.Dir != before.Journal.Dir || s.Trace != before.Trace || s.State != nil || s.Policy.ReloadError == "" {
				t.Errorf("%+v", s)
			}
		})
	}
}

// SIGHUP loads the policy and opens the journals anew.
func TestHangup(t *testing.T) {
	h := newHouse(t)
	d := h.serve()
	if err := os.Rename(h.path("journal/blocks.jsonl"), h.path("journal/blocks.jsonl.1")); err != nil {
		t.Fatal(err)
	}
	h.write("policy.toml", strings.Replace(policy, "mx1", "mx2", 1))
	if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	d.await("RELOADING=1")
	d.await("READY=1")
	if _, err := os.Stat(h.path("journal/blocks.jsonl")); err != nil {
		t.Error(err)
	}
	if s := h.status(); s.Gateway != "mx2.example.org" {
		t.Errorf("%+v", s)
	}
	h.write("policy.toml", "nonsense")
	if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	d.await("RELOADING=1")
	d.await("READY=1")
	if code := d.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if !strings.Contains(d.log.String(), "the old one stays in force") {
		t.Error(d.log.String())
	}
}

func TestTrace(t *testing.T) {
	h := newHouse(t)
	h.serve()
	tests := []struct{ args, says string }{
		{"on --rules --client-ip 192.0.2.7", "traced: rules of 192.0.2.7, in journal/trace.jsonl"},
		{"on --protocol --client-ip 192.0.2.9/24", "traced: protocol and rules of 192.0.2.0/24, in journal/trace.jsonl"},
		{"on --rules --sender a@example.com --recipient ivan", "traced: protocol and rules from a@example.com to ivan, in journal/trace.jsonl"},
		{"on --protocol --client-ip 192.0.2.9/24", "traced: protocol and rules of 192.0.2.0/24, in journal/trace.jsonl"},
		{"off --rules", "traced: protocol of 192.0.2.0/24, in journal/trace.jsonl"},
		{"on", "traced: protocol and rules, in journal/trace.jsonl"},
		{"off --protocol --rules", "trace is off"},
		{"on --protocol", "traced: protocol, in journal/trace.jsonl"},
		{"off", "trace is off"},
	}
	for _, tt := range tests {
		if out := h.mustRun(append([]string{"trace"}, strings.Fields(tt.args)...)...); out != tt.says+"\n" {
			t.Errorf("%s: %q", tt.args, out)
		}
	}
	h.mustRun("trace", "on", "--rules")
	h.mustRun("reload")
	if s := h.status(); !s.Trace.Rules {
		t.Error("a reload has turned off the trace")
	}
	h.write("policy.toml", strings.Replace(policy, `dir = "journal"`, "dir = \"journal\"\ntrace = { protocol = true }", 1))
	h.mustRun("reload")
	var now daemon.TraceState
	if err := json.Unmarshal([]byte(h.mustRun("trace", "off", "--rules", "--json")), &now); err != nil || now != (daemon.TraceState{Protocol: true, File: "journal/trace.jsonl"}) {
		t.Errorf("%+v, %v", now, err)
	}
}

// With the server away mail is still answered; status says so.
func TestRedisAway(t *testing.T) {
	h := newHouse(t)
	h.write("secret", "open sesame\n")
	if err := os.Chmod(h.path("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.write("policy.toml", policy+"[redis]\naddrs = [\"127.0.0.1:1\"]\npassword_file = \"secret\"\n")
	d := h.serve()
	s := h.status()
	if s.Store.Kind != "redis" || s.Store.Error == "" || len(s.Degraded) == 0 {
		t.Errorf("%+v", s)
	}
	conn, err := net.Dial("unix", h.path("milter.sock"))
	if err != nil {
		t.Error(err)
	} else if err := conn.Close(); err != nil {
		t.Error(err)
	}
	if o := h.run("report"); o.code != 75 {
		t.Errorf("report: %+v", o)
	}
	began := time.Now()
	if code := d.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d after %v\n%s", code, time.Since(began), d.log.String())
	}
	for what, text := range map[string]string{"log": d.log.String(), "status": string(mustJSON(s))} {
		if strings.Contains(text, "sesame") {
			t.Errorf("the %s tells the password", what)
		}
	}
}
