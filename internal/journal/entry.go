// Package journal writes and searches the journals: what became of each
// message, every block, what scanners found, and the trace.
package journal

import "time"

// The kinds, one file each.
const (
	Messages  = "messages"
	Blocks    = "blocks"
	Antivirus = "antivirus"
	Trace     = "trace"
)

// RuleHit is a rule that matched, with the weight it gave.
type RuleHit struct {
	Name   string `json:"name"`
	Stage  string `json:"stage,omitempty"`
	Weight string `json:"weight,omitempty"`
	Shadow bool   `json:"shadow,omitempty"`
}

// Entry is one line of a journal. Field names are a contract.
type Entry struct {
	Time       time.Time `json:"time"`
	Kind       string    `json:"kind"`
	Gateway    string    `json:"gateway"`
	Ref        string    `json:"ref"`
	QueueID    string    `json:"queue_id"`
	MessageID  string    `json:"message_id,omitempty"`
	ClientIP   string    `json:"client_ip"`
	ClientHost string    `json:"client_host"`
	Helo       string    `json:"helo"`
	TLS        string    `json:"tls,omitempty"` // the version; empty when not encrypted
	AuthUser   string    `json:"auth_user,omitempty"`
	Direction  string    `json:"direction,omitempty"`
	Sender     string    `json:"sender"`
	Recipients []string  `json:"recipients,omitempty"` // messages: the accepted ones
	Recipient  string    `json:"recipient,omitempty"`  // blocks
	Subject    string    `json:"subject,omitempty"`
	Size       int64     `json:"size,omitempty"`

	Stage   string    `json:"stage,omitempty"`
	Verdict string    `json:"verdict,omitempty"`
	Rule    string    `json:"rule,omitempty"`
	Rules   []RuleHit `json:"rules,omitempty"`
	Weight  string    `json:"weight,omitempty"`
	Reply   string    `json:"reply,omitempty"`
	Reason  string    `json:"reason,omitempty"`

	// trace
	Event  string `json:"event,omitempty"`  // "protocol" or "rules"
	Detail string `json:"detail,omitempty"` // what happened
}
