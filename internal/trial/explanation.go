package trial

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/rules"
)

// Explanation is what each stage did to a message, and why. Texts of outsiders
// stand in it as they are.
type Explanation struct {
	Verdict string `json:"verdict"`
	Weight  string `json:"weight"` // a decimal
	Reply   string `json:"reply"`  // with reject and tempfail, as the MTA gives it
	Rule    string `json:"rule"`   // that decided; "" when none did
	Reason  string `json:"reason"`
	Subject string `json:"subject"` // as it would go on
	// Stages in the order in which they were judged; rcptto once a recipient.
	Stages     []Stage        `json:"stages"`
	Recipients []RecipientRow `json:"recipients"`
	Header     []Change       `json:"header"` // what would change
	Records    []Billed       `json:"records"`
	// Standing tells whether quotas and balances of clients are in the verdict:
	// "asked"; "not asked", where a client has a limit; "" where none has one.
	Standing string `json:"standing"`
	// Clients is what was known of the clients of a source; nil where the policy
	// follows none.
	Clients *assemble.KeptSource `json:"clients,omitempty"`
}

// Billed is a record that would come of it.
type Billed struct {
	accounting.Record
	Cost string // money: the whole millionths of its amount; "" without a price
}

// MarshalJSON is that of the record, with its cost.
func (b Billed) MarshalJSON() ([]byte, error) {
	text := b.AppendJSON(nil)
	if b.Cost != "" {
		text = fmt.Appendf(text[:len(text)-1], `,"cost":%q}`, b.Cost)
	}
	return text, nil
}

// Stage is one stage of an explanation.
type Stage struct {
	Stage      string      `json:"stage"`
	Recipient  string      `json:"recipient,omitempty"`
	Attributes []Attribute `json:"attributes"` // that rules asked for
	Rules      []Tried     `json:"rules"`      // in the order in which they were tried
	Verdict    string      `json:"verdict"`    // "" when nothing was decided
	Reply      string      `json:"reply"`
	Reason     string      `json:"reason"`
	Weight     string      `json:"weight"` // so far
	// Thresholds are those that the weight is above, at complete.
	Thresholds []Passed `json:"thresholds"`
}

// Passed is a threshold that the weight is above.
type Passed struct {
	Threshold string `json:"threshold"` // "threshold above 6"
	Action    string `json:"action"`    // what it does; of one in shadow, what it would do
	Marks     bool   `json:"marks"`     // likewise
	Shadow    bool   `json:"shadow"`    // it has no effect
}

// Attribute is the value of an attribute.
type Attribute struct {
	Name   string   `json:"name"`
	Values []string `json:"values"` // empty: there is none, unless it is not known
	// Unknown: somebody else has to give it, and nobody was asked, or it could not be had.
	Unknown bool   `json:"unknown"`
	Error   string `json:"error"` // why it could not be had
	More    int    `json:"more"`  // further values that are left out
}

// Tried is a rule that was tried.
type Tried struct {
	Rule      string `json:"rule"`
	Matched   bool   `json:"matched"`
	Clause    string `json:"clause"`    // that decided: match, any, unless; ""
	Attribute string `json:"attribute"` // in it
	Value     string `json:"value"`     // of it
	Error     string `json:"error"`
	Weight    string `json:"weight"` // what it gives, when it matches
	Action    string `json:"action"` // likewise
	Shadow    bool   `json:"shadow"`
	Again     bool   `json:"again"` // it counted for this message before
}

// RecipientRow is what a recipient got.
type RecipientRow struct {
	Recipient string `json:"recipient"`
	Verdict   string `json:"verdict"`
	Reply     string `json:"reply"`
}

// Change is one field that comes or goes.
type Change struct {
	Op    string `json:"op"` // "-" or "+"
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Explain tells an outcome in the words of policies.
func Explain(o *Outcome) *Explanation {
	e := &Explanation{
		Verdict: string(o.Result.Verdict), Weight: o.Result.Weight.String(), Reply: said(o.Result.Reply),
		Stages: []Stage{}, Recipients: []RecipientRow{}, Header: changes(o.Header, o.Left), Records: []Billed{},
	}
	for _, r := range o.Records {
		e.Records = append(e.Records, Billed{r, costOf(&r)})
	}
	subject, _ := o.Left.Subject()
	e.Subject = strings.TrimSpace(subject)
	var weight rules.Weight
	for _, event := range o.Events {
		e.add(event, &weight)
	}
	for _, r := range o.Recipients {
		row := RecipientRow{Recipient: r.Address, Verdict: cmp.Or(string(r.Verdict), string(gate.Accepted)), Reply: said(r.Reply)}
		e.Recipients = append(e.Recipients, row)
		if e.Reply == "" && o.Result.Verdict != gate.Accepted && o.Result.Reply.Code == 0 {
			e.Reply = row.Reply // nobody got as far as the end of the message
		}
	}
	return e
}

// costOf is what a record costs; "" of one without a price.
func costOf(r *accounting.Record) string {
	amount, err := price.ParseAmount(r.Amount)
	if r.Amount == "" || err != nil {
		return "" // settled here, it can be read
	}
	return price.FormatMoney(amount.Whole)
}

// add takes a step into its stage.
func (e *Explanation) add(event gate.Event, weight *rules.Weight) {
	switch event := event.(type) {
	case gate.Asked:
		e.stage(event.Stage, "").ask(event)
	case gate.Tried:
		s := e.stage(event.Stage, event.Recipient)
		t := Tried{
			Rule: event.Rule.Name, Matched: event.Matched, Clause: event.Clause, Attribute: event.Attr, Value: event.Value,
			Weight: event.Rule.Weight.String(), Action: event.Rule.Action.String(), Shadow: event.Rule.Shadow,
		}
		if event.Err != nil {
			t.Error = event.Err.Error()
		}
		s.Rules = append(s.Rules, t)
	case gate.Hit:
		s := e.stage(event.Stage, event.Recipient)
		for i := range s.Rules {
			if s.Rules[i].Rule == event.Rule.Name {
				s.Rules[i].Again = event.Again
			}
		}
		if !event.Again && !event.Temperror && !event.Rule.Shadow {
			*weight += event.Weight
		}
		s.Weight = weight.String()
	case gate.Passed:
		s, t := e.stage(rules.Complete, ""), event.Threshold
		s.Thresholds = append(s.Thresholds, Passed{
			Threshold: gate.ThresholdName(t), Action: t.Action.String(), Shadow: t.Shadow, Marks: t.Tags.Subject != nil || len(t.Tags.Headers)+len(t.Tags.Remove) > 0,
		})
	case gate.Decided:
		s := e.stage(event.Stage, event.Recipient)
		s.Verdict, s.Reply, s.Reason = string(event.Verdict), said(event.Reply), event.Reason
		if event.Stage == rules.Complete || event.Rule != "" {
			e.Rule, e.Reason = event.Rule, event.Reason
		}
	}
}

// stage is the one that goes on, or a new one.
func (e *Explanation) stage(of rules.Stage, recipient string) *Stage {
	if of == rules.Inspected {
		of = rules.Complete // its second half
	}
	if n := len(e.Stages); n > 0 {
		last := &e.Stages[n-1]
		if last.Stage == of.String() && (recipient == "" || last.Recipient == recipient || last.Recipient == "" && last.Verdict == "") {
			last.Recipient = cmp.Or(last.Recipient, recipient)
			return last
		}
	}
	weight := "0"
	if n := len(e.Stages); n > 0 {
		weight = e.Stages[n-1].Weight
	}
	e.Stages = append(e.Stages, Stage{Stage: of.String(), Recipient: recipient, Attributes: []Attribute{}, Rules: []Tried{}, Weight: weight, Thresholds: []Passed{}})
	return &e.Stages[len(e.Stages)-1]
}

const (
	mostValues = 50  // of one attribute are shown
	mostValue  = 500 // octets of one
)

// ask takes the value of an attribute, once.
func (s *Stage) ask(a gate.Asked) {
	row := Attribute{Name: a.Key.String(), Values: []string{}}
	for _, before := range s.Attributes {
		if before.Name == row.Name {
			return
		}
	}
	if a.Err != nil {
		row.Error = a.Err.Error()
	}
	row.Unknown = NotKnown(a)
	for _, v := range values(a.Key, a.Value) {
		if len(row.Values) == mostValues {
			row.More++
			continue
		}
		row.Values = append(row.Values, shorten(v))
	}
	s.Attributes = append(s.Attributes, row)
}

// NotKnown tells whether somebody else has to give what was asked for, and has not:
// nobody was asked, or it could not be had.
func NotKnown(a gate.Asked) bool {
	if a.Err != nil {
		return true
	}
	v, rows := a.Value, rules.Catalogue()
	if a.Key.Attr == rules.DKIMDomain { // without a signature, or a good one, there is nobody to ask
		return v.Partial && len(v.Texts) == 0
	}
	asks := int(a.Key.Attr) < len(rows) && rows[a.Key.Attr].Asks != rules.Nobody
	return asks && !v.Known && len(v.Texts)+len(v.IPs) == 0
}

func shorten(s string) string {
	if len(s) <= mostValue {
		return s
	}
	return strings.ToValidUTF8(s[:mostValue], "") + "..."
}

// values are those of an attribute, as policies write them.
func values(k rules.Key, v rules.Value) (all []string) {
	for _, a := range v.IPs {
		all = append(all, a.String())
	}
	all = append(all, v.Texts...)
	if !v.Known {
		return all
	}
	kind := rules.KindText
	if rows := rules.Catalogue(); int(k.Attr) < len(rows) {
		kind = rows[k.Attr].Kind
	}
	switch kind {
	case rules.KindDNSBL: // the addresses that it answered
		return all
	case rules.KindBool:
		return append(all, strconv.FormatBool(v.Num != 0))
	case rules.KindNumber:
		return append(all, rules.Weight(v.Num).String())
	}
	return append(all, v.Text)
}

func said(r gate.Reply) string {
	if r.Code == 0 {
		return ""
	}
	return r.String()
}
