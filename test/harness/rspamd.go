package harness

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
)

// LotterySymbol is what this rspamd says of messages whose decoded Subject
// has LotteryWord, and LotteryScore its score.
const (
	LotterySymbol = "TEST_LOTTERY"
	LotteryWord   = "лотерея"
	LotteryScore  = "3.25"
)

// GTUBE is the line that spam filters agree to call spam. In pieces, so that
// none finds it in this repository.
func GTUBE() string {
	return strings.Join([]string{"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE", "STANDARD", "ANTI", "UBE", "TEST", "EMAIL*C.34X"}, "-")
}

// RspamdConfig is what tests vary of rspamd's settings.
type RspamdConfig struct {
	// Rules are in Lua, besides that for LotterySymbol.
	Rules string
	// More are lines for its configuration file.
	More []string
}

// Rspamd is an rspamd with one normal worker, without its own rules and
// without anything that asks the network. It rejects at 15, GTUBE at once.
type Rspamd struct {
	URL  string
	s    *Sandbox
	proc *Process
	name string
}

// rspamd's own set of rules takes seconds to load. The address of the name
// server is one where nothing answers.
const rspamdConfig = `
lua = "%[1]s/rules.lua";
options {
  filters = "";
  url_tld = "%[1]s/tld.dat";
  pidfile = "%[1]s/db/pid";
  control_socket = "%[1]s/db/control mode=0600";
  tempdir = "%[1]s/db";
  hs_cache_dir = "%[1]s/db";
  cache_file = "%[1]s/db/symbols.cache";
  dynamic_conf = "%[1]s/db/dynamic";
  history_file = "%[1]s/db/history";
  stats_file = "%[1]s/db/stats";
  rrd = "%[1]s/db/rrd";
  disable_hyperscan = true;
  dns { nameserver = ["127.0.0.1:1"]; timeout = 0.1s; retransmits = 1; }
}
lang_detection { languages = "%[1]s/db"; }
logging { type = "console"; level = "notice"; }
worker "normal" { bind_socket = "%[2]s"; count = 1; }
actions { reject = 15; add_header = 6; }
`

// The rule for LotterySymbol.
const rspamdRule = `
rspamd_config:register_symbol({
  name = '%s', score = %s,
  callback = function(task)
    return (task:get_subject() or ''):find('%s', 1, true) ~= nil
  end,
})
`

// Rspamd starts an rspamd. A sandbox may hold several.
func (s *Sandbox) Rspamd(c RspamdConfig) (*Rspamd, error) {
	port, err := s.Port()
	if err != nil {
		return nil, err
	}
	r := &Rspamd{URL: "http://" + Loopback(port), s: s, name: fmt.Sprintf("rspamd%d", port)}
	dir := s.Path(r.name)
	for _, d := range []string{dir, s.Path(r.name, "db")} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return nil, fmt.Errorf("harness: %w", err)
		}
	}
	conf := fmt.Sprintf(rspamdConfig, dir, Loopback(port)) + strings.Join(c.More, "\n") + "\n"
	for name, text := range map[string]string{
		"rspamd.conf": conf,
		"rules.lua":   fmt.Sprintf(rspamdRule, LotterySymbol, LotteryScore, LotteryWord) + c.Rules,
		"tld.dat":     "com\nnet\norg\n",
	} {
		if err := os.WriteFile(s.Path(r.name, name), []byte(text), 0o644); err != nil {
			return nil, fmt.Errorf("harness: %w", err)
		}
	}
	s.OnClose(r.Stop)
	return r, r.Start()
}

// Start starts rspamd again after Stop or Kill.
func (r *Rspamd) Start() error {
	var err error
	// Without -i it would not run as root; elsewhere it has a user of its own,
	// whose name differs between systems.
	r.proc, err = start("rspamd", r.s.Path(r.name+".log"), syscall.SIGKILL,
		"rspamd", "--no-fork", "--insecure", "--config="+r.s.Path(r.name, "rspamd.conf"))
	if err != nil {
		return err
	}
	return r.proc.await(r.answers, Patience)
}

// answers tells whether a worker answers.
func (r *Rspamd) answers() error {
	// No connection is kept for later.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Second}
	resp, err := client.Get(r.URL + "/ping")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 100))
	if err != nil {
		return err
	}
	if strings.TrimSpace(string(text)) != "pong" {
		return fmt.Errorf("rspamd answers %q to a ping", text)
	}
	return nil
}

// Freeze stops rspamd where it stands: the kernel still makes connections for
// it, and nothing answers on them.
func (r *Rspamd) Freeze() error { return r.signal(syscall.SIGSTOP) }

// Thaw lets a frozen rspamd go on.
func (r *Rspamd) Thaw() error { return r.signal(syscall.SIGCONT) }

// Kill ends rspamd in the middle of what it does.
func (r *Rspamd) Kill() error {
	if err := r.signal(syscall.SIGKILL); err != nil {
		return err
	}
	return r.proc.Wait(Patience)
}

// signal goes to the main process and its workers.
func (r *Rspamd) signal(sig syscall.Signal) error {
	if err := syscall.Kill(-r.proc.PID(), sig); err != nil {
		return fmt.Errorf("harness: rspamd: %w", err)
	}
	return nil
}

// Stop ends rspamd, also a frozen one.
func (r *Rspamd) Stop() error {
	if r.proc == nil || r.proc.Ended() {
		return nil
	}
	if err := r.Thaw(); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return r.proc.Stop(Patience)
}
