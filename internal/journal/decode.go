package journal

import (
	"encoding/json"
	"unicode/utf8"
)

// decode reads a line. A line that is written as ours are is read here; of any other
// encoding/json decides, so that there is one answer to what a line says.
func decode(line []byte) (*Entry, error) {
	e := new(Entry)
	if (&reader{rest: line}).entry(e, line) {
		return e, nil
	}
	*e = Entry{}
	if err := json.Unmarshal(line, e); err != nil {
		return nil, err
	}
	return e, nil
}

// reader reads JSON without white space, of which no string spells a character.
// Its methods are false where there is something else.
type reader struct {
	rest []byte
	text string // the whole line: strings are parts of it
}

// entry reads an object of an entry's fields. Of a key that stands there twice the
// last counts, as with encoding/json.
func (r *reader) entry(e *Entry, line []byte) bool {
	if !utf8.Valid(line) {
		return false
	}
	r.text = string(line)
	return r.object(func(key string) bool {
		if into := textOf(e, key); into != nil {
			return r.into(into)
		}
		return r.field(e, key)
	}) && len(r.rest) == 0
}

// field reads the value of one that is no text.
func (r *reader) field(e *Entry, key string) bool {
	switch key {
	case "time":
		var text string
		return r.into(&text) && e.Time.UnmarshalText([]byte(text)) == nil
	case "recipients":
		return r.texts(&e.Recipients)
	case "tags":
		return r.texts(&e.Tags)
	case "size":
		return r.number(&e.Size)
	case "duration_ms":
		return r.number(&e.DurationMS)
	case "unknown":
		return r.number(&e.Unknown)
	case "rules":
		return e.Rules == nil && r.rules(&e.Rules)
	case "modules":
		if r.skip("[]") {
			e.Modules = []ModuleHit{}
			return true
		}
		return e.Modules == nil && r.other(&e.Modules)
	case "took_ms":
		return e.Took == nil && r.other(&e.Took)
	case "changes":
		return e.Changes == nil && r.other(&e.Changes)
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

func (r *reader) rules(into *[]RuleHit) bool {
	all := []RuleHit{}
	ok := r.array(func() bool {
		all = append(all, RuleHit{})
		return r.rule(&all[len(all)-1])
	})
	*into = all
	return ok
}

func (r *reader) rule(h *RuleHit) bool {
	return r.object(func(key string) bool {
		switch key {
		case "name":
			return r.into(&h.Name)
		case "stage":
			return r.into(&h.Stage)
		case "weight":
			return r.into(&h.Weight)
		case "action":
			return r.into(&h.Action)
		case "attribute":
			return r.into(&h.Attribute)
		case "text":
			return r.into(&h.Text)
		case "shadow":
			h.Shadow = true
			return r.skip("true")
		}
		return false
	})
}

// skip reads what must stand there.
func (r *reader) skip(text string) bool {
	if len(r.rest) < len(text) || string(r.rest[:len(text)]) != text {
		return false
	}
	r.rest = r.rest[len(text):]
	return true
}

// object reads members; value that of a key.
func (r *reader) object(value func(key string) bool) bool {
	if !r.skip("{") {
		return false
	}
	if r.skip("}") {
		return true
	}
	for {
		var key string
		if !r.into(&key) || !r.skip(":") || !value(key) {
			return false
		}
		if r.skip("}") {
			return true
		}
		if !r.skip(",") {
			return false
		}
	}
}

func (r *reader) array(element func() bool) bool {
	if !r.skip("[") {
		return false
	}
	if r.skip("]") {
		return true
	}
	for {
		if !element() {
			return false
		}
		if r.skip("]") {
			return true
		}
		if !r.skip(",") {
			return false
		}
	}
}

func (r *reader) texts(into *[]string) bool {
	all := []string{}
	ok := r.array(func() bool {
		all = append(all, "")
		return r.into(&all[len(all)-1])
	})
	*into = all
	return ok
}

// into reads a string.
func (r *reader) into(text *string) bool {
	if len(r.rest) == 0 || r.rest[0] != '"' {
		return false
	}
	begin := len(r.text) - len(r.rest) + 1
	for i, c := range r.rest[1:] {
		switch {
		case c == '"':
			*text = r.text[begin : begin+i]
			r.rest = r.rest[i+2:]
			return true
		case c == '\\' || c < ' ':
			return false
		}
	}
	return false
}

// number reads a whole one that is not negative.
func (r *reader) number(into *int64) bool {
	const most = 18 // digits that fit in any case
	n, v := 0, int64(0)
	for n < len(r.rest) && r.rest[n] >= '0' && r.rest[n] <= '9' {
		v = 10*v + int64(r.rest[n]-'0')
		if n++; n > most {
			return false
		}
	}
	if n == 0 || n > 1 && r.rest[0] == '0' {
		return false
	}
	*into, r.rest = v, r.rest[n:]
	return true
}

// other has encoding/json read the value that comes.
func (r *reader) other(into any) bool {
	depth, in := 0, false
	for i := 0; i < len(r.rest); i++ {
		switch c := r.rest[i]; {
		case in && c == '\\':
			i++
		case c == '"':
			in = !in
		case in:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				value := r.rest[:i+1]
				r.rest = r.rest[i+1:]
				return json.Unmarshal(value, into) == nil
			}
			if depth < 0 {
				return false
			}
		case depth == 0:
			return false
		}
	}
	return false
}
