package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Every command of the pages for the first weeks runs, in its order, beside a real
// Postfix; both languages have the same ones.
func TestFirstWeeksPages(t *testing.T) {
	t.Parallel()
	root := moduleRoot(t)
	for _, page := range []string{"exchange", "devices", "provider", "opnsense"} {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			commands := pageCommands(t, filepath.Join(root, "docs", page+".md"))
			if ru := pageCommands(t, filepath.Join(root, "docs/ru", page+".md")); !slices.Equal(commands, ru) {
				t.Errorf("the pages differ in their commands:\n%q\n%q", commands, ru)
			}
			if len(commands) < 4 {
				t.Errorf("only %q", commands)
			}
			g := prepare(t, false)
			g.write(t, "policy/policy.toml", "[recipients]\nmode = \"domains\"\ndomains = [\"example.org\"]\n[outbound]\nnetworks = [\"127.0.0.0/8\"]\n"+
				"[[client]]\nid = \"acme\"\naddresses = [\"@acme.example\"]\n")
			g.start(t)
			for _, command := range commands {
				g.pageCommand(t, command)
			}
		})
	}
}

// pageCommands are the indented lines that are commands, quotes undone.
func pageCommands(t *testing.T, page string) (commands []string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		command, isCode := strings.CutPrefix(strings.TrimRight(line, "\n"), "    ")
		word, _, _ := strings.Cut(command, " ")
		switch {
		case !isCode || command == "" || strings.Contains(command, "   = ") || strings.Contains(command, " = [") || command == "[[client]]":
			// text, or a part of a file
		case !slices.Contains([]string{"tollgate", "postconf", "postfix", "postmap"}, word):
			t.Errorf("%s: nothing runs %q", page, command)
		default:
			commands = append(commands, command)
		}
	}
	return commands
}

// pageCommand runs a command of a page in the sandbox in place of the system.
func (g *gateway) pageCommand(t *testing.T, command string) {
	t.Helper()
	args := quoted.FindAllString(command, -1)
	for n := range args {
		args[n] = strings.ReplaceAll(args[n], `"`, "")
	}
	etc := g.box.Path("pf", "etc")
	for n := range args {
		args[n] = strings.ReplaceAll(args[n], "/etc/postfix", etc)
	}
	switch args[0] {
	case "postmap": // of a file that the reader has written
		if err := os.WriteFile(args[1], []byte("example.net smtp:[127.0.0.1]\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		fallthrough
	case "postconf", "postfix":
		out, err := exec.Command(args[0], append([]string{"-c", etc}, args[1:]...)...).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v: %s", command, err, out)
		}
		return
	}
	args = args[1:]
	var extra []string
	switch args[0] {
	case "setup": // a policy beside ours, and nothing else changed
		out, err := exec.Command(binary, append(args, "--policy-only", "--force", "--policy", g.box.Path("setup.toml"))...).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v: %s", command, err, out)
		}
		return
	case "explain": // of a file that the reader has
		file := g.box.Path("scan.eml")
		if err := os.WriteFile(file, []byte("Subject: Scan\n\nThe device does not answer.\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		args[len(args)-1] = file
	case "doctor":
		extra = []string{"--no-dns"}
	case "send-test":
		extra = []string{"--server", g.postfix.Addr}
	}
	o, err := g.gate.Command(t.Context(), append(args, extra...)...)
	// 1: nothing was found, or doctor has found something.
	if err != nil || o.Exit > 1 || o.Exit == 1 && (args[0] == "send-test" || args[0] == "reload") {
		t.Errorf("%s: exit code %d, %v\n%s%s", command, o.Exit, err, o.Stdout, o.Stderr)
	}
}
