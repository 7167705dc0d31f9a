package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/journal/journaltest"
)

// Rotated journals are packed by hand, beside a daemon that runs and without one, and
// are found in afterwards; damage of an index is said and mended.
func TestJournalIndex(t *testing.T) {
	h := newHouse(t)
	d := h.serve()
	rotate := func(name string, seed uint64) {
		var b bytes.Buffer
		if err := journaltest.Write(&b, journaltest.Load{Seed: seed, Lines: 3000, Start: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)}); err != nil {
			t.Fatal(err)
		}
		h.write("journal/"+name, b.String())
	}
	find := func(seed uint64) output {
		t.Helper()
		ref := journaltest.Ref(seed, 1234)
		o := h.run("journal", ref)
		if o.code != 0 || !strings.Contains(o.out, ref) {
			t.Errorf("%s: %+v", ref, o)
		}
		return o
	}
	rotate("messages.jsonl-20261120", 1)
	if o := h.run("journal", "index"); o.code != 0 || !strings.HasPrefix(o.out, "1 file packed, ") {
		t.Errorf("%+v", o)
	}
	find(1)
	d.stop(syscall.SIGTERM)
	rotate("messages.jsonl-20261121", 2)
	if o := h.run("journal", "index", "--json"); o.code != 0 || !strings.Contains(o.out, `"packed": 1`) {
		t.Errorf("%+v", o)
	}
	find(2)
	all, err := filepath.Glob(h.path("journal/index/*.idx"))
	if err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}
	for _, path := range all {
		if err := os.Truncate(path, 4096); err != nil {
			t.Fatal(err)
		}
	}
	if o := find(1); !strings.Contains(o.err, "its index cannot be believed") {
		t.Errorf("%+v", o)
	}
	if o := h.run("journal", "index"); o.code != 0 || !strings.Contains(o.out, "of them 2 that were missing or damaged") {
		t.Errorf("%+v", o)
	}
	if o := find(1); o.err != "" {
		t.Errorf("%+v", o)
	}
	if o := h.run("journal", "--count-by", "recipient", "--top", "1"); o.code != 0 || strings.Count(o.out, "\n") != 3 || !strings.Contains(o.out, "_other") {
		t.Errorf("%+v", o)
	}
}
