package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tollgate-mail/tollgate/internal/journal"
)

func TestUsage(t *testing.T) {
	h := newHouse(t)
	for _, args := range []string{
		"", "dance", "--dance", "check a b", "check --dance", "serve now", "serve --grace long", "serve --grace -1s", "serve --log-level loud",
		"journal --since someday", "journal --until ''", "journal --client-ip example.org",
		"journal --since 2026-11-23 --until 2026-11-22", "journal --last -1", "journal --last many",
		"report --by price", "report --by client,shoe-size", "report --from 31.11.2026", "report --csv --json", "report now", "report --top -1",
		"report --from 2026-11-23 --to 2026-11-22",
		"completion", "completion tcsh", "statement sales novembre", "close 2026-13",
		"trace", "trace maybe", "trace on off", "trace on --client-ip example.org", "status now", "reload now", "version now", "explain", "hold", "clients",
	} {
		words := strings.Fields(args)
		o := h.run(words...)
		if o.code != 2 || o.out != "" || !strings.HasPrefix(o.err, "tollgate: ") || !strings.Contains(o.err, "--help") {
			t.Errorf("%q: exit code %d, %q, %q", args, o.code, o.out, o.err)
		}
	}
}

func TestVersion(t *testing.T) {
	h := newHouse(t)
	if out := h.mustRun("version"); !regexp.MustCompile(`^tollgate \S+ .*go1\.`).MatchString(out) {
		t.Errorf("%q", out)
	}
	if h.mustRun("--version") != h.mustRun("version") {
		t.Error("--version is another one")
	}
	var b build
	if err := json.Unmarshal([]byte(h.mustRun("version", "--json")), &b); err != nil || b.Version == "" || b.Go == "" || b.Platform == "" {
		t.Errorf("%+v, %v", b, err)
	}
}

func TestCheck(t *testing.T) {
	const everywhere = "\n[[rule]]\nname = \"everything\"\nstage = \"connect\"\nweight = 1\n" // a warning: it has no condition
	tests := []struct {
		name, policy string
		args         []string
		code         int
	}{
		{"good", policy, nil, 0},
		{"good-json", policy, []string{"--json"}, 0},
		{"warning", policy + everywhere, nil, 0},
		{"strict", policy + everywhere, []string{"--strict"}, 78},
		{"strict-idle", policy + "[[tariff]]\nname = \"nobody\"\ncurrency = \"EUR\"\n", []string{"--strict"}, 78},
		{"bad", strings.Replace(policy, "listen ", "lisen ", 1) + everywhere + "action = \"dance\"\n", nil, 78},
		{"bad-json", strings.Replace(policy, "listen ", "lisen ", 1) + everywhere, []string{"--json"}, 78},
		{"not-toml", policy + "= 5\n", nil, 78},
		{"file", policy, []string{"other.toml"}, 78},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t)
			h.write("policy.toml", tt.policy)
			o := h.run(append([]string{"check"}, tt.args...)...)
			if o.code != tt.code {
				t.Errorf("exit code %d, want %d", o.code, tt.code)
			}
			golden(t, "check-"+tt.name+".golden", "stdout:\n"+o.out+"stderr:\n"+o.err)
		})
	}
}

// What is asked of a daemon that is not there.
func TestNoDaemon(t *testing.T) {
	h := newHouse(t)
	for _, args := range []string{"status", "reload", "trace on", "report", "journal"} {
		o := h.run(strings.Fields(args)...)
		if o.code != 75 || o.out != "" || o.err == "" {
			t.Errorf("%s: exit code %d, %q, %q", args, o.code, o.out, o.err)
		}
	}
	if err := os.Remove(h.path("policy.toml")); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"status", "reload", "trace on", "report", "journal", "serve", "check"} {
		o := h.run(strings.Fields(args)...)
		if o.code != 78 || o.out != "" || !strings.Contains(o.err, "policy.toml") {
			t.Errorf("%s without a policy: exit code %d, %q, %q", args, o.code, o.out, o.err)
		}
	}
}

// The journals are found while the rest of the policy is being worked on.
func TestJournalUnderABadPolicy(t *testing.T) {
	h := newHouse(t)
	h.write("policy.toml", policy+"[[rule]]\nname = \"half done\"\n")
	h.journals()
	if out := h.mustRun("journal", "--ref", "r0"); !strings.Contains(out, "r0") {
		t.Errorf("%q", out)
	}
}

// journals writes some entries into files, as a daemon leaves them.
func (h *house) journals() {
	h.t.Helper()
	write := func(name string, entries ...string) {
		h.write("journal/"+name, strings.Join(entries, "\n")+"\n")
	}
	line := func(format string, args ...any) string {
		var e journal.Entry
		if err := json.Unmarshal(fmt.Appendf(nil, format, args...), &e); err != nil {
			h.t.Fatal(err)
		}
		e.Gateway, e.ClientIP, e.ClientHost = "mx1.example.org", "192.0.2.7", "mail.example.com"
		b, err := json.Marshal(e)
		if err != nil {
			h.t.Fatal(err)
		}
		return string(b)
	}
	many := `"r@example.org"` + strings.Repeat(`,"r@example.org"`, 14)
	write("messages.jsonl.1",
		line(`{"time":"2026-11-21T09:00:00Z","kind":"messages","ref":"r0","queue_id":"4LwA","sender":"old@example.com","recipients":["ivan@example.org"],"verdict":"accept","weight":"0"}`))
	write("messages.jsonl",
		line(`{"time":"2026-11-22T10:00:00.5Z","kind":"messages","ref":"r1","queue_id":"4LxB","sender":"anna@example.com","recipients":["ivan@example.org"],"subject":"Отчёт","size":12345,"verdict":"accept","weight":"3.5","stage":"complete"}`),
		`{"time":"2026-11-22T10:00`,
		line(`{"time":"2026-11-22T12:00:00Z","kind":"messages","ref":"r3","sender":"","recipients":[%s],"subject":"\u001b[31mred \u202ekcab","verdict":"reject","weight":"0","stage":"headers","rule":"colour","reason":"rule colour","reply":"550 5.7.1 No (ref r3)"}`, many),
		line(`{"time":"2026-11-22T13:00:00Z","kind":"messages","ref":"r5","sender":"x@example.net","recipients":[],"verdict":"aborted","weight":"0","detail":"header too long"}`))
	write("blocks.jsonl",
		line(`{"time":"2026-11-22T11:00:00Z","kind":"blocks","ref":"r2","sender":"anna@example.com","recipient":"ghost@example.org","verdict":"reject","stage":"rcptto","reason":"unknown","reply":"550 5.1.1 No such user (ref r2)","weight":"0"}`))
	write("trace.jsonl",
		line(`{"time":"2026-11-22T12:30:00Z","kind":"trace","ref":"r4","stage":"headers","rule":"lottery","event":"rules","detail":"no match: match subject"}`))
}

func TestJournal(t *testing.T) {
	tests := []struct {
		name string
		args []string
		code int
	}{
		{"all", nil, 0},
		{"mail-of-ivan", []string{"--recipient", "IVAN@example.org"}, 0},
		{"since", []string{"messages", "--since", "2026-11-22", "--until", "2026-11-22"}, 0},
		{"blocks", []string{"blocks"}, 0},
		{"trace", []string{"trace", "--rule", "lottery"}, 0},
		{"last", []string{"--last", "2"}, 0},
		{"json", []string{"--ref", "r2", "--json"}, 0},
		{"nothing", []string{"--queue-id", "none"}, 1},
		{"other-folder", []string{"--dir", "nowhere"}, 75},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t)
			h.journals()
			o := h.run(append([]string{"journal"}, tt.args...)...)
			if o.code != tt.code {
				t.Errorf("exit code %d, want %d", o.code, tt.code)
			}
			golden(t, "journal-"+tt.name+".golden", "stdout:\n"+o.out+"stderr:\n"+o.err)
		})
	}
}

// A pipe that is closed early, as by head(1), is no crash.
func TestClosedPipe(t *testing.T) {
	h := newHouse(t)
	h.journals()
	c := h.command("journal", "--policy", "policy.toml")
	pipe, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := pipe.Close(); err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	c.Stderr = &errs
	if err := c.Run(); err == nil || strings.Contains(errs.String(), "panic") {
		t.Errorf("%v\n%s", err, errs.String())
	}
}

// each calls fn with every command that cobra knows.
func each(c *cobra.Command, fn func(*cobra.Command)) {
	fn(c)
	for _, sub := range c.Commands() {
		each(sub, fn)
	}
}

func tree() *cobra.Command {
	a := &app{streams: streams{strings.NewReader(""), io.Discard, io.Discard}}
	root := a.root()
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	return root
}

// tollgate(8) names every command and every flag.
func TestManPageIsComplete(t *testing.T) {
	page, err := os.ReadFile("../../docs/man/tollgate.8")
	if err != nil {
		t.Fatal(err)
	}
	words := make(map[string]bool)
	for _, w := range regexp.MustCompile(`[\w-]+`).FindAllString(string(page), -1) {
		words[strings.TrimPrefix(w, "-")] = true
	}
	macros := regexp.MustCompile(`(?m)^\.(?:It |Op |Pq )?(?:Cm|Fl) .*$`).FindAllString(string(page), -1)
	named := strings.Join(macros, "\n")
	each(tree(), func(c *cobra.Command) {
		if name := c.Name(); !words[name] {
			t.Errorf("command %q is missing", c.CommandPath())
		}
		c.InitDefaultHelpFlag()
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if !regexp.MustCompile(`Fl -` + regexp.QuoteMeta(f.Name) + `\b`).MatchString(named) {
				t.Errorf("%s: flag --%s is missing", c.CommandPath(), f.Name)
			}
			if f.Shorthand != "" && !strings.Contains(named, "Fl "+f.Shorthand+" ") && !strings.Contains(named, f.Shorthand+" , Fl") {
				t.Errorf("%s: flag -%s is missing", c.CommandPath(), f.Shorthand)
			}
		})
	})
	known := make(map[string]bool)
	each(tree(), func(c *cobra.Command) {
		c.InitDefaultHelpFlag()
		c.InitDefaultVersionFlag()
		for _, flags := range []*pflag.FlagSet{c.Flags(), c.PersistentFlags()} {
			flags.VisitAll(func(f *pflag.Flag) { known[f.Name] = true })
		}
	})
	for _, m := range regexp.MustCompile(`Fl -([\w-]+)`).FindAllStringSubmatch(string(page), -1) {
		if !known[m[1]] {
			t.Errorf("flag --%s is not known any more", m[1])
		}
	}
}

// tollgate(8) has the exit codes, and no other.
func TestManPageExitCodes(t *testing.T) {
	page, err := os.ReadFile("../../docs/man/tollgate.8")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), ".Sh EXIT STATUS\n")
	section, _, _ := strings.Cut(rest, ".Sh ")
	var told []string
	for _, m := range regexp.MustCompile(`(?m)^\.It ([0-9]+)$`).FindAllStringSubmatch(section, -1) {
		told = append(told, m[1])
	}
	var codes []string
	for _, code := range []int{exitDone, exitNegative, exitUsage, exitAway, exitPolicy} {
		codes = append(codes, itoa(code))
	}
	if !slices.Equal(told, codes) {
		t.Errorf("%q, want %q", told, codes)
	}
}

func TestManPageIsClean(t *testing.T) {
	mandoc, err := exec.LookPath("mandoc")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	if out, err := exec.Command(mandoc, "-Tlint", "-Wwarning", "../../docs/man/tollgate.8").CombinedOutput(); err != nil {
		t.Errorf("%s%v", out, err)
	}
}

// Help teaches by examples.
func TestExamples(t *testing.T) {
	each(tree(), func(c *cobra.Command) {
		path := c.CommandPath()
		switch {
		case path == "tollgate help", path == "tollgate version":
			return // cobra's own; without arguments
		}
		if c.Short == "" || c.Long == "" || c.Example == "" {
			t.Errorf("%s does not teach", path)
		}
		for line := range strings.Lines(c.Example) {
			if !strings.HasPrefix(line, "  tollgate ") {
				t.Errorf("%s: example %q", path, line)
			}
		}
		for line := range strings.Lines(c.Long) {
			if n := len([]rune(line)); n > 82 {
				t.Errorf("%s: a line of %d characters: %s", path, n, line)
			}
		}
	})
}

func TestCompletion(t *testing.T) {
	h := newHouse(t)
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if out := h.mustRun("completion", shell); !strings.Contains(out, "tollgate") {
			t.Errorf("%s: %q", shell, out)
		}
	}
}

// Of several columns each is completed, with those that are not there yet.
func TestColumnsComplete(t *testing.T) {
	h := newHouse(t)
	for word, want := range map[string]string{
		"":                "client recipient domain day gateway tariff reason",
		"client,":         "client,recipient client,domain client,day client,gateway client,tariff client,reason",
		"client,day,rea":  "client,day,recipient client,day,domain client,day,gateway client,day,tariff client,day,reason",
		"nonsense,client": "nonsense,client nonsense,recipient nonsense,domain nonsense,day nonsense,gateway nonsense,tariff nonsense,reason",
	} {
		// What is completed stands last, so nothing may be added behind it.
		out, err := h.command("__complete", "report", "--by", word).Output()
		if err != nil {
			t.Fatal(err)
		}
		got, _, _ := strings.Cut(string(out), "\n:")
		if got = strings.Join(strings.Fields(got), " "); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

// The unit gives the daemon nothing but its folders.
func TestUnit(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err) // systemd-container brings it
		}
		t.Skip(err) // there is no systemd to run under
	}
	out, err := exec.Command(analyze, "security", "--offline=yes", "--threshold=15", "../../contrib/systemd/tollgate.service").CombinedOutput()
	if err != nil {
		t.Errorf("%s%v", out, err)
	}
}
