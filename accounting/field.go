package accounting

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// field is one attribute of a record as it is stored: the form and the order
// of JSON, of the scanner and of a Redis stream's entry all follow from the
// table below. Exactly one of its functions is set.
type field struct {
	name string
	// sparse: JSON leaves it out where it is empty.
	sparse bool
	// later: added after the first release, so readers do without it.
	later bool
	// rare: a stream's entry leaves it out where it is empty. All others stand
	// in every entry: that is what Redis stores best.
	rare bool

	text  func(*Record) *string
	whole func(*Record) *int64
	count func(*Record) *int
	clock func(*Record) *time.Time
	list  func(*Record) *[]string
}

// fields are all, in their order. A name, once released, stays.
var fields = [...]field{
	{name: "id", text: func(r *Record) *string { return &r.ID }},
	{name: "kind", text: func(r *Record) *string { return &r.Kind }},
	{name: "voids", sparse: true, text: func(r *Record) *string { return &r.Voids }},
	{name: "time", clock: func(r *Record) *time.Time { return &r.Time }},
	{name: "gateway", text: func(r *Record) *string { return &r.Gateway }},
	{name: "queue_id", text: func(r *Record) *string { return &r.QueueID }},
	{name: "message_id", text: func(r *Record) *string { return &r.MessageID }},
	{name: "ref", text: func(r *Record) *string { return &r.Ref }},
	{name: "client", text: func(r *Record) *string { return &r.Client }},
	{name: "recipient", text: func(r *Record) *string { return &r.Recipient }},
	{name: "sender", text: func(r *Record) *string { return &r.Sender }},
	{name: "client_ip", text: func(r *Record) *string { return &r.ClientIP }},
	{name: "direction", text: func(r *Record) *string { return &r.Direction }},
	{name: "size", whole: func(r *Record) *int64 { return &r.Size }},
	{name: "charged", whole: func(r *Record) *int64 { return &r.Charged }},
	{name: "share", text: func(r *Record) *string { return &r.Share }},
	{name: "share_index", count: func(r *Record) *int { return &r.ShareIndex }},
	{name: "share_count", count: func(r *Record) *int { return &r.ShareCount }},
	{name: "verdict", text: func(r *Record) *string { return &r.Verdict }},
	{name: "weight", text: func(r *Record) *string { return &r.Weight }},
	{name: "rules", list: func(r *Record) *[]string { return &r.Rules }},
	{name: "tariff", sparse: true, text: func(r *Record) *string { return &r.Tariff }},
	{name: "tariff_version", sparse: true, text: func(r *Record) *string { return &r.TariffVersion }},
	{name: "policy", sparse: true, later: true, text: func(r *Record) *string { return &r.Policy }},
	{name: "payer", sparse: true, later: true, rare: true, text: func(r *Record) *string { return &r.Payer }},
	{name: "by", sparse: true, later: true, rare: true, text: func(r *Record) *string { return &r.By }},
	{name: "note", sparse: true, later: true, rare: true, text: func(r *Record) *string { return &r.Note }},
	{name: "reverses", sparse: true, later: true, rare: true, text: func(r *Record) *string { return &r.Reverses }},
	// A store knows the period by where the record stands, and leaves it out.
	{name: "period", sparse: true, later: true, rare: true, text: func(r *Record) *string { return &r.Period }},
	{name: "effect", sparse: true, later: true, text: func(r *Record) *string { return &r.Effect }},
	{name: "currency", sparse: true, later: true, text: func(r *Record) *string { return &r.Currency }},
	// The script that applies a record in Redis writes the last four.
	{name: "priced", sparse: true, later: true, whole: func(r *Record) *int64 { return &r.Priced }},
	{name: "included", sparse: true, later: true, whole: func(r *Record) *int64 { return &r.Included }},
	{name: "included_delivery", sparse: true, later: true, whole: func(r *Record) *int64 { return &r.IncludedDelivery }},
	{name: "amount", sparse: true, later: true, text: func(r *Record) *string { return &r.Amount }},
}

// leads are the fields' texts before a value in JSON.
var leads = func() (list [len(fields)]string) {
	for i, f := range fields {
		list[i] = `,"` + f.name + `":`
	}
	list[0] = "{" + list[0][1:]
	return list
}()

// empty tells whether the record has nothing in a field.
func (f *field) empty(r *Record) bool {
	switch {
	case f.text != nil:
		return *f.text(r) == ""
	case f.whole != nil:
		return *f.whole(r) == 0
	case f.count != nil:
		return *f.count(r) == 0
	case f.list != nil:
		return len(*f.list(r)) == 0
	}
	return false
}

// AppendFields appends names and values as a Redis stream takes them: text,
// and int64 for numbers. A list is a JSON array, "" where it is empty.
func (r *Record) AppendFields(to []any) []any {
	for i := range fields {
		f := &fields[i]
		if f.rare && f.empty(r) {
			continue
		}
		switch {
		case f.text != nil:
			to = append(to, f.name, *f.text(r))
		case f.whole != nil:
			to = append(to, f.name, *f.whole(r))
		case f.count != nil:
			to = append(to, f.name, int64(*f.count(r)))
		case f.clock != nil:
			to = append(to, f.name, string(AppendTime(nil, *f.clock(r))))
		case f.list != nil:
			text := ""
			if !f.empty(r) {
				text = string(appendList(nil, *f.list(r)))
			}
			to = append(to, f.name, text)
		}
	}
	return to
}

// ParseFields makes a record of what AppendFields gave; get answers a field's
// value. The record has passed Check. The error joins all that is wrong.
func ParseFields(get func(name string) (string, bool)) (Record, error) {
	var r Record
	var wrong []error
	for i := range fields {
		f := &fields[i]
		text, ok := get(f.name)
		if !ok {
			if !f.later {
				wrong = append(wrong, fmt.Errorf("no field %q", f.name))
			}
			continue
		}
		if err := f.parse(&r, text); err != nil {
			wrong = append(wrong, fmt.Errorf("field %q: %w", f.name, err))
		}
	}
	if len(wrong) == 0 {
		if err := r.Check(); err != nil {
			wrong = append(wrong, err)
		}
	}
	if err := errors.Join(wrong...); err != nil {
		return Record{}, err
	}
	return r, nil
}

func (f *field) parse(r *Record, text string) (err error) {
	switch {
	case f.text != nil:
		*f.text(r) = text
	case f.whole != nil:
		*f.whole(r), err = strconv.ParseInt(text, 10, 64)
	case f.count != nil:
		*f.count(r), err = strconv.Atoi(text)
	case f.clock != nil:
		*f.clock(r), err = parseTime(text)
	case f.list != nil && text != "":
		err = json.NewDecoder(strings.NewReader(text)).Decode(f.list(r))
	}
	return err
}
