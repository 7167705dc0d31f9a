package test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// The worked example is done as it is written, on live mail: the files that it
// shows, its commands in their order, and what they are said to do.
func TestWorkedExample(t *testing.T) {
	t.Parallel()
	root, err := harness.Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "docs/example.md"))
	if err != nil {
		t.Fatal(err)
	}
	files, commands := fences(string(text))
	if len(files) != 3 || len(commands) < 14 {
		t.Fatalf("%d files, %d commands", len(files), len(commands))
	}
	g := prepare(t, false)
	g.write(t, "policy/policy.toml", files[0])
	candidate := g.candidate(t, files[1])
	main, err := os.ReadFile(g.gate.Policy)
	if err != nil {
		t.Fatal(err)
	}
	g.write(t, "before.toml", string(main))
	g.write(t, "cases.toml", files[2])
	if err := os.Mkdir(g.box.Path("saved"), 0o755); err != nil {
		t.Fatal(err)
	}
	g.write(t, "saved/1.eml", "Return-Path: <win@far.example>\r\nDelivered-To: ivan@example.org\r\nFrom: win@far.example\r\nSubject: You won the lottery\r\n\r\ntext\r\n")
	g.write(t, "saved/2.eml", "Return-Path: <anna@partner.example>\r\nDelivered-To: ivan@example.org\r\nReceived: from mail.partner.example (mail.partner.example [192.0.2.7]) by mx.example.org with ESMTP id 1; Fri, 27 Nov 2026 10:00:00 +0000\r\n"+
		"From: anna@partner.example\r\nSubject: Invitation to our school lottery\r\n\r\ntext\r\n")
	g.start(t)
	invitation := func() (harness.Reply, error) {
		return g.about("192.0.2.7", "anna@partner.example", "ivan@example.org", "Invitation to our school lottery")
	}
	r, err := invitation()
	if err != nil || r.Code != 550 {
		t.Fatal(r, err)
	}
	_, ref, _ := strings.Cut(strings.Join(r.Lines, " "), "(ref ")
	ref, _, _ = strings.Cut(ref, ")")
	names := map[string]string{
		"REF": ref, "candidate.toml": candidate, "cases.toml": g.box.Path("cases.toml"), "saved": g.box.Path("saved"),
	}
	// What each command says that matters here, by how it begins.
	says := map[string]string{
		"journal show": "lottery", "explain --ref": "lottery", "test ": "4", "replay ": "lottery: 2 -> 1", "shadow report": "", "canary status": "192.0.2.0/24",
		"policy log": "the partner's lottery", "policy diff": "lottery",
	}
	for _, command := range commands {
		args := quoted.FindAllString(command, -1)
		for i, a := range args {
			args[i] = strings.Trim(a, `"`)
			if file, ok := names[args[i]]; ok {
				args[i] = file
			}
		}
		out, err := g.typed(t, args[1:])
		if err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
		said := strings.TrimPrefix(command, "tollgate ")
		for begin, want := range says {
			if strings.HasPrefix(said, begin) && !strings.Contains(out, want) {
				t.Errorf("%s does not say %q:\n%s", command, want, out)
			}
		}
		if was, is := strings.Index(out, "    reject, "), strings.Index(out, "    accept, "); strings.HasPrefix(said, "replay ") && (was < 0 || is < was) {
			t.Errorf("%s does not say that the invitation was refused and would not be:\n%s", command, out)
		}
		// What the mail's fate is from here on.
		want := 0
		switch {
		case strings.HasPrefix(said, "shadow candidate"):
			want = 550
		case strings.HasPrefix(said, "canary start"), strings.HasPrefix(said, "canary promote"):
			want = 250
		case strings.HasPrefix(said, "policy rollback"):
			want = 550
		}
		if r, err := invitation(); want != 0 && (err != nil || r.Code != want) {
			t.Fatalf("after %s: %v %v", command, r, err)
		}
		if r, err := g.about("198.51.100.7", "win@far.example", "ivan@example.org", "You won the lottery"); err != nil || r.Code != 550 {
			t.Fatalf("after %s a stranger is answered %v %v", command, r, err)
		}
	}
}

// typed runs a command as a person types it; without a --policy it is that of the
// gateway. The answer is what it printed.
func (g *gateway) typed(t *testing.T, args []string) (string, error) {
	t.Helper()
	if !strings.Contains(strings.Join(args, " "), "--policy ") {
		out, err := g.gate.Command(t.Context(), args...)
		if err == nil && out.Exit != 0 {
			err = fmt.Errorf("exit code %d", out.Exit)
		}
		return out.Stdout + out.Stderr, err
	}
	var both bytes.Buffer
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Stdout, cmd.Stderr = &both, &both
	err := cmd.Run()
	return both.String(), err
}

// about is transaction with a Subject.
func (g *gateway) about(ip, from, to, subject string) (harness.Reply, error) {
	c, err := harness.Dial(g.postfix.Addr)
	if err != nil {
		return harness.Reply{}, err
	}
	defer c.Close()
	err = errors.Join(
		expect(220)(c.Reply()), expect(220)(c.XClient("ADDR="+ip, "NAME=mail.far.test")), expect(250)(c.Cmd("EHLO mail.far.test")),
		expect(250)(c.Cmd("MAIL FROM:<"+from+">")), expect(250)(c.Cmd("RCPT TO:<"+to+">")))
	if err != nil {
		return harness.Reply{}, err
	}
	return c.Data([]byte("From: " + from + "\r\nSubject: " + subject + "\r\n\r\ntext\r\n"))
}

// fences are a page's TOML files and its commands, in their order.
func fences(text string) (files, commands []string) {
	var file []string
	inside := false
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, "```toml"):
			inside, file = true, nil
		case strings.HasPrefix(line, "```"):
			inside = false
			files = append(files, strings.Join(file, ""))
		case inside:
			file = append(file, line)
		case strings.HasPrefix(line, "    "):
			commands = append(commands, strings.TrimSpace(line))
		}
	}
	return files, commands
}
