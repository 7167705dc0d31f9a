package harness

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// PostfixConfig is what differs between Postfix instances.
type PostfixConfig struct {
	// Milter is where tollgate listens, in main.cf's notation
	// ("unix:/path", "inet:host:port").
	Milter string
	// NextHop takes all mail, host:port.
	NextHop string
	// Settings are further main.cf lines, "name = value"; the last one of a
	// name stands.
	Settings []string
	// Plain adds a second listener without any milter.
	Plain bool
}

// Postfix is a running instance.
type Postfix struct {
	Addr    string // where it listens, host:port; XCLIENT is allowed
	Plain   string // the listener without milters
	Return  string // the re-injection listener of contrib/postfix/master.cf
	Config  string // its config_directory
	queue   string
	master  *Process
	daemons string // daemon_directory
}

const baseMain = `compatibility_level = 3.6
queue_directory = %[1]s/pf/queue
data_directory = %[1]s/pf/data
daemon_directory = %[2]s
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = %[1]s/postfix.log
maillog_file_prefixes = %[1]s
myhostname = mx.test
mydomain = test
mydestination =
mynetworks = 127.0.0.0/8, 10.0.0.0/8
relay_domains = example.org, .example.org, example.net, xn--e1aybc.xn--p1ai, тест.рф
inet_interfaces = 127.0.0.1
inet_protocols = all
alias_maps =
alias_database =
default_transport = smtp:[%[3]s]:%[4]s
relay_transport = $default_transport
local_transport = $default_transport
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtputf8_enable = yes
smtputf8_autodetect_classes = all
smtpd_authorized_xclient_hosts = 127.0.0.1
smtpd_client_connection_rate_limit = 0
smtpd_client_connection_count_limit = 0
smtpd_error_sleep_time = 0
smtpd_timeout = 120s
hopcount_limit = 1000
local_header_rewrite_clients =
in_flow_delay = 0
default_process_limit = 60
default_destination_concurrency_limit = 20
default_destination_recipient_limit = 50
minimal_backoff_time = 2s
maximal_backoff_time = 5s
queue_run_delay = 2s
smtp_line_length_limit = 0
disable_mime_output_conversion = yes
message_size_limit = 52428800
notify_classes =
# --- contrib/postfix/main.cf
`

// Where tollgate listens is said to the two services that ask it, so that
// main.cf keeps the fragment's own value.
const baseMaster = `%[1]s inet n - n - - smtpd
  %[2]s
pickup    unix  n  -  n  2     1    pickup
cleanup   unix  n  -  n  -     0    cleanup
  %[2]s
qmgr      unix  n  -  n  2     1    qmgr
rewrite   unix  -  -  n  -     -    trivial-rewrite
bounce    unix  -  -  n  -     0    bounce
defer     unix  -  -  n  -     0    bounce
trace     unix  -  -  n  -     0    bounce
verify    unix  -  -  n  -     1    verify
flush     unix  n  -  n  1000? 0    flush
proxymap  unix  -  -  n  -     -    proxymap
smtp      unix  -  -  n  -     -    smtp
relay     unix  -  -  n  -     -    smtp
showq     unix  n  -  n  -     -    showq
error     unix  -  -  n  -     -    error
retry     unix  -  -  n  -     -    error
discard   unix  -  -  n  -     -    discard
anvil     unix  -  -  n  -     1    anvil
scache    unix  -  -  n  -     1    scache
tlsmgr    unix  -  -  n  1000? 1    tlsmgr
postlog   unix-dgram n - n -   1    postlogd
`

// returnPort is the port in contrib/postfix/master.cf; each instance has one
// of its own instead.
const returnPort = "127.0.0.1:10026"

// Postfix starts an instance whose configuration is the sandbox's paths and
// ports, and after them contrib/postfix as it is.
func (s *Sandbox) Postfix(c PostfixConfig) (*Postfix, error) {
	out, err := exec.Command("postconf", "-d", "-h", "daemon_directory").Output()
	if err != nil {
		return nil, fmt.Errorf("harness: is Postfix installed? postconf: %w", err)
	}
	p := &Postfix{
		Config:  s.Path("pf", "etc"),
		queue:   s.Path("pf", "queue"),
		daemons: strings.TrimSpace(string(out)),
	}
	for _, addr := range []*string{&p.Addr, &p.Plain, &p.Return} {
		port, err := s.Port()
		if err != nil {
			return nil, err
		}
		*addr = Loopback(port)
	}
	if err := p.folders(s); err != nil {
		return nil, err
	}
	if err := p.configure(s, c); err != nil {
		return nil, err
	}
	// The check also makes the queue's folders.
	if out, err := exec.Command("postfix", "-c", p.Config, "check").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("harness: postfix check: %w\n%s", err, out)
	}
	// SIGTERM makes master end its children too.
	p.master, err = start("postfix", s.Path("postfix-master.log"), syscall.SIGTERM,
		filepath.Join(p.daemons, "master"), "-c", p.Config, "-d")
	if err != nil {
		return nil, err
	}
	s.onClose(func() error { return p.master.Stop(10 * time.Second) })
	return p, p.master.await(func() error {
		err := errors.Join(dialable("tcp", p.Addr), dialable("tcp", p.Return))
		if c.Plain {
			err = errors.Join(err, dialable("tcp", p.Plain))
		}
		return err
	}, 20*time.Second)
}

func (p *Postfix) folders(s *Sandbox) error {
	for _, dir := range []string{p.Config, p.queue, s.Path("pf", "data")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("harness: %w", err)
		}
	}
	owner, err := user.Lookup("postfix")
	if err != nil {
		return fmt.Errorf("harness: %w", err)
	}
	uid, err := strconv.Atoi(owner.Uid)
	if err != nil {
		return fmt.Errorf("harness: user postfix: %w", err)
	}
	if err := os.Chown(s.Path("pf", "data"), uid, -1); err != nil {
		return fmt.Errorf("harness: %w", err)
	}
	return nil
}

func (p *Postfix) configure(s *Sandbox, c PostfixConfig) error {
	root, err := Root()
	if err != nil {
		return err
	}
	mainCf, err := os.ReadFile(filepath.Join(root, "contrib", "postfix", "main.cf"))
	if err != nil {
		return fmt.Errorf("harness: %w", err)
	}
	masterCf, err := os.ReadFile(filepath.Join(root, "contrib", "postfix", "master.cf"))
	if err != nil {
		return fmt.Errorf("harness: %w", err)
	}
	if !bytes.Contains(masterCf, []byte(returnPort)) {
		return errors.New("harness: contrib/postfix/master.cf has no " + returnPort)
	}
	host, port, ok := strings.Cut(c.NextHop, ":")
	if !ok {
		return fmt.Errorf("harness: next hop %q is not host:port", c.NextHop)
	}

	var m bytes.Buffer
	fmt.Fprintf(&m, baseMain, s.Dir, p.daemons, host, port)
	m.Write(mainCf)
	m.WriteString("# --- this instance\n")
	for _, line := range c.Settings {
		fmt.Fprintln(&m, line)
	}
	if err := os.WriteFile(filepath.Join(p.Config, "main.cf"), m.Bytes(), 0o644); err != nil {
		return fmt.Errorf("harness: %w", err)
	}

	m.Reset()
	fmt.Fprintf(&m, baseMaster, p.Addr,
		"-o { tollgate_milter = { "+c.Milter+", connect_timeout=10s, default_action=tempfail } }")
	if c.Plain {
		fmt.Fprintf(&m, "%s inet n - n - - smtpd\n  -o smtpd_milters=\n", p.Plain)
	}
	m.Write(bytes.ReplaceAll(masterCf, []byte(returnPort), []byte(p.Return)))
	if err := os.WriteFile(filepath.Join(p.Config, "master.cf"), m.Bytes(), 0o644); err != nil {
		return fmt.Errorf("harness: %w", err)
	}
	return nil
}

// Queued are the ids of the messages in the given queues ("hold",
// "deferred", ...).
func (p *Postfix) Queued(queues ...string) ([]string, error) {
	var ids []string
	for _, q := range queues {
		err := filepath.WalkDir(filepath.Join(p.queue, q), func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // moved on while we looked
			}
			if err == nil && d.Type().IsRegular() {
				ids = append(ids, d.Name())
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("harness: queue %s: %w", q, err)
		}
	}
	return ids, nil
}

// Idle waits until every message has left Postfix, or is on hold.
func (p *Postfix) Idle(limit time.Duration) error {
	deadline := time.Now().Add(limit)
	for {
		ids, err := p.Queued("maildrop", "incoming", "active", "deferred")
		if err != nil || len(ids) == 0 {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("harness: still queued after %v: %v", limit, ids)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Sendmail submits a message as a local program does.
func (p *Postfix) Sendmail(message []byte, args ...string) error {
	cmd := exec.Command("sendmail", append([]string{"-C", p.Config, "-oi"}, args...)...)
	cmd.Stdin = bytes.NewReader(message)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("harness: sendmail: %w\n%s", err, out)
	}
	return nil
}
