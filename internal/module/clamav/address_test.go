package clamav

import (
	"net"
	"net/url"
	"testing"
)

func TestClientURL(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]string{
		"unix:/run/clamav/clamd.ctl": "unix:///run/clamav/clamd.ctl",
		"unix:/a b/%41?x#y:z":        "unix:///a%20b/%2541%3Fx%23y:z",
		"tcp:127.0.0.1:3310":         "tcp://127.0.0.1:3310",
		"tcp:[::1]:3310":             "tcp://[::1]:3310",
		"tcp:[fe80::1%eth0]:3310":    "tcp://[fe80::1%25eth0]:3310",
		"tcp:scan.example.org:3310":  "tcp://scan.example.org:3310",
	} {
		got, err := clientURL(addr)
		if err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", addr, got, err, want)
			continue
		}
		// What the client makes of it is what was meant.
		u, err := url.Parse(got)
		if err != nil || addr != u.Scheme+":"+u.Host+u.Path {
			t.Errorf("%s arrives as %s, %v", addr, u, err)
		}
	}
	for _, addr := range []string{
		"", "/run/clamd.ctl", "unix:", "unix:clamd.ctl", "unix:/a\x00b", "udp:127.0.0.1:3310", "tcp:", "tcp:3310", "tcp::3310",
		"tcp:127.0.0.1", "tcp:127.0.0.1:0", "tcp:127.0.0.1:70000", "tcp:127.0.0.1:clamd", "tcp:a/b:1", "tcp:::1:3310", "tcp:a b:1",
	} {
		if got, err := clientURL(addr); err == nil {
			t.Errorf("%q is taken as %s", addr, got)
		}
		if _, err := New(Settings{Addr: addr}); err == nil {
			t.Errorf("%q is taken", addr)
		}
	}
}

func FuzzClientURL(f *testing.F) {
	for _, addr := range []string{"unix:/run/clamav/clamd.ctl", "tcp:[::1]:3310", "tcp:a%b:1", "tcp:[fe80::1%eth0]:1"} {
		f.Add(addr)
	}
	f.Fuzz(func(t *testing.T, addr string) {
		got, err := clientURL(addr)
		if err != nil {
			return
		}
		u, err := url.Parse(got)
		if err != nil {
			t.Fatalf("%q gives %q: %v", addr, got, err)
		}
		if u.Scheme == "unix" {
			if addr != "unix:"+u.Path {
				t.Errorf("%q arrives as %q", addr, u.Path)
			}
			return
		}
		if _, _, err := net.SplitHostPort(u.Host); err != nil {
			t.Errorf("%q arrives as %q: %v", addr, u.Host, err)
		}
	})
}
