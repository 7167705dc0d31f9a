package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/doctor"
)

// A gateway that does not run, with a bad policy: both are found, and the rest is
// looked at all the same.
func TestDoctor(t *testing.T) {
	h := newHouse(t)
	h.write("policy.toml", policy+"[nonsense]\n")
	o := h.run("doctor", "--no-dns", "--json")
	var found []doctor.Finding
	if err := json.Unmarshal([]byte(o.out), &found); err != nil || o.code != 1 {
		t.Fatalf("exit code %d, %v: %s%s", o.code, err, o.out, o.err)
	}
	for _, name := range []string{"daemon-down", "policy-bad", "disk-state-missing"} {
		if !slices.ContainsFunc(found, func(f doctor.Finding) bool { return f.Name == name && f.Severity == doctor.Fault }) {
			t.Errorf("no %s in %+v", name, found)
		}
	}
	o = h.run("doctor", "--no-dns")
	if !strings.Contains(o.out, "fault: ") || !strings.Contains(o.out, "repair: tollgate check") || o.code != 1 {
		t.Errorf("exit code %d: %s%s", o.code, o.out, o.err)
	}
}
