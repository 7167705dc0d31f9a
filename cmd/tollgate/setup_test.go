package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/confine"
)

// Whatever is answered, the policy passes as strictly as can be.
func TestSetupPolicies(t *testing.T) {
	for _, flags := range []string{
		"--domains example.org --next-hop local --outbound none --antivirus none --store embedded",
		"--domains example.org,.example.org,пример.рф --next-hop mail.example.org:2525 --outbound 10.0.0.0/8,fd00::/8 --antivirus unix:/nonexistent/clamd.ctl --store 127.0.0.1:6379",
		"--domains example.org --outbound 192.0.2.7 --antivirus tcp:127.0.0.1:1",
		"--domains example.org --next-hop local --outbound users --antivirus none",
	} {
		h := newHouse(t)
		if err := os.Remove(h.path("policy.toml")); err != nil {
			t.Fatal(err)
		}
		o := h.run(append(strings.Fields(flags), "setup", "--name", "mx1.example.org", "--policy-only", "--yes")...)
		if away := strings.Contains(flags, "clamd.ctl") || strings.Contains(flags, "tcp:"); o.code != 0 || away != strings.Contains(o.err, "all mail is deferred") {
			t.Errorf("%s: exit code %d: %s", flags, o.code, o.err)
		}
		h.mustRun("check", "--strict")
		// Nobody is nobody.
		if loggedIn := strings.Contains(h.read("policy.toml"), "authenticated = true"); loggedIn == strings.Contains(flags, "none --anti") {
			t.Errorf("%s: who has logged in may send: %v", flags, loggedIn)
		}
	}
	h := newHouse(t)
	if o := h.run("setup", "--name", "mx1.example.org", "--domains", "example.org", "--next-hop", "MX1.example.org:25", "--policy-only", "--yes", "--force"); o.code != 2 || !strings.Contains(o.err, "is this gateway") {
		t.Errorf("exit code %d: %s", o.code, o.err)
	}
}

func TestSetupAsks(t *testing.T) {
	h := newHouse(t)
	h.write("policy.toml", "[recipients]\nmode = \"domains\"\ndomains = [] # EDIT THIS LINE\n")
	c := h.command("setup", "--policy-only", "--policy", "policy.toml")
	// The second answer cannot be read: it is asked for again.
	c.Stdin = strings.NewReader("mx1.example.org\nexample\nexample.org\nmail.example.org\n10.0.0.0/8\nnone\nembedded\n")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, want := range []string{"1/6 ", "6/6 ", `"example" is no mail domain`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in %s", want, out)
		}
	}
	h.mustRun("check", "--strict")
	policy, err := os.ReadFile(h.path("policy.toml"))
	if err != nil || !strings.Contains(string(policy), `networks      = ["10.0.0.0/8"]`) {
		t.Errorf("%s %v", policy, err)
	}

	// As it was written, it is nobody's: another answer replaces it.
	again := []string{"setup", "--policy-only", "--yes", "--name", "mx1.example.org", "--domains", "example.org", "--next-hop", "mail.example.org", "--outbound", "10.0.0.0/8", "--antivirus", "none", "--store", "embedded"}
	h.mustRun(again...)
	if same, err := os.ReadFile(h.path("policy.toml")); err != nil || string(same) != string(policy) {
		t.Errorf("%s, %v", same, err)
	}
	// Where the kernel can, it is kept to its files.
	if can := confine.Able() == nil; can != strings.Contains(string(policy), "\nconfine = \"on\"") {
		t.Errorf("the kernel can: %t\n%s", can, policy)
	}
	policy = append(policy, "# ours\n"...)
	h.write("policy.toml", string(policy))
	// It is somebody's now.
	flags := []string{"setup", "--policy-only", "--yes", "--name", "mx2.example.org", "--domains", "example.net", "--antivirus", "none"}
	if o := h.run(flags...); o.code != 1 || !strings.Contains(o.err, "--force") {
		t.Errorf("exit code %d: %s", o.code, o.err)
	}
	// Each policy that somebody wrote is kept, however often it is replaced.
	edited := []string{string(policy)}
	h.mustRun(append(flags, "--force")...)
	edited = append(edited, h.read("policy.toml")+"# once more\n")
	h.write("policy.toml", edited[1])
	h.mustRun(append(flags, "--force")...)
	kept, err := filepath.Glob(h.path("policy.toml.before-*"))
	if err != nil || len(kept) != 2 {
		t.Error(kept, err)
	}
	for _, name := range kept {
		edited = slices.DeleteFunc(edited, func(text string) bool { return text == h.read(filepath.Base(name)) })
	}
	if len(edited) > 0 {
		t.Errorf("lost: %q", edited)
	}
	if o := h.run("setup", "--policy-only", "--yes", "--force", "--domains", "nonsense"); o.code != 2 {
		t.Errorf("exit code %d: %s", o.code, o.err)
	}
}

// What is proposed is taken: nobody who presses the return key is told off.
func TestSetupProposes(t *testing.T) {
	t.Parallel()
	for _, is := range [][4]string{
		{"mx1.example.org", "example.org", "mx1.example.org", "example.org"},
		{"debian", "localdomain", "", ""},
		{"debian.localdomain", "localdomain", "", ""},
		{"", "", "", ""},
	} {
		host, domain := proposals(is[0], is[1])
		if host != is[2] || domain != is[3] || proposed(host) == " []" {
			t.Errorf("%q: %q, %q", is, host, domain)
		}
	}
}
