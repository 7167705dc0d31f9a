package proof_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/diag"
	"github.com/tollgate-mail/tollgate/internal/proof"
	"github.com/tollgate-mail/tollgate/rules"
	"github.com/tollgate-mail/tollgate/rules/expr"
	"github.com/tollgate-mail/tollgate/rules/list"
)

// Few words and networks, so that rules meet.
var (
	expressions = []string{
		"a", "ab", "^a", "b$", "^ab$", "^(a|b)$", "(a|ab)c?", `\ba`, "(?-i)A", "(?-i)a", ".", "^$", "a.b", "[ab]", "^a|b$", "(?i)AB", "", "^a*$", "b*", `^k\b`, "k", "s$", "(^|b)a$",
		`\w$`, "a+", "[^a]", "^[^.]+$",
	}
	words    = []string{"", "a", "b", "ab", "A", "abc", "ba", "aab", "x a", "AB", "a.b", "\u212a", "k", "\u017f", "s", "b a", ".b"}
	networks = []string{"10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "192.0.2.0/24", "0.0.0.0/0", "2001:db8::/32", "2001:db8::1", "/^10/", "list:net", "list:few"}
	addrs    = []string{"10.1.2.3", "10.1.0.1", "10.9.9.9", "192.0.2.1", "8.8.8.8", "2001:db8::1", "2001:db8:1::1"}
	numbers  = []string{"> 3", ">= 3", "< 3", "<= 3", "= 3", "> 1", "< 5", "= 4", "<= 0", "< 0"}
	values   = map[string][]any{
		"client_ip": anys(networks), "header_ip": anys(networks), "subject": anys(append(expressions, "list:few")), "helo": anys(append(expressions, "list:few", "list:names", "list:more")),
		"header.X": append(anys(append(expressions, "list:names", "list:more")), true, false), "client_resolve": anys([]string{"ok", "fail", "forged", "temp"}),
		"spf": anys([]string{"pass", "fail", "none", "temperror"}), "tls": {true, false}, "tls_version": anys(expressions), "recipient_count": anys(numbers), "declared_size": anys(numbers),
		"authenticated": {true, false}, "auth_user": anys(expressions), "dnsbl": anys([]string{"x.example", "x.example=127.0.0.2", "x.example=127.255.255.1", "y.example"}),
		"attachment_name": append(anys(expressions), true, false),
	}
	stages = []string{"connect", "helo", "mailfrom", "rcptto", "headers", "complete"}
)

func anys(s []string) []any {
	all := make([]any, len(s))
	for i := range s {
		all[i] = s[i]
	}
	return all
}

func lists() map[string]*list.List {
	cache := expr.NewCache(expr.DefaultCache)
	make := func(entries ...string) *list.List {
		var ops []diag.Operand
		for _, e := range entries {
			ops = append(ops, diag.Operand{V: e})
		}
		l, problems := list.New(ops, list.Names, cache)
		if err := problems.Err(); err != nil {
			panic(err)
		}
		return l
	}
	return map[string]*list.List{
		"net": make("10.0.0.0/8", "2001:db8::1"), "few": make("10.1.2.3", "ab"), "names": make("a", "b", ".b", "k"), "more": make("a", "ab", "b", ".b", "k", "s", "/c/"),
	}
}

// known is a message: what each attribute of a stage is. At the stage rcptto
// what hangs on the recipient is another each time.
type known struct {
	t      *rapid.T
	values map[rules.Key]rules.Value
	errs   map[rules.Key]error
	names  []string
	work   *budget.Budget
	count  int
}

var errAway = errors.New("away")

func (k *known) Work() *budget.Budget { return k.work }

func (k *known) Value(_ context.Context, key rules.Key) (rules.Value, error) {
	switch key.Attr {
	case rules.RuleName:
		return rules.TextValues(k.names), nil
	case rules.RecipientCount:
		return rules.NumberValue(int64(k.count)), nil
	}
	if v, ok := k.values[key]; ok {
		return v, k.errs[key]
	}
	v, err := k.draw(key)
	k.values[key], k.errs[key] = v, err
	return v, err
}

func (k *known) draw(key rules.Key) (rules.Value, error) {
	pick := func(all []string) string { return rapid.SampledFrom(all).Draw(k.t, key.String()) }
	if rapid.IntRange(0, 9).Draw(k.t, "away") == 0 && key.Attr != rules.TLS && key.Attr != rules.Authenticated {
		return rules.Value{}, errAway
	}
	some := func() []string { return rapid.SliceOfN(rapid.SampledFrom(words), 0, 3).Draw(k.t, key.String()) }
	switch key.Attr {
	case rules.ClientIP:
		return rules.IPValues([]netip.Addr{netip.MustParseAddr(pick(addrs))}), nil
	case rules.HeaderIP:
		var all []netip.Addr
		for _, a := range rapid.SliceOfN(rapid.SampledFrom(addrs), 0, 3).Draw(k.t, key.String()) {
			all = append(all, netip.MustParseAddr(a))
		}
		return rules.IPValues(all), nil
	case rules.Subject, rules.HeaderField, rules.AttachmentName:
		return rules.Value{Texts: some(), Partial: key.Attr == rules.AttachmentName && rapid.Bool().Draw(k.t, "partial")}, nil
	case rules.HeloName:
		return rules.TextValue(pick(words)), nil
	case rules.ClientResolve:
		return rules.EnumValue(pick([]string{"ok", "fail", "forged", "temp"})), nil
	case rules.SPF:
		return rules.EnumValue(pick([]string{"pass", "fail", "none", "temperror"})), nil
	case rules.TLS:
		v, _ := k.Value(context.Background(), rules.Key{Attr: rules.TLSVersion})
		return rules.BoolValue(v.Known), nil
	case rules.Authenticated:
		v, _ := k.Value(context.Background(), rules.Key{Attr: rules.AuthUser})
		return rules.BoolValue(v.Known), nil
	case rules.TLSVersion, rules.AuthUser:
		return rules.Value{Known: rapid.Bool().Draw(k.t, "known"), Text: pick(words)}, nil
	case rules.DeclaredSize:
		n := rapid.IntRange(-1, 6).Draw(k.t, "size")
		if n < 0 {
			return rules.Value{}, nil
		}
		return rules.NumberValue(int64(n)), nil
	case rules.DNSBL:
		switch pick([]string{"no", "2", "3", "refused"}) {
		case "2":
			return rules.IPValues([]netip.Addr{netip.MustParseAddr("127.0.0.2")}), nil
		case "3":
			return rules.IPValues([]netip.Addr{netip.MustParseAddr("127.0.0.3")}), nil
		case "refused":
			return rules.Value{Refused: []netip.Addr{netip.MustParseAddr("127.255.255.1")}}, nil
		}
	}
	return rules.Value{}, nil
}

// condition is a random one that the stage allows.
func condition(t *rapid.T, limit rules.Stage) rules.Condition {
	var can []string
	for _, name := range sortedKeys {
		if stageOf(name) <= limit {
			can = append(can, name)
		}
	}
	c := rules.Condition{Attr: rapid.SampledFrom(can).Draw(t, "attribute")}
	for _, v := range rapid.SliceOfN(rapid.SampledFrom(values[c.Attr]), 1, 3).Draw(t, "values") {
		c.Values = append(c.Values, rules.Operand{V: v})
	}
	if c.Attr != "dnsbl" {
		switch rapid.IntRange(0, 9).Draw(t, "how") {
		case 0:
			c.All = true
		case 1:
			c.Hits = rapid.SampledFrom([]string{">= 1", "= 0", "<= 1"}).Draw(t, "hits")
		}
	}
	return c
}

var sortedKeys = func() []string {
	var all []string
	for k := range values {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}()

func stageOf(name string) rules.Stage {
	for _, row := range rules.Catalogue() {
		if row.Name == name || row.Name == "header" && name == "header.X" {
			return row.Stage
		}
	}
	panic(name)
}

func source(t *rapid.T) rules.Source {
	src := rules.Source{Lists: lists(), ListsAt: map[string]rules.Pos{}}
	for i := range rapid.IntRange(1, 6).Draw(t, "rules") {
		stage := rapid.SampledFrom(stages).Draw(t, "stage")
		limit, _ := rules.ParseStage(stage)
		some := func(most int) (all []rules.Condition) {
			for range rapid.IntRange(0, most).Draw(t, "conditions") {
				all = append(all, condition(t, limit))
			}
			return all
		}
		r := rules.SourceRule{Name: fmt.Sprintf("r%d", i), Stage: stage, Match: some(2), Any: some(2), Unless: some(2)}
		if rapid.IntRange(0, 4).Draw(t, "grouped") == 0 {
			r.AnyOf, r.UnlessAll = [][]rules.Condition{some(2)}, [][]rules.Condition{some(2)}
		}
		r.Action = rapid.SampledFrom([]string{"continue", "accept", "reject", "tempfail"}).Draw(t, "action")
		r.Last = rapid.IntRange(0, 4).Draw(t, "last") == 0
		r.Shadow = rapid.IntRange(0, 6).Draw(t, "shadow") == 0
		r.Weight = rules.Weight(rapid.IntRange(-2, 4).Draw(t, "weight") * 1000)
		if rapid.IntRange(0, 6).Draw(t, "temperror") == 0 {
			r.OnTemperror = "tempfail"
		}
		src.Rules = append(src.Rules, r)
	}
	src.Thresholds = []rules.SourceThreshold{{Above: rules.Weight(rapid.IntRange(0, 8).Draw(t, "above") * 1000), Action: "reject"}}
	return src
}

// What is called dead or covered never hits, whatever the message; and no sum of
// weights passes a threshold that is said to be above all.
func TestDeadNeverHits(t *testing.T) {
	t.Parallel()
	told := 0
	rapid.Check(t, func(t *rapid.T) {
		src := source(t)
		policy, problems := rules.Compile(src)
		if err := problems.Err(); err != nil {
			t.Skip(err)
		}
		p := proof.New(src, policy)
		dead := map[string]string{}
		for i := range src.Rules {
			if why := p.Dead(i); why != "" {
				dead[src.Rules[i].Name] = why
			} else if by := p.Covered(i); by >= 0 {
				dead[src.Rules[i].Name] = "covered by " + src.Rules[by].Name
			}
		}
		told += len(dead)
		if len(dead) == 0 {
			return
		}
		for range 20 {
			k := &known{t: t, values: map[rules.Key]rules.Value{}, errs: map[rules.Key]error{}, work: rules.Work()}
			for _, name := range hits(t, policy, k) {
				if why, ok := dead[name]; ok {
					t.Fatalf("%s hits, and is said to be dead: %s\n%+v\n%+v", name, why, src.Rules, k.values)
				}
			}
		}
	})
	if told == 0 && !t.Failed() {
		t.Error("nothing was ever called dead")
	}
}

// hits are the rules that match as the gate tries them: what ends a scope ends
// it.
func hits(t *rapid.T, policy *rules.Policy, k *known) (names []string) {
	for _, s := range []rules.Stage{rules.Connect, rules.Helo, rules.MailFrom, rules.RcptTo, rules.Headers, rules.Complete, rules.Inspected} {
		times := 1
		if s == rules.RcptTo {
			times = rapid.IntRange(1, 3).Draw(t, "recipients")
		}
		if s == rules.Helo && rapid.Bool().Draw(t, "silent") {
			continue
		}
		ended := false
		for range times {
			if s == rules.RcptTo {
				k.count++
			}
			out := policy.Evaluate(context.Background(), s, k, nil)
			for _, h := range out.Hits {
				names = append(names, h.Rule.Name)
				if !h.Temperror && !h.Rule.Shadow {
					k.names = append(k.names, h.Rule.Name)
				}
			}
			ended = ended || s != rules.RcptTo && (out.Action != rules.Continue || s == rules.Complete && out.Last)
		}
		if ended {
			return names
		}
	}
	return names
}
