package config

import (
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/charset"
	"github.com/tollgate-mail/tollgate/internal/dnscheck"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
	"github.com/tollgate-mail/tollgate/internal/policyfile/values"
	"github.com/tollgate-mail/tollgate/rules"
)

func (d *decoder) gateway(n *node) { d.Read(n, "[gateway]", d.gatewayFields()) }

func (d *decoder) gatewayFields() []field {
	p := &d.gate
	return []field{
		{Key: "name", Read: d.gatewayName},
		{Key: "listen", Read: d.listen},
		{Key: "state_dir", Read: d.Place(&d.config.StateDir)},
		{Key: "refuse_at", Read: func(n *node) {
			d.refuseAt = n
			d.Choice(&p.RefuseAtOnce, "rcpt", "at_once")(n)
		}},
		{Key: "on_error", Read: d.Choice(&p.AcceptOnError, "tempfail", "accept")},
		{Key: "report_header", Read: d.reportHeader},
		{Key: "postfix_config", Read: d.Place(&d.config.PostfixConfig)},
		{Key: "skip_clients", Read: func(n *node) {
			d.Networks(&p.SkipClients)(n)
			d.trusted(n, p.SkipClients, "sends mail that nobody judges and nobody is charged for")
		}},
		{Key: "resolver", Read: d.resolver},
		{Key: "fallback_charset", Read: d.fallbackCharset},
		{Key: "limits", Read: d.limits},
		{Key: "self_check", Read: d.selfCheck},
		{Key: "confine", Read: d.OneOf(&d.config.Confine, ConfineOn, ConfineOff, ConfineRequired)},
		{Key: "read_paths", Read: d.readPaths},
	}
}

// readPaths reads files and folders that are read besides those that are named.
func (d *decoder) readPaths(n *node) {
	for _, c := range d.TextNodes(n) {
		if c.Value == "" {
			d.Errorf(c, "read_paths: a path is empty")
			continue
		}
		path := values.Resolve(c)
		d.config.ReadPaths = append(d.config.ReadPaths, path)
		// The kernel holds to what is there at the start.
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			d.Warnf(c, "read_paths: %s is not there: a confined daemon reads nothing in it, also when it is made later", path)
		}
	}
}

// limits raises bounds; none can be lowered or taken away.
func (d *decoder) limits(n *node) {
	var fields []field
	for _, b := range gate.Bounds() {
		into := &d.gate.Limits[b.ID]
		if b.Octets {
			fields = append(fields, field{Key: b.Name, Read: d.Size(into, b.Value, b.Most)})
			continue
		}
		fields = append(fields, field{Key: b.Name, Read: func(n *node) {
			value := int(b.Value)
			d.Whole(&value, int(b.Value), int(b.Most))(n)
			*into = int64(value)
		}})
	}
	d.Read(n, "[gateway] limits", fields)
}

// resolver reads the DNS servers: address or address:port.
func (d *decoder) resolver(n *node) {
	texts := d.TextNodes(n)
	if n.Kind == document.Array && len(n.Children) == 0 {
		d.Errorf(n, "resolver is empty: leave it out for the servers of resolv.conf")
	}
	for _, c := range texts {
		s := c.Value.(string)
		server, err := dnscheck.ServerAddr(s)
		if err != nil {
			d.Errorf(c, `resolver: %q is neither an address nor "address:port"`, s)
			continue
		}
		d.config.Resolver = append(d.config.Resolver, server)
	}
}

// fallbackCharset reads the charset of octets that nothing labels.
func (d *decoder) fallbackCharset(n *node) {
	s, ok := d.ReadString(n)
	switch {
	case !ok:
	case s != charset.Auto && !charset.Useful(s):
		d.Errorf(n, `fallback_charset: %q is not "auto" and no charset in which octets above 127 stand beside ASCII, such as "windows-1251"`, s)
	default:
		d.gate.FallbackCharset = s
	}
}

func (d *decoder) gatewayName(n *node) {
	s, ok := d.ReadString(n)
	if !ok {
		return
	}
	if !isGatewayName(s) {
		d.Errorf(n, "name %q: letters, digits and . _ - can name a gateway", s)
		return
	}
	d.gate.Gateway = s
}

// isGatewayName: a name stands in record ids, which "/" cuts, in the keys of
// the store and as authserv-id (RFC 8601 §2.5) without quotes.
func isGatewayName(s string) bool {
	for i := range len(s) {
		if !document.Bare(s[i]) && s[i] != '.' {
			return false
		}
	}
	return s != "" && len(s) <= 255
}

// hostName is the gateway's name where the policy gives none.
func (d *decoder) hostName(root *node) {
	name, err := os.Hostname()
	switch {
	case err != nil:
		d.Errorf(root, "[gateway] has no name, and that of this host is not known: %v", err)
	case !isGatewayName(name):
		d.Errorf(root, "[gateway] has no name, and that of this host cannot be it: %q", name)
	default:
		d.gate.Gateway = name
	}
}

func (d *decoder) listen(n *node) {
	d.config.Listen = nil
	texts := d.TextNodes(n)
	if n.Kind == document.Array && len(n.Children) == 0 {
		d.Errorf(n, "listen is empty: Postfix would find nobody")
	}
	seen := map[string]bool{}
	for _, c := range texts {
		addr, ok := d.listenAddress(c)
		if !ok {
			continue
		}
		if seen[addr] {
			d.Errorf(c, "listen: %s stands there twice", addr)
		}
		seen[addr] = true
		d.config.Listen = append(d.config.Listen, addr)
	}
}

func (d *decoder) listenAddress(n *node) (string, bool) {
	s := n.Value.(string)
	if path, ok := strings.CutPrefix(s, "unix:"); ok && path != "" {
		c := *n
		c.Value = path
		path = values.Resolve(&c)
		if len(path) > maxSocketPath {
			d.Errorf(n, "listen: the path of a socket has at most %d octets here; this one has %d", maxSocketPath, len(path))
			return "", false
		}
		return "unix:" + path, true
	}
	if addr, ok := strings.CutPrefix(s, "inet:"); ok {
		host, port, err := net.SplitHostPort(addr)
		if err == nil && host != "" && isPort(port) {
			if ip, err := netip.ParseAddr(host); err == nil && !ip.IsLoopback() && !ip.IsPrivate() {
				d.Warnf(n, "listen: %s: whoever reaches it can speak as Postfix does, and have usage records written: listen on a unix socket, a loopback or a private address", s)
			}
			return s, true
		}
	}
	d.Errorf(n, `listen: %q is neither "unix:/path" nor "inet:host:port"`, s)
	return "", false
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

func (d *decoder) reportHeader(n *node) {
	s, ok := d.ReadString(n)
	if !ok {
		return
	}
	if s == "" {
		d.gate.ReportHeader = ""
		return
	}
	if strings.Contains(s, ":") {
		d.Errorf(n, "report_header: %q is not the name of a header field; its value is tollgate's", s)
		return
	}
	// What clients send under this name is removed: it must be a name that
	// could be a tag's, and rules knows which could.
	tag, err := rules.ParseHeaderTag(s + ": yes")
	if err != nil {
		d.Errorf(n, "report_header: %q cannot be added to mail: %v", s, err)
		return
	}
	d.gate.ReportHeader = tag.Name
}

// selfCheck reads how many messages are judged twice: "1/1000".
func (d *decoder) selfCheck(n *node) {
	s, ok := d.ReadString(n)
	if !ok {
		return
	}
	one, of, found := strings.Cut(s, "/")
	every, err := strconv.ParseInt(of, 10, 64)
	if !found || one != "1" || err != nil || every < 1 || every > 1_000_000_000 {
		d.Errorf(n, `self_check: %q: want one message of so many, such as "1/1000"`, s)
		return
	}
	d.config.SelfCheck = every
}
