package replay

import (
	"cmp"
	"errors"
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/policydiff"
	"github.com/tollgate-mail/tollgate/rules"
)

// answers are what the journal keeps of look-ups and inspectors: values by which a
// rule matched, and what modules and the antivirus said.
type answers struct {
	values  map[string]string // by attribute, as hits name it
	modules []journal.ModuleHit
	scanned string // result of the antivirus; "": nothing is known
	virus   string
}

// answersOf are those of an entry, nil where it has none; scan is that of the
// antivirus journal, nil for none.
func answersOf(e, scan *journal.Entry) *answers {
	a := &answers{modules: e.Modules}
	for _, h := range e.Rules {
		if h.Text != "" && !strings.Contains(h.Text, "…") && lookedUp(h.Attribute) {
			if a.values == nil {
				a.values = map[string]string{}
			}
			a.values[h.Attribute] = h.Text
		}
	}
	if scan != nil {
		a.scanned, a.virus = scan.Result, scan.Signature
	}
	if len(a.values)+len(a.modules) == 0 && a.scanned == "" {
		return nil
	}
	return a
}

// lookedUp tells attributes that somebody else is asked for and that have one
// value, or the addresses of a list.
func lookedUp(attribute string) bool {
	name, _, _ := strings.Cut(attribute, " ")
	for _, row := range rules.Catalogue() {
		if row.Name == name && row.Asks == rules.AsksDNS {
			return row.Kind == rules.KindEnum || row.Kind == rules.KindDNSBL
		}
	}
	return false
}

// value is one that a rule's match shows.
func (a *answers) value(k rules.Key) (v rules.Value, known bool) {
	text, ok := a.values[k.String()]
	if !ok {
		return v, false
	}
	if k.Attr == rules.DNSBL || k.Attr == rules.SenderDNSBL {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return v, false
		}
		// The list may have said more than what matched.
		return rules.Value{IPs: []netip.Addr{addr}, Partial: true}, true
	}
	return rules.EnumValue(text), true
}

var errFailed = errors.New("it failed when the message came")

// inspected is what an inspector said; false where the journal has nothing of it.
func (a *answers) inspected(name string) (module.Result, bool) {
	if name == "antivirus" {
		switch a.scanned {
		case journal.Clean, journal.Infected:
			return module.Result{Finding: module.Finding{Virus: a.virus}}, true
		case journal.Unscanned:
			return module.Result{Err: module.ErrOversize}, true
		case journal.ScanError:
			return module.Result{Err: errFailed}, true
		}
		return module.Result{}, false
	}
	for i := range a.modules {
		m := &a.modules[i]
		if m.Name != name {
			continue
		}
		switch m.Result {
		case journal.ModuleOversize:
			return module.Result{Err: module.ErrOversize}, true
		case journal.ModuleError:
			return module.Result{Err: errFailed}, true
		}
		score, ok := weight(m.Score)
		return module.Result{Finding: module.Finding{Score: score, Symbols: m.Symbols, Action: m.Action}}, ok
	}
	return module.Result{}, false
}

// whole is what is known of a message that is there whole: its look-ups and what
// services said.
type whole struct{ *answers }

func (w whole) Value(k rules.Key) (rules.Value, bool, error) {
	v, known := w.value(k)
	return v, known, nil
}

func (whole) Rule(*rules.Rule, string) (rules.Weight, bool, bool) { return 0, false, false }

func (w whole) Inspected(name string) (module.Result, bool) { return w.inspected(name) }

// entry is what is known of a message of which there are only its lines in the
// journals.
type entry struct {
	answers
	e      *journal.Entry
	blocks map[string]*journal.Entry // of recipients that were refused, as the client wrote them
	stage  string                    // at which a rule decided; "": none did
	rule   string
	shared *policydiff.Shared // of the policy that judged and the one that does now; nil: nothing
}

var errNotKept = errors.New("the journal does not have it")

// Value implements gate.Recall: what is not in the envelope is what the entry says,
// or cannot be had.
func (n *entry) Value(k rules.Key) (v rules.Value, known bool, err error) {
	if v, known := n.value(k); known {
		return v, true, nil
	}
	switch k.Attr {
	case rules.Subject:
		return n.text(n.e.Subject)
	case rules.HeaderField:
		switch k.Name {
		case "Subject":
			return n.text(n.e.Subject)
		case "Message-Id":
			return n.text(n.e.MessageID)
		}
	case rules.Size:
		return rules.NumberValue(n.e.Size), true, nil
	case rules.ClientResolve:
		if n.e.ClientHost != "unknown" {
			return v, false, nil
		}
	case rules.ModuleScore, rules.ModuleSymbol, rules.ModuleAction, rules.Virus:
		// The stand-ins answer: module.ErrUnknown where the journal has nothing.
		return v, false, nil
	case rules.ClientIP, rules.ClientHost, rules.HeloName, rules.TLS, rules.TLSVersion, rules.Authenticated, rules.AuthUser, rules.Direction,
		rules.Sender, rules.SenderDomain, rules.Recipient, rules.RecipientDomain, rules.RecipientClient, rules.RecipientCount, rules.RuleName:
		return v, false, nil
	}
	return v, true, errNotKept
}

// text is one of the header. An empty one is as good as none, and a long one was
// cut.
func (n *entry) text(s string) (rules.Value, bool, error) {
	if s == "" {
		return rules.Value{}, true, nil
	}
	v := rules.TextValue(s)
	v.Partial = strings.HasSuffix(s, " octets)") || strings.ContainsRune(s, utf8.RuneError)
	return v, true, nil
}

// Rule implements gate.Recall. What the policy that judged found of a rule holds
// for one that says the same, where it was tried.
func (n *entry) Rule(r *rules.Rule, recipient string) (gave rules.Weight, matched, known bool) {
	if n.shared == nil || !n.shared.Same[r.Name] {
		return 0, false, false
	}
	at, stage := n.shared.At[r.Name], r.Stage.String()
	refuses := r.Stage == rules.RcptTo && !r.Shadow && (r.Action == rules.Reject || r.Action == rules.Tempfail)
	for i := range n.e.Rules {
		h := &n.e.Rules[i]
		switch {
		case h.Name == r.Name && !refuses:
			return n.gave(h, r)
		case h.Stage == stage && n.shared.Last[h.Name] && n.shared.At[h.Name] < at:
			return 0, false, false // it was not tried
		}
	}
	if n.stage != "" && (order(n.stage) < order(stage) || n.stage == stage && n.shared.At[n.rule] < at) {
		return 0, false, false
	}
	if b := n.blocks[recipient]; refuses && b != nil && b.Rule == r.Name {
		return r.Weight, true, true
	}
	return 0, false, true
}

// gave is what a rule that matched gives now: what it gave, but for what its own
// weight has changed by.
func (n *entry) gave(h *journal.RuleHit, r *rules.Rule) (gave rules.Weight, matched, known bool) {
	w, ok := weight(h.Weight)
	own, whole := weight(cmp.Or(n.shared.Weight[r.Name], "0"))
	return w - own + r.Weight, true, ok && whole
}

// order is where a stage stands, by its name.
func order(stage string) int {
	for s := rules.Connect; s <= rules.Complete; s++ {
		if s.String() == stage {
			return int(s)
		}
	}
	return -1
}

// Inspected implements trial.Known: the message is not there, and nobody has a
// look.
func (n *entry) Inspected(name string) (module.Result, bool) {
	if r, ok := n.inspected(name); ok {
		return r, true
	}
	return module.Result{Err: module.ErrUnknown}, true
}
