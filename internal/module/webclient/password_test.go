package webclient

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// However an address is written, and whatever is wrong with it, no part of the
// password is in what is said of it.
func TestPasswordIsNotTold(t *testing.T) {
	const secret = "hunter"
	odd := []string{"", "/", "#", "?", "%", "%zz", ":", "@", " ", "\x01", "[", "]", "\\", "ä", "%2", ";", "\""}
	before := []string{"http://", "https://", "ftp://", "", "http:", "http:/", "HTTP://", "://", "http//"}
	after := []string{"@host", "@host:port", "@host:99999999", "@[::1", "@", "@host#x", "@host/%zz", "/host", "", "@host\x7f", "@ho st", ":80", "#host"}
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, b := range before {
		for _, a := range after {
			for _, o := range odd {
				for _, user := range []string{"user:", ":", "user:x"} {
					password := secret + o + secret[:rnd.IntN(len(secret))]
					text := b + user + password + a
					for _, cas := range []string{"", "no certificates"} {
						if err := (Config{URL: text, CAs: cas}).Check(); err != nil && strings.Contains(strings.ToLower(err.Error()), secret) {
							t.Errorf("%q: %v", text, err)
						}
					}
				}
			}
		}
	}
}
