package journal

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/tollgate-mail/tollgate/internal/jsontext"
)

// decode reads a line. A line that is written as ours are is read here; of any other
// encoding/json decides, so that there is one answer to what a line says.
func decode(line []byte) (*Entry, error) {
	e := new(Entry)
	if readEntry(line, e) {
		return e, nil
	}
	*e = Entry{}
	if err := json.Unmarshal(line, e); err != nil {
		return nil, err
	}
	e.Line = string(line)
	return e, nil
}

// entryReader reads entries.
type entryReader struct{ *jsontext.Reader }

// readEntry reads an object of an entry's fields. Of a key that stands there twice the
// last counts, as with encoding/json.
func readEntry(line []byte, e *Entry) bool {
	if !utf8.Valid(line) {
		return false
	}
	r := entryReader{jsontext.NewReader(line)}
	e.Line = r.Whole()
	return r.Object(func(key string) bool {
		if into := textOf(e, key); into != nil {
			return r.Text(into)
		}
		return r.field(e, key)
	}) && r.Ended()
}

// field reads the value of one that is no text.
func (r entryReader) field(e *Entry, key string) bool {
	switch key {
	case "time":
		var text string
		return r.Text(&text) && e.Time.UnmarshalText([]byte(text)) == nil
	case "recipients":
		return r.Texts(&e.Recipients)
	case "tags":
		return r.Texts(&e.Tags)
	case "thresholds":
		return r.Texts(&e.Thresholds)
	case "size":
		return r.Number(&e.Size)
	case "duration_ms":
		return r.Number(&e.DurationMS)
	case "unknown":
		return r.Number(&e.Unknown)
	case "rules":
		return e.Rules == nil && r.rules(&e.Rules)
	case "modules":
		if r.Skip("[]") {
			e.Modules = []ModuleHit{}
			return true
		}
		return e.Modules == nil && r.Other(&e.Modules)
	case "took_ms":
		return e.Took == nil && r.Other(&e.Took)
	case "changes":
		return e.Changes == nil && r.Other(&e.Changes)
	}
	return false
}

// textOf is the field of a key; nil where it is none that is a text.
func textOf(e *Entry, key string) *string {
	switch key {
	case "kind":
		return &e.Kind
	case "gateway":
		return &e.Gateway
	case "policy":
		return &e.Policy
	case "ref":
		return &e.Ref
	case "queue_id":
		return &e.QueueID
	case "message_id":
		return &e.MessageID
	case "client_ip":
		return &e.ClientIP
	case "client_host":
		return &e.ClientHost
	case "helo":
		return &e.Helo
	case "tls":
		return &e.TLS
	case "auth_user":
		return &e.AuthUser
	case "direction":
		return &e.Direction
	case "sender":
		return &e.Sender
	case "recipient":
		return &e.Recipient
	case "client":
		return &e.Client
	case "subject":
		return &e.Subject
	case "stage":
		return &e.Stage
	case "verdict":
		return &e.Verdict
	case "rule":
		return &e.Rule
	case "weight":
		return &e.Weight
	case "reply":
		return &e.Reply
	case "reason":
		return &e.Reason
	case "by":
		return &e.By
	case "service":
		return &e.Service
	case "engine":
		return &e.Engine
	case "object":
		return &e.Object
	case "result":
		return &e.Result
	case "signature":
		return &e.Signature
	case "action":
		return &e.Action
	case "beside":
		return &e.Beside
	case "beside_verdict":
		return &e.BesideVerdict
	case "beside_stage":
		return &e.BesideStage
	case "beside_rule":
		return &e.BesideRule
	case "beside_reason":
		return &e.BesideReason
	case "beside_weight":
		return &e.BesideWeight
	case "beside_reply":
		return &e.BesideReply
	case "event":
		return &e.Event
	case "detail":
		return &e.Detail
	}
	return nil
}

func (r entryReader) rules(into *[]RuleHit) bool {
	all := []RuleHit{}
	ok := r.Array(func() bool {
		all = append(all, RuleHit{})
		return r.rule(&all[len(all)-1])
	})
	*into = all
	return ok
}

func (r entryReader) rule(h *RuleHit) bool {
	return r.Object(func(key string) bool {
		switch key {
		case "name":
			return r.Text(&h.Name)
		case "stage":
			return r.Text(&h.Stage)
		case "weight":
			return r.Text(&h.Weight)
		case "action":
			return r.Text(&h.Action)
		case "attribute":
			return r.Text(&h.Attribute)
		case "text":
			return r.Text(&h.Text)
		case "shadow":
			h.Shadow = true
			return r.Skip("true")
		}
		return false
	})
}
