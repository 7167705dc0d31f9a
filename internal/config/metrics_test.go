package config

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/tollgate-mail/tollgate/rules"
)

// Figures are shown on loopback or nowhere.
func TestMetricsListen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{`"127.0.0.1:9464"`, "127.0.0.1:9464"},
		{`"127.8.0.1:1"`, "127.8.0.1:1"},
		{`"[::1]:9464"`, "[::1]:9464"},
		{`"[::ffff:127.0.0.1]:9464"`, "127.0.0.1:9464"},
		{`""`, ""},
		{`"0.0.0.0:9464"`, "error"},
		{`"[::]:9464"`, "error"},
		{`"192.0.2.1:9464"`, "error"},
		{`":9464"`, "error"},
		{`"localhost:9464"`, "error"},
		{`"127.0.0.1:0"`, "error"},
		{`"127.0.0.1"`, "error"},
		{`"[::1%lo]:9464"`, "error"},
		{`9464`, "error"},
	} {
		path := filepath.Join(t.TempDir(), "policy.toml")
		write(t, path, "[gateway]\nname = \"gw\"\n[metrics]\nlisten = "+c.text+"\n")
		cfg, problems := Load(path)
		got := "error"
		if problems.Err() == nil {
			got = cfg.MetricsListen
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q: %v", c.text, got, c.want, problems)
		}
		if c.want == "error" && (!slices.ContainsFunc(problems, func(p rules.Problem) bool { return p.Pos.Line == 4 })) {
			t.Errorf("%s: %v, want a problem of line 4", c.text, problems)
		}
	}
}
