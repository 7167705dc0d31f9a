package main

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// A gateway has one key, another gateway another; where it cannot be had it is said,
// and nobody's hashes are shown.
func TestRedactKey(t *testing.T) {
	shown := func(h *house) output {
		t.Helper()
		return h.run("journal", "--redact")
	}
	var of [2]string
	for i := range of {
		h := newHouse(t)
		h.journals()
		if err := os.MkdirAll(h.path("state"), 0o750); err != nil {
			t.Fatal(err)
		}
		a, b := shown(h), shown(h)
		if a.code != 0 || a.out != b.out || strings.Contains(a.err+b.err, "of this output alone") || !strings.Contains(a.out, "~") {
			t.Errorf("%+v, then %+v", a, b)
		}
		of[i] = a.out
		info, err := os.Stat(h.path("state/redact.key"))
		if err != nil || info.Size() != redactKeySize || info.Mode().Perm() != 0o640 {
			t.Errorf("%v, %v", info, err)
		}
		if list, err := filepath.Glob(h.path("state/*redact*")); err != nil || len(list) != 1 {
			t.Errorf("%v, %v", list, err)
		}
		for _, broken := range []string{"", "short"} {
			h.write("state/redact.key", broken)
			a, b := shown(h), shown(h)
			if a.out == b.out || a.out == of[i] || !strings.Contains(a.err, "the hashes are of this output alone") {
				t.Errorf("%+v, then %+v", a, b)
			}
		}
	}
	if of[0] == of[1] {
		t.Error("two gateways have the same hashes")
	}
}

// Of several commands at a time all take the key that was there first.
func TestRedactKeyIsMadeOnce(t *testing.T) {
	dir := t.TempDir()
	keys := make([]redactKey, 16)
	var under sync.WaitGroup
	for i := range keys {
		under.Go(func() {
			var err error
			if keys[i], err = gatewayKey(dir); err != nil {
				t.Error(err)
			}
		})
	}
	under.Wait()
	for _, k := range keys {
		if string(k) != string(keys[0]) {
			t.Fatal("several keys")
		}
	}
}
