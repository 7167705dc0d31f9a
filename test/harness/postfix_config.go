package harness

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
)

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
const baseMaster = `pickup    unix  n  -  n  2     1    pickup
cleanup   unix  n  -  n  -     0    cleanup
  %[1]s
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
	mainCf, err := fragment("main.cf")
	if err != nil {
		return err
	}
	masterCf, err := fragment("master.cf")
	if err != nil {
		return err
	}
	if !strings.Contains(masterCf, returnPort) {
		return errors.New("harness: contrib/postfix/master.cf has no " + returnPort)
	}
	host, port, ok := strings.Cut(c.NextHop, ":")
	if !ok {
		return fmt.Errorf("harness: next hop %q is not host:port", c.NextHop)
	}

	milter := "-o { tollgate_milter = { " + c.Milter + ", connect_timeout=10s, default_action=tempfail } }"
	listener := p.Addr + " inet n - n - - smtpd\n  " + milter + "\n"
	main := fmt.Sprintf(baseMain, s.Dir, p.daemons, host, port) + mainCf
	for _, name := range c.Fragments {
		text, err := fragment(name + "-main.cf")
		if err != nil {
			return err
		}
		main += text
		switch text, err = fragment(name + "-master.cf"); {
		case err == nil:
			listener = p.screened(text, milter)
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
	}
	main += "# --- this instance\n" + strings.Join(c.Settings, "\n") + "\n"

	master := listener + fmt.Sprintf(baseMaster, milter)
	if c.Plain {
		master += p.Plain + " inet n - n - - smtpd\n  -o smtpd_milters=\n"
	}
	master += strings.ReplaceAll(masterCf, returnPort, p.Return)
	if c.Bare {
		main = fmt.Sprintf(baseMain, s.Dir, p.daemons, host, port)
		master = p.Addr + " inet n - y - - smtpd\n" + strings.Replace(fmt.Sprintf(baseMaster, ""), "cleanup   unix  n  -  n", "cleanup   unix  n  -  y", 1)
	}

	if err := os.WriteFile(filepath.Join(p.Config, "main.cf"), []byte(lastOnes(main)), 0o644); err != nil {
		return fmt.Errorf("harness: %w", err)
	}
	if err := os.WriteFile(filepath.Join(p.Config, "master.cf"), []byte(master), 0o644); err != nil {
		return fmt.Errorf("harness: %w", err)
	}
	return nil
}

// screened is a fragment's services in the place of the listener: its port 25 is
// this instance's, and the listener's settings belong to the smtpd behind it, as
// the fragment says.
func (p *Postfix) screened(services, settings string) string {
	var b strings.Builder
	for line := range strings.Lines(services) {
		switch fields := strings.Fields(line); {
		case strings.HasPrefix(line, "smtp "):
			line = p.Addr + strings.TrimPrefix(line, "smtp")
		case len(fields) > 1 && fields[0] == "smtpd" && fields[1] == "pass":
			line += "  " + settings + "\n"
		}
		b.WriteString(line)
	}
	return b.String()
}

// fragment is a file of contrib/postfix.
func fragment(name string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(root, "contrib", "postfix", name))
	if err != nil {
		return "", fmt.Errorf("harness: %w", err)
	}
	return string(text), nil
}
