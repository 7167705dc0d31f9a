package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
)

// Whatever a policy says, there is either a config or an error, and every
// problem has a place.
func FuzzPolicy(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*/policy.toml")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		root, problem := document.Parse("policy.toml", text, nil)
		if problem != nil || strings.Contains(text, "file") {
			return // what names files is not for a fuzzer
		}
		d := newDecoder()
		d.decode(root)
		cfg, problems := d.result()
		if (cfg == nil) != (problems.Err() != nil) {
			t.Fatalf("%v with %v", cfg, problems)
		}
		last := strings.Count(text, "\n") + 1
		for _, p := range problems {
			if p.Pos.File != "policy.toml" || p.Pos.Line < 1 || p.Pos.Line > last || p.Msg == "" {
				t.Fatalf("%+v of %d lines", p, last)
			}
		}
	})
}
