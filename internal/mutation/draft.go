package mutation

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/internal/policytest"
)

// draft is a case in the making.
type draft struct {
	c       policytest.Case
	headers map[string][]string
	dns     map[string]string
}

// noon is a Monday at which most is open.
var noon = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// draft is a message that few rules are for.
func (w *world) draft() *draft {
	d := &draft{
		c: policytest.Case{
			Client: policytest.Client{IP: "192.0.2.7", Host: "mail.example.com", Helo: "mail.example.com", TLS: true},
			Sender: "a@example.com", Recipients: []string{w.recipient}, Time: noon,
		},
		headers: map[string][]string{"Subject": {"Hello"}, "Message-ID": {"<1@example.com>"}},
		dns:     map[string]string{},
	}
	if w.cfg.Gate.NeedsDNS() {
		d.dns = map[string]string{"example.com MX": "10 mail.example.com", "mail.example.com A": "192.0.2.7"}
	}
	return d
}

func (d *draft) clone() *draft {
	o := *d
	o.c.Recipients, o.headers, o.dns = slices.Clone(d.c.Recipients), maps.Clone(d.headers), maps.Clone(d.dns)
	o.c.Wrote = maps.Clone(d.c.Wrote)
	return &o
}

// done is the draft as a case.
func (d *draft) done() *policytest.Case {
	c := d.c
	c.Header, c.DNS = map[string]any{}, map[string]any{}
	for name, values := range d.headers {
		switch {
		case len(values) == 1 && name == "Subject":
			s := values[0]
			c.Subject = &s
		case len(values) == 1:
			c.Header[name] = values[0]
		case len(values) > 1:
			all := make([]any, len(values))
			for i, v := range values {
				all[i] = v
			}
			c.Header[name] = all
		}
	}
	for k, v := range d.dns {
		c.DNS[k] = v
	}
	return &c
}

// world is what of a policy decides who is who.
type world struct {
	cfg       *config.Config
	recipient string
}

// newWorld finds a recipient that mail is accepted for: of the cases that pass,
// else of the clients.
func newWorld(cfg *config.Config, cases []*policytest.Case, results []policytest.Result) *world {
	w := &world{cfg: cfg}
	open := func(address string) bool {
		a := cfg.Gate.Directory.Lookup(address)
		return a.Standing == directory.Ours && (a.Client == nil || !a.Client.NoFilter && a.Client.Blocks(noon) == 0)
	}
	for i := range results {
		if !results[i].Passed {
			continue
		}
		for _, r := range cases[i].Recipients {
			if open(r) {
				w.recipient = r
				return w
			}
		}
	}
	for _, c := range cfg.Gate.Directory.Clients() {
		for _, a := range c.Addresses {
			if strings.HasPrefix(a, "@") {
				a = "user" + a
			}
			if !strings.HasPrefix(a, "/") && open(a) {
				w.recipient = a
				return w
			}
		}
	}
	w.recipient = "user@example.org"
	return w
}
