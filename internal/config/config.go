// Package config turns the policy file into plain values, with their positions
// where something living is made of them later. It opens no socket, starts
// nothing and keeps no clock. Every problem of a policy is found at once, with
// its position.
package config

import (
	"crypto/sha256"
	"errors"
	"slices"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/policyfile/source"
	"github.com/tollgate-mail/tollgate/internal/state"
	"github.com/tollgate-mail/tollgate/rules"
	"github.com/tollgate-mail/tollgate/rules/list"
)

// Config is a loaded policy. Paths that are relative in a file of the policy
// are resolved against the folder of that file.
type Config struct {
	Gate gate.Settings

	Antivirus *Antivirus // nil: none
	Modules   []Module   // in the order of the policy; names are unique

	Listen        []string // "unix:/path" or "inet:host:port"; at least one
	StateDir      string
	PostfixConfig string

	// Resolver are the DNS servers to ask, as address:port; none: those of
	// resolv.conf.
	Resolver []string

	// Confine is what becomes of the daemon after its start: ConfineOn, ConfineOff or
	// ConfineRequired. ReadPaths are what it may read besides the files that the policy
	// names, which are in Files.
	Confine   string
	ReadPaths []string
	Files     []string

	JournalDir string
	// JournalIndex: rotated files are packed and indexed in the background.
	JournalIndex bool
	// FollowMaillog is Postfix's log, by which messages are voided that it did not
	// queue: a path, FollowJournal, or "" for none.
	FollowMaillog string
	Trace         journal.TraceSwitch
	Syslog        string // facility name; "" for none

	// SelfCheck: one message of so many is judged twice; 0: none.
	SelfCheck int64

	// MetricsListen is where figures are shown, a loopback address and a port as
	// "127.0.0.1:9464"; "" for nowhere.
	MetricsListen string

	Greylist          state.GreylistConfig
	CorrespondentLife time.Duration // how long it is remembered who wrote to whom

	Redis *Redis // nil: the embedded store in StateDir

	// Directory is whose mail comes here, Clients are the policy's own, and those of
	// sources that are read with it. There are others in ClientSource, unless that is
	// nil; Gate.Directory does not have those.
	Directory    directory.Config
	Clients      []*accounting.Client
	ClientSource *ClientSource

	Tariffs  []*price.Tariff
	Location *time.Location // accounting.timezone: of days and months; never nil
	Lists    int            // how many [lists] has

	ListSizes map[string]int // entries of each list
	// Built are the lists that stay in their files. These are open until nobody judges
	// by the policy any more: whoever has the config calls Close then.
	Built []BuiltList

	// Sources are the files that it was read from, in the order of reading, and
	// Canonical what they say as JSON that only the meaning decides; nil after Check.
	// Hash is that of both: Gate.Version is its beginning.
	Sources   []source.File
	Canonical []byte
	Hash      string
}

// Inspector is something that is to see whole messages.
type Inspector struct {
	Pos  rules.Pos // of what tells where it is
	Name string    // in the policy; "antivirus"
	Type string    // of a [[module]]; "clamav"
	// Settings are those of the package of its type. Two inspectors are
	// the same when these and Limits are equal (reflect.DeepEqual).
	Settings module.Settings
	Limits   module.Limits
}

// BuiltList is a list that stays in its file.
type BuiltList struct {
	Name, Path string
	List       *list.List
}

// Close closes the files that the policy's rules look into.
func (c *Config) Close() error { return closeLists(c.Built) }

func closeLists(all []BuiltList) error {
	var errs []error
	for _, b := range all {
		errs = append(errs, b.List.Close())
	}
	return errors.Join(errs...)
}

// Antivirus is [antivirus]: whole messages are scanned.
type Antivirus struct {
	Inspector
	MaxSize           int64        // as the policy says, in octets; Limits has room for what goes before a message
	Action            rules.Action // on an infected message: Reject, Discard, Hold, or Continue
	Reply             *rules.Reply // of Reject; nil: the action's own
	Tags              rules.Tags
	OnError, Oversize rules.Action
}

// Module is a [[module]].
type Module struct {
	Inspector
	Factor  rules.Weight // its score times this is added to the weight
	OnError rules.Action // Continue or Tempfail
}

// Redis says how to reach the store.
type Redis struct {
	Addr                      string   // "host:port": the first of Addrs
	Addrs                     []string // of the server, of Sentinels, of nodes of a Cluster
	Cluster                   bool
	Master                    string // the Sentinels' name of the master; "" without Sentinels
	Username                  string
	Password                  string // read from password_file
	SentinelPassword          string // read from sentinel_password_file
	Replicas                  int    // that must have a batch before it counts as taken
	TLS                       bool
	CAFile, CertFile, KeyFile string
	DB                        int
	Prefix                    string
}

// Forget drops the texts of the policy's files: they are large, and only who
// keeps a history needs them.
func (c *Config) Forget() {
	for i := range c.Sources {
		c.Sources[i].Text, c.Sources[i].Kept = "", false
	}
}

// Load reads a policy file, what it includes and what it names. The config is
// nil when a problem is an error; warnings alone leave it usable. Problems are
// sorted by file and line.
func Load(path string) (*Config, rules.Problems) { return LoadWithin(path, nil) }

// Check is Load for who wants to know what is wrong, and keeps nothing for a history.
func Check(path string) (*Config, rules.Problems) {
	d := newDecoder()
	d.brief = true
	if root := d.readPolicy(path); root != nil {
		d.decode(root)
	}
	return d.result()
}

// LoadWithin is Load where reach says which files cannot be read, and why; nil: any
// can.
func LoadWithin(path string, reach func(path string) error) (*Config, rules.Problems) {
	d := newDecoder()
	d.Reach = reach
	if root := d.readPolicy(path); root != nil {
		d.decode(root)
	}
	return d.result()
}

// Plain is a policy as it was written, for those who reason about its rules.
type Plain struct {
	Source rules.Source
	Ends   []End // of service, as its clients have them
	// Idle are tariffs that no client of the policy has: of none where there are clients
	// in a source that is followed.
	Idle []Tariff
}

// Tariff is where a [[tariff]] stands.
type Tariff struct {
	Pos  rules.Pos
	Name string
}

// End is a day at which something ends: its beginning where it counts.
type End struct {
	Pos  rules.Pos
	What string
	Day  time.Time
}

// dayIn is the beginning of a calendar day in a zone; a time that is none stays so.
func dayIn(day time.Time, zone *time.Location) time.Time {
	if day.IsZero() {
		return day
	}
	y, m, d := day.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, zone)
}

// LoadPlain is Load, and the policy as it was written besides; nil with an error
// among the problems.
func LoadPlain(path string) (*Config, *Plain, rules.Problems) {
	d := newDecoder()
	d.kept = []rules.SourceRule{}
	if root := d.readPolicy(path); root != nil {
		d.decode(root)
	}
	cfg, problems := d.result()
	if cfg == nil {
		return nil, nil, problems
	}
	d.source.Rules = d.kept
	p := &Plain{Source: d.source}
	for _, c := range d.clientList {
		if at := c.at.Child("expires"); at != nil && !c.Disabled {
			p.Ends = append(p.Ends, End{Pos: at.Pos(), What: "client " + c.ID + ": expires", Day: dayIn(c.Expires, cfg.Location)})
		}
	}
	for _, t := range d.tariffList {
		used := cfg.ClientSource != nil || slices.ContainsFunc(cfg.Clients, func(c *accounting.Client) bool { return c.Tariff == t.Name })
		if !used {
			p.Idle = append(p.Idle, Tariff{t.at.Pos(), t.Name})
		}
	}
	return cfg, p, problems
}

// decode reads all sections of a policy.
func (d *decoder) decode(root *node) {
	// While all of it is there.
	d.form = sha256.New()
	if d.brief {
		source.WriteCanonical(d.form, root)
	} else {
		d.config.Canonical = source.Canonical(root)
		d.form.Write(d.config.Canonical)
	}
	d.readSections(root, d.sections(), "include")
	d.finish(root)
}

// result is the config, unless there are errors, and what is wrong.
func (d *decoder) result() (*Config, rules.Problems) {
	d.Finish()
	if d.Problems.Err() != nil {
		_ = closeLists(d.config.Built) // were only read
		return nil, d.Problems
	}
	d.config.Files = d.Files
	config := d.config // without the text and the places that the decoder has
	return &config, d.Problems
}

// The values of Config.Confine.
const (
	ConfineOn       = "on"
	ConfineOff      = "off"
	ConfineRequired = "require"
)

// FollowJournal is Config.FollowMaillog where lines are brought by "tollgate
// maillog feed".
const FollowJournal = "journal"
