package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

// A policy names a built list in place of its text and decides alike; what is stale,
// damaged or cannot be built is told.
func TestListBuild(t *testing.T) {
	h := newHouse(t)
	use := func(list string) {
		h.write("policy.toml", policy+"[lists]\nblocked = { file = \""+list+"\" }\n"+
			"[[rule]]\nname = \"blocked\"\nstage = \"connect\"\nmatch = { client_ip = \"list:blocked\" }\naction = \"reject\"\n")
	}
	refused := func(ip string) bool {
		h.write("one.eml", "From: a@b.example\nSubject: x\n\ntext\n")
		return strings.Contains(h.mustRun("explain", "--client-ip", ip, "--recipient", "ivan@example.org", h.path("one.eml")), "blocked")
	}
	h.write("blocked.txt", "192.0.2.0/24 # a network\n198.51.100.7\nbad.example\n")
	use("blocked.txt")
	fromText := []bool{refused("192.0.2.9"), refused("198.51.100.7"), refused("198.51.100.8")}
	if out := h.mustRun("list", "build", h.path("blocked.txt")); !strings.Contains(out, "3 entries") {
		t.Error(out)
	}
	use("blocked.tgl")
	if out := h.mustRun("check"); strings.Contains(out, "warning") {
		t.Error(out)
	}
	built := []bool{refused("192.0.2.9"), refused("198.51.100.7"), refused("198.51.100.8")}
	for i := range built {
		if built[i] != fromText[i] {
			t.Errorf("number %d: %v, from the text %v", i, built[i], fromText[i])
		}
	}
	if out := h.mustRun("list", "verify", h.path("blocked.tgl")); !strings.Contains(out, "sound") {
		t.Error(out)
	}

	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(h.path("blocked.txt"), later, later); err != nil {
		t.Fatal(err)
	}
	if o := h.run("check"); o.code != 0 || o.err != "" {
		t.Errorf("of a copy of the text: %+v", o)
	}
	h.write("blocked.txt", strings.Replace(h.read("blocked.txt"), "bad.", "mad.", 1))
	if o := h.run("check"); o.code != 0 || !strings.Contains(o.err, "tollgate list build") {
		t.Errorf("of another text: %+v", o)
	}

	good := h.read("blocked.tgl")
	h.write("blocked.txt", "ok.example\n/evil/\n")
	if o := h.run("list", "build", h.path("blocked.txt")); o.code != exitPolicy || !strings.Contains(o.err, "blocked.txt:2: ") {
		t.Errorf("of an expression: %+v", o)
	}
	if h.read("blocked.tgl") != good {
		t.Error("a build that failed changed the file")
	}
	if o := h.run("list", "build", h.path("blocked.txt"), h.path("policy.toml")); o.code != exitAway {
		t.Errorf("over another file: %+v", o)
	}

	h.write("blocked.tgl", good[:len(good)-3])
	if o := h.run("check"); o.code != exitPolicy || !strings.Contains(o.err, "damaged") {
		t.Errorf("of a file that is cut: %+v", o)
	}
	h.write("blocked.tgl", good[:90]+"\xff"+good[91:])
	if o := h.run("list", "verify", h.path("blocked.tgl")); o.code != exitAway || !strings.Contains(o.err, "damaged") {
		t.Errorf("of a file with another octet: %+v", o)
	}
}
