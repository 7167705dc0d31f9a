package diag

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	valid := []string{"subject", "sender", "sender_domain", "client_ip", "tls", "helo"}
	for name, want := range map[string]string{
		"subjekt": "subject", "Subject": "subject", "client-ip": "client_ip", "sneder": "sender", "tsl": "tls",
		"sender_doman": "sender_domain", "": "", "x": "", "from": "", "attachment": "", strings.Repeat("subject", 1000): "",
	} {
		if got := Nearest(name, valid); got != want {
			t.Errorf("%.20q: %q, want %q", name, got, want)
		}
	}
}
