// Package journal writes and searches the journals: what became of each
// message, every block, and the trace. They are JSON lines, one file a kind.
package journal

import (
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/took"
)

// The kinds, one file each.
const (
	Messages = "messages" // one entry for every message that reached MAIL
	Blocks   = "blocks"   // one for each refused, deferred, discarded or held recipient
	Shadow   = "shadow"   // one for each message that a second judgement would treat otherwise
	Trace    = "trace"    // the SMTP protocol and the rules, when switched on

	// Antivirus has one entry for each object that was to be scanned; its format
	// is shared by every service that scans.
	Antivirus = "antivirus"
)

// kind is one journal: its name, how an entry of it is written, and when.
type kind struct {
	name   string
	append func(b []byte, e *Entry) []byte // one JSON object, no line end
	when   when
	syslog bool // each entry is also a line for syslog, where that is wanted
}

// when is how soon entries are in the file.
type when uint8

const (
	// gatheredSoon: lines are gathered and written together, at the latest after
	// a second.
	gatheredSoon when = iota
	// atOnce: the lines are in the file, by one write(2), when Write returns.
	atOnce
)

// kinds are all journals. Writing, reopening, searching, status and help follow
// from their rows.
var kinds = [...]kind{
	{name: Messages, append: appendMessage},
	{name: Blocks, append: appendBlock, when: atOnce, syslog: true},
	{name: Antivirus, append: appendAntivirus},
	{name: Shadow, append: appendShadow},
	{name: Trace, append: appendTrace},
	{name: Looks, append: appendLook, when: atOnce},
}

// searched are the kinds that a query is about which names none: not who looked, which
// would tell of the last search with each.
func searched() []string {
	return slices.DeleteFunc(Kinds(), func(kind string) bool { return kind == Looks })
}

// Kinds are the names of all journals.
func Kinds() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return names
}

// fileName is the name of a kind's file in the journal folder.
func fileName(kind string) string { return kind + ".jsonl" }

// RuleHit is a rule that matched, with the weight it gave.
type RuleHit struct {
	Name   string `json:"name"`
	Stage  string `json:"stage"`
	Weight string `json:"weight"`           // a decimal
	Shadow bool   `json:"shadow,omitempty"` // it was only tried, without effect
	Action string `json:"action,omitempty"` // what it does, or would do where it is a shadow
	// Attribute is the first by which it matched, Text what of its value did:
	// without control characters, cut where it is long.
	Attribute string `json:"attribute,omitempty"`
	Text      string `json:"text,omitempty"`
}

// ModuleHit is what an extension module said of a message.
type ModuleHit struct {
	Name   string `json:"name"`
	Result string `json:"result"` // ok, error, oversize
	Score  string `json:"score"`  // the engine's own, a decimal
	Weight string `json:"weight"` // what it gave, a decimal
	Action string `json:"action"` // what the engine would do; "" when it does not say
	// Symbols are what it found, the first of them.
	Symbols []string `json:"symbols,omitempty"`
	// Scores are those of single symbols where the engine tells them, decimals; one
	// of zero is left out. About is what symbols tell of: files, and what else the
	// engine names.
	Scores map[string]string   `json:"scores,omitempty"`
	About  map[string][]string `json:"about,omitempty"`
	Error  string              `json:"error,omitempty"` // with error
	// DurationMS is from handing the message over to the answer.
	DurationMS int64 `json:"duration_ms,omitempty"`
}

// The results of an extension module.
const (
	ModuleOK       = "ok"
	ModuleError    = "error"
	ModuleOversize = "oversize"
)

// The results of a scan.
const (
	Clean     = "clean"     // the engine said so
	Infected  = "infected"  // a signature matched
	Unscanned = "unscanned" // too large for the engine
	ScanError = "error"     // the engine was away, too slow or unsure
)

// Change is a recipient that a second judgement treats otherwise.
type Change struct {
	Recipient string `json:"recipient"`
	Verdict   string `json:"verdict"` // the live one
	Beside    string `json:"beside"`  // the other
	// Tags: the verdict is the same, the marks are others.
	Tags bool `json:"tags,omitempty"`
}

// Entry is one line of a journal. Field names are a contract; which fields
// each kind has is described in docs/journal.md.
type Entry struct {
	Time       time.Time `json:"time"` // written in UTC with milliseconds
	Kind       string    `json:"kind"`
	Gateway    string    `json:"gateway"`
	Policy     string    `json:"policy"` // the version that judged
	Ref        string    `json:"ref"`
	QueueID    string    `json:"queue_id"`
	MessageID  string    `json:"message_id"`
	ClientIP   string    `json:"client_ip"`
	ClientHost string    `json:"client_host"`
	Helo       string    `json:"helo"`
	TLS        string    `json:"tls"` // the version; empty when not encrypted
	AuthUser   string    `json:"auth_user"`
	Direction  string    `json:"direction"`
	Sender     string    `json:"sender"`     // empty: the null sender
	Recipients []string  `json:"recipients"` // messages: the accepted ones
	Recipient  string    `json:"recipient"`  // blocks
	Client     string    `json:"client"`     // blocks: the id of who would have paid; "" for nobody
	Subject    string    `json:"subject"`
	Size       int64     `json:"size"` // bytes; 0 before the header has come

	Stage   string    `json:"stage"`
	Verdict string    `json:"verdict"`
	Rule    string    `json:"rule"`
	Rules   []RuleHit `json:"rules"`
	// Modules are those that had the message, in the policy's order.
	Modules []ModuleHit `json:"modules"`
	Weight  string      `json:"weight"` // a decimal
	Reply   string      `json:"reply"`
	Reason  string      `json:"reason"`

	// Tags are the marks that were put on a message: "Subject: [SPAM?]", "X-Spam: yes".
	Tags []string `json:"tags"`

	// Thresholds are those that its weight passed, those that only mark included:
	// "threshold above 3". Those in shadow are among Rules.
	Thresholds []string `json:"thresholds"`

	// Took is where the time of a message went; nil: not known.
	Took *took.Times `json:"took_ms"`

	// By is the user of the system who did it; "" where no user did.
	By string `json:"by"`

	// Of the antivirus journal.
	Service    string `json:"service"`   // "smtp"; another service has its own
	Engine     string `json:"engine"`    // "clamav"
	Object     string `json:"object"`    // what was scanned: of mail the Message-ID
	Result     string `json:"result"`    // clean, infected, unscanned, error
	Signature  string `json:"signature"` // with infected
	Action     string `json:"action"`    // what was done on this result
	DurationMS int64  `json:"duration_ms"`

	// Of the shadow journal: what another policy would have done.
	Beside        string   `json:"beside"` // its version
	BesideVerdict string   `json:"beside_verdict"`
	BesideStage   string   `json:"beside_stage"`
	BesideRule    string   `json:"beside_rule"`
	BesideReason  string   `json:"beside_reason"`
	BesideWeight  string   `json:"beside_weight"` // a decimal
	BesideReply   string   `json:"beside_reply"`
	Changes       []Change `json:"changes"`
	Unknown       int64    `json:"unknown"` // questions that had no answer

	// Event is "protocol" or "rules", in the trace; in the shadow journal what the
	// second judgement was for: "shadow", "canary", "self_check".
	Event string `json:"event"`
	// Detail is what happened, in the trace; elsewhere a remark, if any.
	Detail string `json:"detail"`

	// Line is the line that Search read the entry from, without its end.
	Line string `json:"-"`
}

// above is what a threshold is named by, "" where a rule is meant.
func above(rule string) string {
	rule = strings.ToLower(strings.Join(strings.Fields(rule), " "))
	for _, word := range []string{"threshold", "weight"} {
		if n, ok := strings.CutPrefix(rule, word+" above "); ok && n != "" && strings.Trim(n, "-.0123456789") == "" {
			return " above " + n
		}
	}
	return ""
}

// NamesThreshold tells whether Query.Rule is understood as a threshold.
func NamesThreshold(rule string) bool { return above(rule) != "" }

// Threshold is the name of the threshold that decided, as hits in shadow have it:
// "threshold above 6"; "" where none did.
func Threshold(e *Entry) string {
	before, n, ok := strings.Cut(e.Reason, " above ")
	if !ok || e.Rule != "" || !strings.HasPrefix(before, "weight ") || strings.Contains(n, " ") {
		return ""
	}
	return "threshold above " + n
}
