package config

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// writeLines makes a file of many lines.
func writeLines(b *testing.B, path string, head string, n int, line func(i int) string) {
	b.Helper()
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(f)
	fmt.Fprint(w, head)
	for i := range n {
		fmt.Fprint(w, line(i))
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
}

// load measures the loading of a policy and what stays of it in memory.
func load(b *testing.B, path string) {
	b.Helper()
	b.ReportAllocs()
	var cfg *Config
	for b.Loop() {
		c, problems := Load(path)
		if problems.Err() != nil {
			b.Fatal(problems)
		}
		cfg = c
	}
	var with, without runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&with)
	runtime.KeepAlive(cfg)
	cfg = nil
	runtime.GC()
	runtime.ReadMemStats(&without)
	b.ReportMetric(float64(with.HeapAlloc-without.HeapAlloc)/(1<<20), "MiB-kept")
}

func rulePolicy(i int) string {
	stages := []string{"connect", "helo", "mailfrom", "rcptto", "headers", "complete"}
	stage := stages[i%len(stages)]
	match := []string{
		fmt.Sprintf("client_ip = [\"10.%d.%d.0/24\", \"2001:db8:%x::/48\"]", i/250%250, i%250, i),
		fmt.Sprintf("helo = '^host%d\\.'", i),
		fmt.Sprintf("sender = ['@bad%d\\.example$', 'offers?%d']", i, i),
		fmt.Sprintf("recipient = '^trap%d@'", i),
		fmt.Sprintf("subject = ['cheap%d', '\\bwin(ner)?%d\\b'], header.X-Mailer = 'mass%d'", i, i, i),
		fmt.Sprintf("header_ip = \"192.0.2.%d\", size = \"< 64 KiB\"", i%256),
	}[i%len(stages)]
	return fmt.Sprintf("\n[[rule]]\nname = \"rule-%d\"\nstage = \"%s\"\nmatch = { %s }\nweight = %d.5\ntag_header = \"X-Note-%d: {rule}\"\n", i, stage, match, i%7, i%10)
}

func BenchmarkLoadRules(b *testing.B) {
	for _, n := range []int{100, 2000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "policy.toml")
			writeLines(b, path, minimal, n, rulePolicy)
			load(b, path)
		})
	}
}

// headerRule is a rule with an expression on the header, as operators write them.
func headerRule(i int) string {
	word := []string{"cheap", "instant", "genuine", "exclusive", "urgent", "limited", "amazing", "certified"}[i/8%8]
	match := []string{
		`subject = '\b%s-(\w+)-pills%d\b'`,
		`subject = '^(?:re|fwd?):\s*%s\s+casino\s+%d$'`,
		`subject = '%slottery%d.*(?:offer|deal|discount)'`,
		`header.From = '@(?:[a-z0-9-]+\.)*%scrypto%d\.(?:com|net|org|info)>?$'`,
		`header.From = '<%s[._-]?secret\d*@%d\.'`,
		`header."*" = '\b%srefund%d\.(?:ru|cn|top|xyz)\b'`,
		`header."*" = '(?:v[i1!]agra|c[i1!]al[i1!]s)[\s_-]*%s%d'`,
		`header.X-Mailer = '^%swallet mailer\s+v?%d\.\d+'`,
	}[i%8]
	return fmt.Sprintf("\n[[rule]]\nname = \"r%d\"\nstage = \"headers\"\nmatch."+match+"\nweight = 1\n", i, word, i)
}

// BenchmarkLoadHeaderRules is what docs/performance.md says of loading very many
// rules.
func BenchmarkLoadHeaderRules(b *testing.B) {
	path := filepath.Join(b.TempDir(), "policy.toml")
	writeLines(b, path, minimal, 100_000, headerRule)
	load(b, path)
}

func BenchmarkLoadList(b *testing.B) {
	dir := b.TempDir()
	writeLines(b, filepath.Join(dir, "list"), "", 1_000_000, func(i int) string {
		switch i % 4 {
		case 0:
			return fmt.Sprintf("user%d@d%d.example\n", i, i%1000)
		case 1:
			return fmt.Sprintf("d%d.example\n", i)
		case 2:
			return fmt.Sprintf("10.%d.%d.%d\n", i>>16&255, i>>8&255, i&255)
		}
		return fmt.Sprintf(".s%d.example # comment\n", i)
	})
	path := filepath.Join(dir, "policy.toml")
	writeLines(b, path, minimal+`[lists]
big = { file = "list" }
[[rule]]
name = "big"
stage = "mailfrom"
match = { sender = "list:big" }
weight = 1
`, 0, nil)
	load(b, path)
}

func BenchmarkLoadClients(b *testing.B) {
	dir := b.TempDir()
	writeLines(b, filepath.Join(dir, "clients.toml"), "", 100_000, func(i int) string {
		return fmt.Sprintf("[[client]]\nid = \"c%06d\"\nname = \"Client %d\"\naddresses = [\"user%d@example.org\", \"u%d@example.org\"]\nexpires = 2030-01-01\n\n", i, i, i, i)
	})
	path := filepath.Join(dir, "policy.toml")
	writeLines(b, path, "[gateway]\nname = \"mx1.example.org\"\n[clients]\nfile = \"clients.toml\"\n", 0, nil)
	load(b, path)
}
