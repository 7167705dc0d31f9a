package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/test/harness"
)

// The demo says from its first moment what it does, shows what it promises, and ends
// with five lines on it.
func TestDemo(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*harness.Patience)
	defer cancel()
	var out bytes.Buffer
	if err := run(ctx, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	text := out.String()
	if testing.Verbose() {
		t.Log("\n" + text)
	}
	first, _, _ := strings.Cut(text, "\n")
	if !strings.HasPrefix(first, "[  0 s] ") {
		t.Errorf("the first line is %q", first)
	}
	for _, step := range []string{"building tollgate", "starting a clamd", "starting tollgate", "starting a Postfix", "all is up"} {
		if !regexp.MustCompile(`(?m)^\[ *\d+ s\] ` + step).MatchString(text) {
			t.Errorf("nothing is said of %q", step)
		}
	}
	_, summary, _ := strings.Cut(text, "In five lines\n-------------\n")
	summary, _, _ = strings.Cut(summary, "\n\n")
	if lines := strings.Split(summary, "\n"); len(lines) != 5 || !strings.Contains(lines[0], "15 messages: ") || strings.Contains(lines[0], " 0 ") {
		t.Errorf("the summary:\n%s", summary)
	}
	for _, name := range regexp.MustCompile(`(docs|test)/[a-z/]+\.(md|toml)`).FindAllString(text, -1) {
		if _, err := os.Stat(filepath.Join("..", "..", name)); err != nil {
			t.Errorf("what is named is not there: %v", err)
		}
	}
	// A share is less than the message.
	_, shares, _ := strings.Cut(text, "report --by client,recipient\n")
	row := regexp.MustCompile(`(?m)^sales .*orders@example\.org +1 +(\S+.*?) {2,}(\S.*)$`).FindStringSubmatch(shares)
	if row == nil || strings.TrimSpace(row[1]) == strings.TrimSpace(row[2]) {
		t.Errorf("no share is shown: %q\n%s", row, shares)
	}
}

// The policy that the demo names can be checked, tried and installed as it is.
func TestDemoPolicy(t *testing.T) {
	if _, problems := config.Load("policy.toml"); len(problems) > 0 {
		t.Error(problems)
	}
}
