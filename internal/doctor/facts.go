// Package doctor judges what was found out about a gateway and what stands around
// it: Postfix, scanners, the store, DNS, the machine. It asks nobody anything; see
// internal/survey for who does.
package doctor

import (
	"net/netip"
	"time"

	"github.com/tollgate-mail/tollgate/internal/results"
)

// Facts are what is known. What is nil or empty was not asked, or does not
// concern the policy.
type Facts struct {
	Now     time.Time
	System  System
	Policy  Policy
	Daemon  Daemon
	Postfix []Postfix // one for each instance that is to be looked at
	Clamd   *Clamd    // nil: the policy has no antivirus
	Rspamd  *Rspamd   // nil: no module asks it
	Redis   *Redis    // nil: the store is embedded
	DNS     *DNS      // nil: not to be asked
	Machine Machine
	Files   []File
	Disks   []Disk
}

// Policy is what the policy file says.
type Policy struct {
	File      string
	Errors    int // of "tollgate check"; with one the rest is not known
	Changed   time.Time
	Gateway   string
	StateDir  string
	Domains   []string // whose mail comes here, of some addresses at least; ".example.org" are all below it
	AnyOfOurs bool     // every address of the domains is taken, known or not
	// MoreDomains: an expression may have addresses in others, or not all clients
	// are known.
	MoreDomains bool
	Outbound    []netip.Prefix
	Greylist    bool
	Lists       []string // DNS lists that rules ask
	Journal     string   // folder
}

// Daemon is "tollgate status".
type Daemon struct {
	Running  bool
	Version  string
	Binary   string // version of the command that asks
	Loaded   time.Time
	Degraded []string
	// Unconfined: its policy has it keep every file in reach, on a kernel that could
	// take them from it.
	Unconfined bool
	Waiting    int64 // records not yet in the store
	Oldest     time.Time
	Parked     int64
}

// Milter is an entry of smtpd_milters.
type Milter struct {
	Address string
	Ours    bool
	Options map[string]string // default_action and the like
}

// Service is a line of master.cf.
type Service struct {
	Name    string // "smtp/inet"
	Command string // "smtpd"
	Chroot  bool
	Options map[string]string // -o NAME=VALUE
	Milters []Milter          // of its own smtpd_milters; nil: it has none of its own
}

// Postfix is an instance.
type Postfix struct {
	Config   string
	Missing  string // why its commands do not answer
	Running  bool
	Settings map[string]string // as postconf -x has them; see Parameters
	SMTP     []Milter          // smtpd_milters
	Local    []Milter          // non_smtpd_milters
	Services []Service
	Socket   string // why Postfix cannot reach tollgate's socket; "" when it can
	Cert     *Certificate
}

// parameters are what checks read.
var parameters = []string{
	"always_bcc", "compatibility_level", "content_filter", "default_process_limit", "enable_long_queue_ids", "header_size_limit", "inet_interfaces",
	"local_recipient_maps", "mail_version", "message_size_limit", "milter_command_timeout", "milter_connect_timeout", "milter_content_timeout",
	"milter_default_action", "milter_protocol", "mydestination", "myhostname", "mynetworks", "parent_domain_matches_subdomains",
	"receive_override_options", "relay_domains", "relay_recipient_maps", "smtp_helo_name", "smtpd_delay_reject", "smtpd_forbid_bare_newline", "smtpd_forbid_unauth_pipelining", "smtpd_proxy_filter",
	"smtpd_recipient_restrictions", "smtpd_relay_restrictions", "smtpd_tls_cert_file", "smtpd_tls_key_file", "smtpd_tls_security_level",
	"soft_bounce", "virtual_alias_domains", "virtual_mailbox_domains",
}

// Parameters are those of main.cf that Postfix.Settings has.
func Parameters() []string { return append([]string(nil), parameters...) }

// Certificate is what Postfix shows its clients.
type Certificate struct {
	File, Key   string
	Unreadable  string // why
	Names       []string
	From, Until time.Time
	KeyMode     uint32
}

// Clamd is clamd and its file.
type Clamd struct {
	Address    string
	Error      string // why it does not answer
	Version    string // "1.0.9"
	Signatures time.Time
	Count      int               // its database's number; 0: not told
	File       string            // clamd.conf; "" when it cannot be read
	Settings   map[string]string // of clamd.conf, as written
	MaxSize    int64             // what the policy gives it at most, octets
	AtOnce     int               // inspections at once by the policy
}

// Rspamd is rspamd.
type Rspamd struct {
	Address  string
	Error    string
	Version  string
	Greylist bool // its own is on
	MaxSize  int64
	Limit    int64 // its max_message; 0: not known
}

// Redis is the server that has the account.
type Redis struct {
	Address  string
	Error    string
	Loopback bool // everything stays on this machine
	TLS      bool
	Password bool
	Info     map[string]string // INFO, as the server writes it
	Config   map[string]string // maxmemory, maxmemory-policy, save, appendonly, appendfsync
	Replicas int               // that the policy waits for
	Clock    time.Duration     // its clock less ours
}

// Answer is what a name has in DNS.
type Answer struct {
	Values []string
	Error  string // not answered; a name that is not there has no values and no error
}

// DNS is what resolvers say.
type DNS struct {
	Servers   []string // that are asked
	Addresses []netip.Addr
	Gateway   Answer                  // addresses of the gateway's name
	Helo      Answer                  // addresses of what Postfix says in EHLO
	PTR       map[netip.Addr]Answer   // names of our own public addresses
	MX        map[string]Answer       // of each domain: host names, the most preferred first
	MXHosts   map[string]Answer       // addresses of those hosts
	SPF       map[string]Answer       // TXT of each domain
	SPFResult map[string]results.Auth // of each domain, for our own address: "pass", "fail" ...
	Listed    map[string][]string     // by list: which of our own addresses it has
	Lists     map[string]ListState
	Slowest   time.Duration
}

// ListState is how a DNS list answers its test entries (RFC 5782 section 5).
type ListState struct {
	Error   string
	Refuses bool // answers 127.255.255.0/24: not us, or not this resolver
	All     bool // has 127.0.0.1, so it has everybody
	Nobody  bool // has not 127.0.0.2: it is dead, or is none
}

// Machine is the system.
type Machine struct {
	ClockSynced *bool // nil: not known
	Rotation    bool  // something rotates the journals
	JournalSize int64 // the largest journal that nobody rotated, octets
}

// File is a file whose permissions matter.
type File struct {
	Path   string
	Error  string
	Secret bool // holds a password
	Mode   uint32
	Owner  string
	// Ours: the daemon's user must be able to read it, and can.
	Readable bool
}

// Disk is where a folder lies.
type Disk struct {
	Path              string
	Use               string // "state", "journals", "queue"
	Error             string
	Free, Size        uint64 // octets
	FreeInodes, Nodes uint64
	Type              string // "ext4", "tmpfs", "nfs"
	ReadOnly          bool
}
