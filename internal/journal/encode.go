package journal

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/jsontext"
)

// appendMessage writes an entry of the messages journal. Fields are present
// even when empty: who reads a column need not ask whether it is there.
func appendMessage(b []byte, e *Entry) []byte {
	b = appendSession(b, Messages, e)
	b = appendRecipients(b, e.Recipients)
	if e.Took != nil {
		b = e.Took.AppendJSON(append(b, `,"took_ms":`...))
	}
	if len(e.Tags) > 0 {
		b = appendTexts(append(b, `,"tags":`...), e.Tags)
	}
	if len(e.Thresholds) > 0 {
		b = appendTexts(append(b, `,"thresholds":`...), e.Thresholds)
	}
	return appendJudgement(b, e)
}

// appendBlock writes an entry of the blocks journal.
func appendBlock(b []byte, e *Entry) []byte {
	b = appendSession(b, Blocks, e)
	b = appendField(b, "recipient", e.Recipient)
	b = appendField(b, "client", e.Client)
	return appendJudgement(b, e)
}

// appendAntivirus writes an entry of the antivirus journal.
func appendAntivirus(b []byte, e *Entry) []byte {
	b = appendSession(b, Antivirus, e)
	b = appendRecipients(b, e.Recipients)
	b = appendField(b, "subject", e.Subject)
	b = append(b, `,"size":`...)
	b = strconv.AppendInt(b, e.Size, 10)
	b = appendField(b, "service", e.Service)
	b = appendField(b, "engine", e.Engine)
	b = appendField(b, "object", e.Object)
	b = appendField(b, "result", e.Result)
	b = appendField(b, "signature", e.Signature)
	b = appendField(b, "action", e.Action)
	b = append(b, `,"duration_ms":`...)
	b = strconv.AppendInt(b, e.DurationMS, 10)
	b = appendField(b, "reason", e.Reason)
	return append(b, '}')
}

func appendRecipients(b []byte, all []string) []byte {
	return appendTexts(append(b, `,"recipients":`...), all)
}

func appendTexts(b []byte, all []string) []byte {
	b = append(b, '[')
	for i, text := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsontext.AppendString(b, text)
	}
	return append(b, ']')
}

// appendShadow writes an entry of the shadow journal.
func appendShadow(b []byte, e *Entry) []byte {
	b = appendSession(b, Shadow, e)
	b = appendRecipients(b, e.Recipients)
	b = appendField(b, "subject", e.Subject)
	b = append(b, `,"size":`...)
	b = strconv.AppendInt(b, e.Size, 10)
	b = appendField(b, "event", e.Event)
	b = appendField(b, "verdict", e.Verdict)
	b = appendField(b, "weight", e.Weight)
	b = appendField(b, "reply", e.Reply)
	b = appendField(b, "beside", e.Beside)
	b = appendField(b, "beside_verdict", e.BesideVerdict)
	b = appendField(b, "beside_stage", e.BesideStage)
	b = appendField(b, "beside_rule", e.BesideRule)
	b = appendField(b, "beside_reason", e.BesideReason)
	b = appendField(b, "beside_weight", e.BesideWeight)
	b = appendField(b, "beside_reply", e.BesideReply)
	b = append(b, `,"changes":[`...)
	for i := range e.Changes {
		if i > 0 {
			b = append(b, ',')
		}
		b = e.Changes[i].append(b)
	}
	b = append(b, `],"unknown":`...)
	b = strconv.AppendInt(b, e.Unknown, 10)
	b = appendField(b, "detail", e.Detail)
	return append(b, '}')
}

func (c *Change) append(b []byte) []byte {
	b = append(b, `{"recipient":`...)
	b = jsontext.AppendString(b, c.Recipient)
	b = appendField(b, "verdict", c.Verdict)
	b = appendField(b, "beside", c.Beside)
	if c.Tags {
		b = append(b, `,"tags":true`...)
	}
	return append(b, '}')
}

// appendTrace writes an entry of the trace journal, which is read line by
// line by people: what is empty is left out.
func appendTrace(b []byte, e *Entry) []byte {
	b = appendHead(b, Trace, e)
	b = appendField(b, "client_ip", e.ClientIP)
	for _, f := range [...]struct{ name, value string }{
		{"client_host", e.ClientHost},
		{"helo", e.Helo},
		{"sender", e.Sender},
		{"recipient", e.Recipient},
		{"stage", e.Stage},
		{"rule", e.Rule},
	} {
		if f.value != "" {
			b = appendField(b, f.name, f.value)
		}
	}
	b = appendField(b, "event", e.Event)
	b = appendField(b, "detail", e.Detail)
	return append(b, '}')
}

// appendHead begins an object with what every kind has. The time stands
// first: the search compares it without reading on.
func appendHead(b []byte, kind string, e *Entry) []byte {
	b = append(b, `{"time":"`...)
	b = accounting.AppendTime(b, e.Time)
	b = append(b, '"')
	b = appendField(b, "kind", kind)
	b = appendField(b, "gateway", e.Gateway)
	b = appendField(b, "policy", e.Policy)
	b = appendField(b, "ref", e.Ref)
	return appendField(b, "queue_id", e.QueueID)
}

// appendSession writes what is known of client and envelope.
func appendSession(b []byte, kind string, e *Entry) []byte {
	b = appendHead(b, kind, e)
	b = appendField(b, "message_id", e.MessageID)
	b = appendField(b, "client_ip", e.ClientIP)
	b = appendField(b, "client_host", e.ClientHost)
	b = appendField(b, "helo", e.Helo)
	b = appendField(b, "tls", e.TLS)
	b = appendField(b, "auth_user", e.AuthUser)
	b = appendField(b, "direction", e.Direction)
	return appendField(b, "sender", e.Sender)
}

// appendJudgement writes what was found and decided, and ends the object.
func appendJudgement(b []byte, e *Entry) []byte {
	b = appendField(b, "subject", e.Subject)
	b = append(b, `,"size":`...)
	b = strconv.AppendInt(b, e.Size, 10)
	b = appendField(b, "stage", e.Stage)
	b = appendField(b, "verdict", e.Verdict)
	b = appendField(b, "rule", e.Rule)
	b = append(b, `,"rules":[`...)
	for i := range e.Rules {
		if i > 0 {
			b = append(b, ',')
		}
		b = e.Rules[i].append(b)
	}
	b = append(b, ']')
	b = append(b, `,"modules":[`...)
	for i := range e.Modules {
		if i > 0 {
			b = append(b, ',')
		}
		b = e.Modules[i].append(b)
	}
	b = append(b, ']')
	b = appendField(b, "weight", e.Weight)
	b = appendField(b, "reply", e.Reply)
	b = appendField(b, "reason", e.Reason)
	if e.By != "" {
		b = appendField(b, "by", e.By)
	}
	if e.Detail != "" {
		b = appendField(b, "detail", e.Detail)
	}
	return append(b, '}')
}

func (h *RuleHit) append(b []byte) []byte {
	b = append(b, `{"name":`...)
	b = jsontext.AppendString(b, h.Name)
	b = appendField(b, "stage", h.Stage)
	b = appendField(b, "weight", h.Weight)
	if h.Shadow {
		b = append(b, `,"shadow":true`...)
	}
	for _, one := range [...][2]string{{"action", h.Action}, {"attribute", h.Attribute}, {"text", h.Text}} {
		if one[1] != "" {
			b = appendField(b, one[0], one[1])
		}
	}
	return append(b, '}')
}

func (h *ModuleHit) append(b []byte) []byte {
	b = append(b, `{"name":`...)
	b = jsontext.AppendString(b, h.Name)
	b = appendField(b, "result", h.Result)
	b = appendField(b, "score", h.Score)
	b = appendField(b, "weight", h.Weight)
	b = appendField(b, "action", h.Action)
	if len(h.Symbols) > 0 {
		b = appendTexts(append(b, `,"symbols":`...), h.Symbols)
	}
	if len(h.Scores) > 0 {
		b = appendByName(append(b, `,"scores":`...), h.Scores, jsontext.AppendString)
	}
	if len(h.About) > 0 {
		b = appendByName(append(b, `,"about":`...), h.About, appendTexts)
	}
	if h.Error != "" {
		b = appendField(b, "error", h.Error)
	}
	if h.DurationMS > 0 {
		b = strconv.AppendInt(append(b, `,"duration_ms":`...), h.DurationMS, 10)
	}
	return append(b, '}')
}

// appendByName writes an object, its members in the order of their names.
func appendByName[V any](b []byte, all map[string]V, value func([]byte, V) []byte) []byte {
	b = append(b, '{')
	for i, name := range slices.Sorted(maps.Keys(all)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(jsontext.AppendString(b, name), ':')
		b = value(b, all[name])
	}
	return append(b, '}')
}

// appendField writes a comma, the name and a text. Names are ours and need no
// escaping.
func appendField(b []byte, name, value string) []byte {
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, '"', ':')
	return jsontext.AppendString(b, value)
}

// MarshalJSON writes the entry as its journal has it.
func (e Entry) MarshalJSON() ([]byte, error) {
	i := slices.IndexFunc(kinds[:], func(k kind) bool { return k.name == e.Kind })
	return kinds[max(i, 0)].append(nil, &e), nil
}

// at is a time as the journals write it: as records have it, of fixed length,
// so that times compare as texts.
func at(t time.Time) string { return string(accounting.AppendTime(nil, t)) }
