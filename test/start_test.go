package test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// elsewhere are commands of the pages for the first hour that change the machine:
// test/bareroot.sh runs them.
var elsewhere = []string{"make install", "$EDITOR ", "systemctl ", "tollgate attach"}

// quoted cuts a command line: words, and texts in double quotes.
var quoted = regexp.MustCompile(`"[^"]*"|\S+`)

// Every command of the pages for the first hour, in either language, is one that
// there is, with flags that it has.
func TestStartPages(t *testing.T) {
	t.Parallel()
	root, err := harness.Root()
	if err != nil {
		t.Fatal(err)
	}
	g := prepare(t, false)
	g.write(t, "policy/policy.toml", "[recipients]\nmode = \"domains\"\ndomains = [\"example.org\"]\n[[rule]]\nname = \"programs\"\nstage = \"connect\"\nmatch = { client_ip = \"192.0.2.0/24\" }\n")
	g.start(t)
	if r, err := g.transaction("192.0.2.7", "a@far.test", "ivan@example.org"); err != nil || !r.OK() {
		t.Fatal(r, err)
	}
	queueID := ""
	for _, o := range g.journal(t, "messages") {
		queueID, _ = o["queue_id"].(string)
	}
	ran := map[string][]string{}
	for _, page := range []string{"README.md", "README.ru.md", "docs/start.md", "docs/ru/start.md"} {
		text, err := os.ReadFile(filepath.Join(root, page))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			command, isCode := strings.CutPrefix(strings.TrimRight(line, "\n"), "    ")
			command, _, _ = strings.Cut(command, "  #")
			command = strings.TrimSpace(command)
			if !isCode || command == "" || strings.HasPrefix(command, "make demo") || strings.HasPrefix(command, "make test") {
				continue
			}
			ran[page] = append(ran[page], command)
			skip := false
			for _, prefix := range elsewhere {
				skip = skip || strings.HasPrefix(command, prefix)
			}
			if skip && command != "tollgate attach --dry-run" {
				continue
			}
			args := quoted.FindAllString(strings.NewReplacer("QUEUE-ID", queueID, "/var/backups/", g.box.Dir+"/", "$(date +%F)", filepath.Base(page)+filepath.Base(filepath.Dir(page))).Replace(command), -1)
			for n := range args {
				args[n] = strings.Trim(args[n], `"`)
			}
			if args[0] != "tollgate" {
				t.Errorf("%s: nothing runs %q", page, command)
				continue
			}
			out, err := g.gate.Command(t.Context(), args[1:]...)
			if err != nil {
				t.Fatal(err)
			}
			// 1: an example names mail that is not there.
			if out.Exit > 1 {
				t.Errorf("%s: %s: exit code %d: %s", page, command, out.Exit, out.Stderr)
			}
		}
	}
	if en, ru := ran["docs/start.md"], ran["docs/ru/start.md"]; strings.Join(en, "\n") != strings.Join(ru, "\n") || len(en) < 15 {
		t.Errorf("the pages differ in their commands:\n%q\n%q", en, ru)
	}
}
