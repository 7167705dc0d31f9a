package http

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/mail"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/test/harness"
)

// page is the documentation of the protocol.
func page(t *testing.T) string {
	t.Helper()
	root, err := harness.Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "http-module.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// block is the one of that language in the page.
func block(t *testing.T, language string) string {
	t.Helper()
	_, text, ok := strings.Cut(page(t), "```"+language+"\n")
	if !ok {
		t.Fatalf("no %s", language)
	}
	text, _, ok = strings.Cut(text, "```")
	if !ok {
		t.Fatalf("%s without end", language)
	}
	return text
}

func TestDocumentedVerdict(t *testing.T) {
	t.Parallel()
	f, err := parse([]byte(block(t, "json")))
	if err != nil || f.Score != 3500 || len(f.Symbols) != 1 || f.Action != "mark" || len(f.Add) != 1 || len(f.Remove) != 1 {
		t.Errorf("%+v, %v", f, err)
	}
}

// The example server is built from the page and inspects messages.
func TestDocumentedServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	source, binary := filepath.Join(dir, "scanner.go"), filepath.Join(dir, "scanner")
	if err := os.WriteFile(source, []byte(block(t, "go")), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, source).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	addr := freePort(t)
	var said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), binary, addr)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
	})
	i := inspector(t, Settings{URL: "http://" + addr + "/inspect"})
	ctx := limit(t)
	for i.Ping(ctx) != nil {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%v: %s", err, said.String())
		case <-ctx.Done():
			t.Fatal("it does not listen")
		case <-time.After(10 * time.Millisecond): // there is no event of beginning to listen
		}
	}
	for _, tt := range []struct {
		subject, body string
		want          module.Finding
	}{
		{"Привет", "x", module.Finding{}},
		{"", "hush", module.Finding{Action: "hush"}},
		{"ДЁШЕВО!", "x", module.Finding{
			Score: 3500, Symbols: []string{"SHOUTING"}, Add: []module.Addition{{Field: mail.Field{Name: "X-Scanner", Value: " =?UTF-8?B?0KLQuNGI0LUh?="}}},
		}},
	} {
		f, err := i.inspect(ctx, &module.Envelope{Subject: tt.subject}, message("From: a@example.org\r\n\r\n"+tt.body+"\r\n"))
		same(t, tt.subject, f, tt.want, err)
	}
	// It has no verdict about half a message, and takes the next.
	broken, cancel := context.WithCancel(ctx)
	cancel()
	if f, err := i.inspect(broken, &module.Envelope{}, stalled); err == nil {
		t.Errorf("half a message: %+v", f)
	}
	f, err := i.inspect(ctx, &module.Envelope{}, message("\r\n"+strings.Repeat("x\r\n", 1<<20)+"hush\r\n"))
	same(t, "large", f, module.Finding{Action: "hush"}, err)
}
