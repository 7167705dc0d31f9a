package harness

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/miekg/dns"
)

// NSD is a DNS server with zones of its own. It answers for nothing else: a
// question outside of its zones is REFUSED.
type NSD struct {
	Addr string // host:port, UDP and TCP
	port int
	zone string // one that it has; "" for none
	dir  string // its own; its log stands beside
	proc *Process
}

// Unreadable stands for the text of a zone whose file is not there: the server
// says SERVFAIL to all questions within.
const Unreadable = "\x00"

// NSD starts a server. Zones are the texts of zone files by the zones' names;
// what a text does not begin with is added: $ORIGIN, $TTL, the SOA (its
// minimum 60 s) and one NS.
func (s *Sandbox) NSD(zones map[string]string) (*NSD, error) {
	dir, err := os.MkdirTemp(s.Dir, "nsd")
	if err != nil {
		return nil, fmt.Errorf("harness: %w", err)
	}
	n := &NSD{dir: dir}
	s.OnClose(n.Stop)
	for zone, text := range zones {
		if text == Unreadable {
			continue
		}
		n.zone = dns.Fqdn(zone)
		if err := n.Zone(zone, text); err != nil {
			return nil, err
		}
	}
	// Whether a port is free shows only when the server has it: another
	// process may be as fast.
	for range 5 {
		if n.port, err = dnsPort(); err != nil {
			return nil, err
		}
		n.Addr = Loopback(n.port)
		if err = n.configure(zones); err != nil {
			return nil, err
		}
		if err = n.Start(); err == nil {
			return n, nil
		}
	}
	return nil, err
}

// dnsPort finds a port that is free on loopback for UDP and TCP, above those
// of Port, which keeps the UDP side as its sign.
func dnsPort() (int, error) {
	for range 1000 {
		port := highestPort + rand.IntN(32768-highestPort)
		udp, err := net.ListenPacket("udp", Loopback(port))
		if err != nil {
			continue
		}
		tcp, err := net.Listen("tcp", Loopback(port))
		udp.Close()
		if err != nil {
			continue
		}
		if err := tcp.Close(); err != nil {
			return 0, fmt.Errorf("harness: %w", err)
		}
		return port, nil
	}
	return 0, fmt.Errorf("harness: no free port for UDP and TCP")
}

// Zone writes a zone's file anew, if the text is good; Reload makes it seen.
func (n *NSD) Zone(zone, text string) error {
	head := fmt.Sprintf("$ORIGIN %s\n$TTL 300\n", dns.Fqdn(zone))
	if !strings.Contains(text, "SOA") {
		head += fmt.Sprintf("@ SOA ns.invalid. hostmaster.invalid. %d 3600 600 86400 60\n@ NS ns.invalid.\n", time.Now().Unix())
	}
	// The server would say of a bad zone only that it has none.
	file := filepath.Join(n.dir, zoneFile(zone))
	if err := os.WriteFile(file+".new", []byte(head+text+"\n"), 0o644); err != nil {
		return fmt.Errorf("harness: %w", err)
	}
	if out, err := exec.Command("nsd-checkzone", dns.Fqdn(zone), file+".new").CombinedOutput(); err != nil {
		return fmt.Errorf("harness: zone %s: %w\n%s", zone, err, out)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return fmt.Errorf("harness: %w", err)
	}
	return nil
}

func zoneFile(zone string) string {
	return strings.ReplaceAll(strings.TrimSuffix(zone, "."), "/", "_") + ".zone"
}

func (n *NSD) configure(zones map[string]string) error {
	var b strings.Builder
	// rrl: responses to one client are not limited here.
	fmt.Fprintf(&b, `server:
  ip-address: 127.0.0.1@%d
  username: ""
  zonesdir: %q
  zonelistfile: %q
  xfrdfile: %q
  xfrdir: %q
  database: ""
  pidfile: ""
  server-count: 1
  rrl-ratelimit: 0
remote-control:
  control-enable: no
`, n.port, n.dir, filepath.Join(n.dir, "zone.list"), filepath.Join(n.dir, "xfrd.state"), n.dir)
	for zone := range zones {
		fmt.Fprintf(&b, "zone:\n  name: %q\n  zonefile: %q\n", strings.TrimSuffix(zone, "."), zoneFile(zone))
	}
	if err := os.WriteFile(filepath.Join(n.dir, "nsd.conf"), []byte(b.String()), 0o644); err != nil {
		return fmt.Errorf("harness: %w", err)
	}
	return nil
}

// Start starts the server again after Stop, on the same port.
func (n *NSD) Start() error {
	var err error
	n.proc, err = start("nsd", n.dir+".log", syscall.SIGTERM, "nsd", "-d", "-c", filepath.Join(n.dir, "nsd.conf"))
	if err != nil {
		return err
	}
	return n.proc.await(n.answers, Patience)
}

// answers tells whether the server knows its zones, or without any whether it
// answers at all.
func (n *NSD) answers() error {
	m := new(dns.Msg).SetQuestion(dns.Fqdn(n.zone), dns.TypeSOA)
	client := dns.Client{Timeout: 200 * time.Millisecond}
	reply, _, err := client.Exchange(m, n.Addr)
	if err == nil && n.zone != "" && len(reply.Answer) == 0 {
		err = fmt.Errorf("%s for %s", dns.RcodeToString[reply.Rcode], n.zone)
	}
	return err
}

// Reload reads the zones' files again. It does not wait until they are served.
func (n *NSD) Reload() error { return n.proc.Signal(syscall.SIGHUP) }

// Freeze makes the server silent: it takes questions and does not answer.
func (n *NSD) Freeze() error { return n.group(syscall.SIGSTOP) }

// Thaw lets it go on; it answers what it was asked meanwhile.
func (n *NSD) Thaw() error { return n.group(syscall.SIGCONT) }

// group signals the server with all of its processes.
func (n *NSD) group(sig syscall.Signal) error {
	if err := syscall.Kill(-n.proc.PID(), sig); err != nil {
		return fmt.Errorf("harness: nsd: %w", err)
	}
	return nil
}

// Stop ends the server; its clients are told that nobody listens there.
func (n *NSD) Stop() error {
	if n.proc == nil || n.proc.Ended() {
		return nil
	}
	if err := n.Thaw(); err != nil {
		return err
	}
	return n.proc.Stop(Patience)
}
