package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tollgate-mail/tollgate/internal/took"
)

// The fields of each kind, as encoding/json writes them.
type (
	headFields struct {
		Time    string `json:"time"`
		Kind    string `json:"kind"`
		Gateway string `json:"gateway"`
		Policy  string `json:"policy"`
		Ref     string `json:"ref"`
		QueueID string `json:"queue_id"`
	}
	sessionFields struct {
		headFields
		MessageID  string `json:"message_id"`
		ClientIP   string `json:"client_ip"`
		ClientHost string `json:"client_host"`
		Helo       string `json:"helo"`
		TLS        string `json:"tls"`
		AuthUser   string `json:"auth_user"`
		Direction  string `json:"direction"`
		Sender     string `json:"sender"`
	}
	ruleFields struct {
		Name      string `json:"name"`
		Stage     string `json:"stage"`
		Weight    string `json:"weight"`
		Shadow    bool   `json:"shadow,omitempty"`
		Action    string `json:"action,omitempty"`
		Attribute string `json:"attribute,omitempty"`
		Text      string `json:"text,omitempty"`
	}
	judgementFields struct {
		Subject string       `json:"subject"`
		Size    int64        `json:"size"`
		Stage   string       `json:"stage"`
		Verdict string       `json:"verdict"`
		Rule    string       `json:"rule"`
		Rules   []ruleFields `json:"rules"`
		Modules []ModuleHit  `json:"modules"`
		Weight  string       `json:"weight"`
		Reply   string       `json:"reply"`
		Reason  string       `json:"reason"`
		By      string       `json:"by,omitempty"`
		Detail  string       `json:"detail,omitempty"`
	}
	messageFields struct {
		sessionFields
		Recipients []string        `json:"recipients"`
		Took       json.RawMessage `json:"took_ms,omitempty"`
		judgementFields
	}
	blockFields struct {
		sessionFields
		Recipient string `json:"recipient"`
		Client    string `json:"client"`
		judgementFields
	}
	antivirusFields struct {
		sessionFields
		Recipients []string `json:"recipients"`
		Subject    string   `json:"subject"`
		Size       int64    `json:"size"`
		Service    string   `json:"service"`
		Engine     string   `json:"engine"`
		Object     string   `json:"object"`
		Result     string   `json:"result"`
		Signature  string   `json:"signature"`
		Action     string   `json:"action"`
		DurationMS int64    `json:"duration_ms"`
		Reason     string   `json:"reason"`
	}
	shadowFields struct {
		sessionFields
		Recipients    []string `json:"recipients"`
		Subject       string   `json:"subject"`
		Size          int64    `json:"size"`
		Event         string   `json:"event"`
		Verdict       string   `json:"verdict"`
		Weight        string   `json:"weight"`
		Reply         string   `json:"reply"`
		Beside        string   `json:"beside"`
		BesideVerdict string   `json:"beside_verdict"`
		BesideStage   string   `json:"beside_stage"`
		BesideRule    string   `json:"beside_rule"`
		BesideReason  string   `json:"beside_reason"`
		BesideWeight  string   `json:"beside_weight"`
		BesideReply   string   `json:"beside_reply"`
		Changes       []Change `json:"changes"`
		Unknown       int64    `json:"unknown"`
		Detail        string   `json:"detail"`
	}
	traceFields struct {
		headFields
		ClientIP   string `json:"client_ip"`
		ClientHost string `json:"client_host,omitempty"`
		Helo       string `json:"helo,omitempty"`
		Sender     string `json:"sender,omitempty"`
		Recipient  string `json:"recipient,omitempty"`
		Stage      string `json:"stage,omitempty"`
		Rule       string `json:"rule,omitempty"`
		Event      string `json:"event"`
		Detail     string `json:"detail"`
	}
	lookFields struct {
		headFields
		By     string `json:"by"`
		Event  string `json:"event"`
		Detail string `json:"detail"`
	}
)

// milliseconds are what stands in took_ms.
func milliseconds(t *took.Times) json.RawMessage {
	if t == nil {
		return nil
	}
	text := fmt.Sprintf(`{"total":%d`, t.Total.Milliseconds())
	for p := range took.Parts {
		if ms := t.Of(p).Milliseconds(); ms > 0 {
			text += fmt.Sprintf(`,"%s":%d`, p, ms)
		}
	}
	return json.RawMessage(text + "}")
}

func reference(t interface{ Fatal(...any) }, e *Entry) []byte {
	head := headFields{e.Time.UTC().Format("2006-01-02T15:04:05.000Z"), e.Kind, e.Gateway, e.Policy, e.Ref, e.QueueID}
	session := sessionFields{head, e.MessageID, e.ClientIP, e.ClientHost, e.Helo, e.TLS, e.AuthUser, e.Direction, e.Sender}
	rules := make([]ruleFields, len(e.Rules))
	for i, h := range e.Rules {
		rules[i] = ruleFields(h)
	}
	recipients := append([]string{}, e.Recipients...)
	judgement := judgementFields{e.Subject, e.Size, e.Stage, e.Verdict, e.Rule, rules, append([]ModuleHit{}, e.Modules...), e.Weight, e.Reply, e.Reason, e.By, e.Detail}
	var v any
	switch e.Kind {
	case Messages:
		v = messageFields{session, recipients, milliseconds(e.Took), judgement}
	case Blocks:
		v = blockFields{session, e.Recipient, e.Client, judgement}
	case Antivirus:
		v = antivirusFields{
			session, recipients, e.Subject, e.Size, e.Service, e.Engine, e.Object, e.Result, e.Signature, e.Action, e.DurationMS, e.Reason,
		}
	case Shadow:
		v = shadowFields{
			session, recipients, e.Subject, e.Size, e.Event, e.Verdict, e.Weight, e.Reply, e.Beside, e.BesideVerdict, e.BesideStage, e.BesideRule,
			e.BesideReason, e.BesideWeight, e.BesideReply, append([]Change{}, e.Changes...), e.Unknown, e.Detail,
		}
	case Trace:
		v = traceFields{head, e.ClientIP, e.ClientHost, e.Helo, e.Sender, e.Recipient, e.Stage, e.Rule, e.Event, e.Detail}
	case Looks:
		v = lookFields{head, e.By, e.Event, e.Detail}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// text is any octets, hostile ones more often than not.
func text() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.String(),
		rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOf(rapid.Byte()).Draw(t, "octets")) }),
		rapid.SampledFrom([]string{"", "\"", "\\", "\n{\"kind\":\"x\"}", "\u2028\u2029", "\xed\xa0\x80", "\x7f\x00", "Привет", "<&>"}),
	)
}

func anyEntry(kind string) *rapid.Generator[*Entry] {
	return rapid.Custom(func(t *rapid.T) *Entry {
		e := &Entry{}
		v := reflect.ValueOf(e).Elem()
		for i := range v.NumField() {
			if f := v.Field(i); f.Kind() == reflect.String {
				f.SetString(text().Draw(t, v.Type().Field(i).Name))
			}
		}
		e.Kind = kind
		e.Time = time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "time"))
		e.Recipients = rapid.SliceOfN(text(), 0, 3).Draw(t, "recipients")
		e.Size = rapid.Int64().Draw(t, "size")
		e.Rules = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) RuleHit {
			return RuleHit{text().Draw(t, "name"), text().Draw(t, "stage"), text().Draw(t, "weight"), rapid.Bool().Draw(t, "shadow"), text().Draw(t, "action"), text().Draw(t, "attribute"), text().Draw(t, "text")}
		}), 0, 3).Draw(t, "rules")
		e.Modules = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) ModuleHit {
			return ModuleHit{
				text().Draw(t, "name"), text().Draw(t, "result"), text().Draw(t, "score"),
				text().Draw(t, "weight"), text().Draw(t, "action"), rapid.SliceOfN(text(), 0, 3).Draw(t, "symbols"),
				rapid.MapOfN(text(), text(), 0, 3).Draw(t, "scores"), rapid.MapOfN(text(), rapid.SliceOfN(text(), 1, 3), 0, 3).Draw(t, "about"), text().Draw(t, "error"),
				rapid.Int64Min(0).Draw(t, "took"),
			}
		}), 0, 3).Draw(t, "modules")
		if rapid.Bool().Draw(t, "timed") {
			e.Took = &took.Times{Total: time.Duration(rapid.Int64Range(0, 1e6).Draw(t, "total")) * time.Millisecond}
			for p := range took.Parts {
				e.Took.Add(p, time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "part"))/1e6*1e6)
			}
		}
		e.DurationMS = rapid.Int64().Draw(t, "duration")
		return e
	})
}

// What is written is what encoding/json writes, octet by octet.
func TestEncodeAgainstEncodingJSON(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, rapid.MakeCheck(func(t *rapid.T) {
			e := anyEntry(k.name).Draw(t, "entry")
			got := k.append([]byte("before"), e)
			want := reference(t, e)
			if diff := cmp.Diff("before"+string(want), string(got)); diff != "" {
				t.Fatal(diff)
			}
			if bytes.ContainsAny(got, "\n\r\u2028\u2029") || !utf8.Valid(got) {
				t.Fatalf("not one line of UTF-8: %q", got)
			}
		}))
	}
}

// What is written is read again as it was, but for octets that are no UTF-8.
func TestDecodeIsTheInverse(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, rapid.MakeCheck(func(t *rapid.T) {
			e := anyEntry(k.name).Draw(t, "entry")
			v := reflect.ValueOf(e).Elem()
			for i := range v.NumField() {
				if f := v.Field(i); f.Kind() == reflect.String {
					f.SetString(strings.ToValidUTF8(f.String(), "?"))
				}
			}
			for i, r := range e.Recipients {
				e.Recipients[i] = strings.ToValidUTF8(r, "?")
			}
			e.Rules, e.Modules, e.Changes = nil, nil, nil
			line, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			var back Entry
			if err := json.Unmarshal(line, &back); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			again, err := json.Marshal(back)
			if err != nil || !bytes.Equal(line, again) {
				t.Fatalf("%s\nbecame\n%s\n%v", line, again, err)
			}
		}))
	}
}

func full() *Entry {
	return &Entry{
		Time: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Kind: Messages, Gateway: "mx1.example.org", Ref: "0a1b2c3d4e5f", QueueID: "4Lx2Pq3Zz1z9",
		MessageID: "<20261123120000.12345@mail.example.com>", ClientIP: "192.0.2.7", ClientHost: "mail.example.com", Helo: "mail.example.com",
		TLS: "TLSv1.3", Direction: "inbound", Sender: "newsletter@example.com", Recipients: []string{"ivan@example.org", "anna@example.org"},
		Subject: "Квартальный отчёт и кое-что ещё", Size: 12345, Verdict: "accept", Weight: "3.5",
		Rules: []RuleHit{{Name: "sender-without-mx", Stage: "mailfrom", Weight: "4"}, {Name: "sender-has-mx", Stage: "mailfrom", Weight: "-0.5"}},
	}
}

func TestEncodeAllocatesNothing(t *testing.T) {
	e, b := full(), make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { b = appendMessage(b[:0], e) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkEncode(b *testing.B) {
	e, buf := full(), make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buf = appendMessage(buf[:0], e)
	}
	b.SetBytes(int64(len(buf)))
}

func BenchmarkEncodingJSON(b *testing.B) {
	e := full()
	b.ReportAllocs()
	for b.Loop() {
		b.SetBytes(int64(len(reference(b, e))))
	}
}

// The page that programs are written by names every field of every kind, and
// no other.
func TestFieldsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/journal.md")
	if err != nil {
		t.Fatal(err)
	}
	said := make(map[string]map[string]bool)
	for _, k := range kinds {
		said[k.name] = make(map[string]bool)
	}
	row := regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| [a-z ]+ \\| ([a-z, ]+) \\|")
	for _, m := range row.FindAllStringSubmatch(string(page), -1) {
		in := strings.Split(m[2], ", ")
		if m[2] == "all" {
			in = Kinds()
		}
		for _, k := range in {
			said[k][m[1]] = true
		}
	}
	e := full()
	e.Recipient, e.Stage, e.Rule, e.By, e.Detail = "r", "s", "r", "b", "d"
	e.Took, e.Tags, e.Thresholds = new(took.Times), []string{"t"}, []string{"threshold above 3"}
	for _, k := range kinds {
		var written map[string]any
		if err := json.Unmarshal(k.append(nil, e), &written); err != nil {
			t.Fatal(err)
		}
		for name := range written {
			if !said[k.name][name] && !(name == "detail" && k.name != Trace && k.name != Shadow) && name != "by" {
				t.Errorf("%s: field %s is not documented", k.name, name)
			}
		}
		for name := range said[k.name] {
			if _, ok := written[name]; !ok {
				t.Errorf("%s: field %s is documented and not written", k.name, name)
			}
		}
	}
}
