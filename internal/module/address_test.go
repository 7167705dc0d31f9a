package module

import (
	"strings"
	"testing"
)

// An address as others write it is told as it is written here, and what is told is
// taken.
func TestMeantAddress(t *testing.T) {
	t.Parallel()
	words := map[string]bool{"": true, "tcp:": true, "TCP:": true, "inet:": true, "inet6:": true, "tcp4:": true, "tcp://": true}
	for said, want := range map[string]string{
		"3310":                "tcp:localhost:3310",
		"127.0.0.1:3310":      "tcp:127.0.0.1:3310",
		"scan.example:3310":   "tcp:scan.example:3310",
		"3310@scan.example":   "tcp:scan.example:3310",
		"3310@[::1]":          "tcp:[::1]:3310",
		"[::1]:3310":          "tcp:[::1]:3310",
		"::1:3310":            "tcp:[::1]:3310",
		"fe80::1%eth0:3310":   "tcp:[fe80::1%eth0]:3310",
		"2001:db8::7:3310":    "tcp:[2001:db8::7]:3310",
		"/run/clamd.ctl":      "unix:/run/clamd.ctl",
		"/run/a\x00b":         "unix:/run/ab",
		"127.0.0.1":           "",
		"127.0.0.1:0":         "",
		"70000":               "",
		"scan.example:clamd":  "",
		"scan.example":        "",
		"a b:3310":            "",
		"run/clamd.ctl":       "",
		"":                    "",
		":3310":               "",
		"127.0.0.1:3310:3310": "",
	} {
		for word := range words {
			heard(t, word+said, want)
		}
	}
	for _, word := range []string{"local:", "UNIX:", "socket:"} {
		heard(t, word+"/run/clamd.ctl", "unix:/run/clamd.ctl")
		heard(t, word+"run/clamd.ctl", "")
		heard(t, word+"3310", "")
	}
}

func heard(t *testing.T, said, want string) {
	t.Helper()
	_, _, err := ParseAddress(said)
	switch {
	case err == nil && (want == said || want == ""):
		return
	case err == nil:
		t.Errorf("%q is taken; %q is meant", said, want)
		return
	}
	_, advice, ok := strings.Cut(err.Error(), "did you mean ")
	if got := strings.Trim(advice, `"?`); ok != (want != "") || got != want {
		t.Errorf("%q: %v; want %q", said, err, want)
	}
	if _, _, err := ParseAddress(want); want != "" && err != nil {
		t.Errorf("%q is told for %q, and is no address: %v", want, said, err)
	}
}
