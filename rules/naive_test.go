package rules_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/idna"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/rules"
	"github.com/tollgate-mail/tollgate/rules/expr"
	"github.com/tollgate-mail/tollgate/rules/list"
)

var naivePolicies = flag.Int("policies", 10_000, "random policies that are judged beside a naive reading")

// The rules, with all that makes them fast, say what a reading says that goes by
// the documents alone: every value of every condition of every rule, one after the
// other, with package regexp and loops.
func TestNaiveReading(t *testing.T) {
	t.Parallel()
	for seed := range *naivePolicies {
		compareNaively(t, uint64(seed))
		if t.Failed() {
			return
		}
	}
}

func FuzzNaiveReading(f *testing.F) {
	f.Add(uint64(1 << 40))
	f.Fuzz(func(t *testing.T, seed uint64) { compareNaively(t, seed) })
}

func compareNaively(t *testing.T, seed uint64) {
	t.Helper()
	g := &policyMaker{Rand: rand.New(rand.NewPCG(seed, 1)), lists: map[string]naiveList{}}
	src := g.source()
	p, problems := rules.Compile(src)
	if p == nil {
		t.Fatalf("seed %d: %v", seed, problems)
	}
	for range 2 {
		facts := g.facts()
		fast := told(p.Evaluate(t.Context(), rules.Headers, facts, nil))
		slow := naive{src, g.lists, facts, nil}.evaluate()
		if fast != slow {
			t.Errorf("seed %d:\nrules: %s\nnaive: %s\nfacts: %+v\npolicy: %s", seed, fast, slow, facts.values, shown(src))
		}
	}
}

func shown(src rules.Source) string {
	var b strings.Builder
	for _, r := range src.Rules {
		fmt.Fprintf(&b, "\n%s match %v any %v %v unless %v %v weight %s+%s<%s %s", r.Name, r.Match, r.Any, r.AnyOf, r.Unless, r.UnlessAll, r.Weight, r.WeightEach, r.WeightMost, r.Action)
	}
	return b.String()
}

// told is what an outcome comes to.
func told(o rules.Outcome) string {
	var b strings.Builder
	for _, h := range o.Hits {
		fmt.Fprintf(&b, "%s %s %q; ", h.Rule.Name, h.Weight, h.Captures)
	}
	b.WriteString(o.Action.String())
	for name, r := range map[string]*rules.Rule{"hold": o.Hold} {
		if r != nil {
			fmt.Fprintf(&b, " %s by %s", name, r.Name)
		}
	}
	return b.String()
}

// Facts.

type naiveFacts struct{ values map[string]rules.Value }

func (f naiveFacts) Work() *budget.Budget { return rules.Work() }

func (f naiveFacts) Value(_ context.Context, k rules.Key) (rules.Value, error) {
	return f.values[k.String()], nil
}

type policyMaker struct {
	*rand.Rand
	lists map[string]naiveList
}

func pick[T any](g *policyMaker, all ...T) T { return all[g.IntN(len(all))] }

// some are a few of what one makes.
func some[T any](g *policyMaker, most int, one func() T) []T {
	var all []T
	for range g.IntN(most + 1) {
		all = append(all, one())
	}
	return all
}

func (g *policyMaker) word() string {
	return pick(g, "приз", "Приз", "ПРИЗ", "win", "Win", "you", "ты", "лотерея", "a", "7", "ёж", "Straße", "buy now", "prizes", "!!!", "#12", "x.y")
}

func (g *policyMaker) text() string {
	return strings.Join(some(g, 5, g.word), pick(g, " ", " ", ", ", "-"))
}

func (g *policyMaker) domain() string {
	return pick(g, "example.org", "Example.ORG", "mail.example.org", "тест.рф", "ТЕСТ.рф", "xn--e1aybc.xn--p1ai", "sub.тест.рф", "b.example", "notexample.org")
}

func (g *policyMaker) address() string {
	return pick(g, "ivan", "Ivan", "olga", "a.b") + "@" + g.domain()
}

func (g *policyMaker) ip() string {
	return pick(g, "192.0.2.1", "192.0.2.200", "198.51.100.7", "10.1.2.3", "2001:db8::1", "2001:db8:1::1")
}

func (g *policyMaker) facts() naiveFacts {
	addrs := func(most int) rules.Value {
		var all []netip.Addr
		for _, s := range some(g, most, g.ip) {
			all = append(all, netip.MustParseAddr(s))
		}
		return rules.IPValues(all)
	}
	return naiveFacts{map[string]rules.Value{
		"client_ip":       addrs(1),
		"client_host":     rules.TextValue(g.domain()),
		"helo":            rules.TextValue(g.domain()),
		"tls":             rules.BoolValue(g.IntN(2) == 0),
		"spf":             rules.EnumValue(pick(g, "pass", "fail", "none")),
		"sender":          rules.TextValue(g.address()),
		"recipient":       rules.TextValues(some(g, 3, g.address)),
		"recipient_count": rules.NumberValue(int64(g.IntN(5))),
		"declared_size":   rules.NumberValue(int64(g.IntN(5) << 10)),
		"subject":         rules.TextValue(g.text()),
		"header.X-A":      rules.TextValues(some(g, 3, g.text)),
		"author":          rules.TextValues(some(g, 2, g.address)),
		"header_ip":       addrs(3),
		"rule":            rules.TextValues(some(g, 2, func() string { return pick(g, "early-1", "early-2") })),
	}}
}

// Policies.

func (g *policyMaker) source() rules.Source {
	src := rules.Source{Lists: map[string]*list.List{}}
	cache := expr.NewCache(expr.DefaultCache)
	kinds := map[string]list.Kind{"names": list.Names, "words": list.Words, "ips": list.Names}
	for _, name := range []string{"ips", "names", "words"} {
		var entries []string
		for len(entries) == 0 {
			entries = some(g, 4, map[string]func() string{
				"names": func() string {
					return pick(g, g.address(), g.domain(), "@"+g.domain(), "."+g.domain(), pick(g, "ivan", "OLGA")+"@", "/"+g.expression()+"/")
				},
				"words": func() string { return pick(g, "приз", "win", "buy now", "лотерея", "straße", "you") },
				"ips": func() string {
					return pick(g, g.ip(), "192.0.2.0/24", "2001:db8::/32", "192.0.2.100-192.0.2.255", "10.0.0.0/8")
				},
			}[name])
		}
		slices.Sort(entries)
		entries = slices.Compact(entries)
		operands := make([]rules.Operand, len(entries))
		for i, e := range entries {
			operands[i].V = e
		}
		l, problems := list.New(operands, kinds[name], cache)
		if problems.Err() != nil {
			panic(problems)
		}
		src.Lists[name], g.lists[name] = l, naiveList{entries, kinds[name]}
	}
	for i := range 1 + g.IntN(6) {
		src.Rules = append(src.Rules, g.rule(fmt.Sprintf("r-%d", i), i))
	}
	return src
}

func (g *policyMaker) rule(name string, place int) rules.SourceRule {
	condition := func() rules.Condition { return g.condition(place) }
	group := func() []rules.Condition {
		return append(some(g, 1, condition), condition())
	}
	r := rules.SourceRule{
		Name: name, Stage: "headers", Match: some(g, 2, condition), Any: some(g, 2, condition), Unless: some(g, 1, condition),
		AnyOf: some(g, 2, group), UnlessAll: some(g, 1, group),
		Weight: rules.Weight(1000 * g.IntN(4)), Action: pick(g, "continue", "continue", "continue", "hold", "reject"),
		Shadow: g.IntN(6) == 0, Last: g.IntN(8) == 0,
	}
	if g.IntN(2) == 0 {
		r.WeightEach, r.WeightMost = rules.Weight(500*(1-2*g.IntN(2))), rules.Weight(500*(1+g.IntN(4)))
	}
	if hasGroup(r) {
		r.TagHeader = []string{"X-Found: {1}"}
	}
	return r
}

// hasGroup tells whether an expression of match or any has a group.
func hasGroup(r rules.SourceRule) bool {
	for _, group := range slices.Concat([][]rules.Condition{r.Match, r.Any}, r.AnyOf) {
		for _, c := range group {
			for _, v := range c.Values {
				if s, _ := v.V.(string); textual(c.Attr) && !isOther(s) && !strings.HasPrefix(s, "list:") && regexp.MustCompile(s).NumSubexp() > 0 {
					return true
				}
			}
		}
	}
	return false
}

func textual(attr string) bool {
	switch attr {
	case "subject", "header.X-A", "sender", "author", "recipient", "helo":
		return true
	}
	return false
}

func (g *policyMaker) condition(place int) rules.Condition {
	c := rules.Condition{Attr: pick(g, "subject", "subject", "header.X-A", "sender", "author", "recipient", "helo", "client_ip", "header_ip", "recipient_count", "declared_size", "spf", "tls", "rule")}
	for range 1 + g.IntN(3) {
		v := rules.Operand{V: g.operand(c.Attr, place)}
		if !slices.Contains(c.Values, v) {
			c.Values = append(c.Values, v)
		}
	}
	if len(c.Values) > 1 && c.Attr != "tls" {
		switch g.IntN(5) {
		case 0:
			c.All = true
		case 1:
			c.Hits = pick(g, ">= 2", "= 1", "< 2", "= 0", "> 1")
		}
	}
	return c
}

func (g *policyMaker) operand(attr string, place int) any {
	switch attr {
	case "recipient_count":
		return pick[any](g, "> 1", "<= 2", "= 3", int64(2), ">= 4")
	case "declared_size":
		return pick[any](g, "> 1 KiB", "<= 2048", "= 3 KiB", "< 1 KiB")
	case "spf":
		return pick[any](g, "pass", "fail", "softfail", "none")
	case "tls":
		return g.IntN(2) == 0
	case "client_ip":
		return pick[any](g, "192.0.2.0/24", "192.0.2.1", "2001:db8::/33", "10.0.0.0/8", "list:ips", "/^192\\.0\\.2\\./")
	case "header_ip":
		return pick[any](g, "192.0.2.0/24", "198.51.100.7", "2001:db8::/48", "list:ips", "{client_ip}")
	case "rule":
		if place > 0 && g.IntN(3) > 0 {
			return fmt.Sprintf("r-%d", g.IntN(place))
		}
		return pick[any](g, "^early-", "-[12]$", "^r-[024]$")
	case "header.X-A":
		if g.IntN(5) == 0 {
			return g.IntN(2) == 0
		}
		return pick[any](g, g.expression(), "list:words")
	case "subject":
		return pick[any](g, g.expression(), g.expression(), "list:words")
	case "helo":
		return pick[any](g, "{client_host}", "list:names", g.expression())
	case "sender":
		return pick[any](g, "{recipient}", "{author}", "list:names", g.expression(), "@"+regexp.QuoteMeta(g.domain())+"$")
	}
	return pick[any](g, "list:names", g.expression(), `^ivan@`, `^([a-z.]+)@`)
}

// expression is one whose reading nobody doubts.
func (g *policyMaker) expression() string {
	one := func() string {
		s := pick(g, "приз", "win", "y(o)u", "ты|you", "(лот)(ерея)?", "[0-9]+", "ex[a-m]", "#([0-9]+)", "a", "^ivan", "org$", "!{2,}", "prizes?", "тест", "buy +now", "straße")
		if g.IntN(6) == 0 {
			return "(?-i)" + s
		}
		return s
	}
	if g.IntN(4) == 0 {
		return "(?:" + one() + ").*(?:" + one() + ")"
	}
	return one()
}

// The naive reading.

type naiveList struct {
	entries []string
	kind    list.Kind
}

type naive struct {
	src   rules.Source
	lists map[string]naiveList
	facts naiveFacts
	hits  []string // of rules with effect
}

func (n naive) evaluate() string {
	var b strings.Builder
	held, action := "", "continue"
	for _, r := range n.src.Rules {
		if !n.rule(r) {
			continue
		}
		weight := r.Weight
		if r.WeightEach != 0 {
			count := 0
			n.each(r, func(c rules.Condition, v any) {
				together := isNetwork(c.Attr, v) && !c.All && c.Hits == ""
				if n.value(c.Attr, v) && !(together && n.before(c, v)) {
					count++
				}
			})
			weight += min(max(r.WeightEach*rules.Weight(count), -r.WeightMost), r.WeightMost)
		}
		fmt.Fprintf(&b, "%s %s %q; ", r.Name, weight, n.captures(r))
		if r.Shadow {
			continue
		}
		n.hits = append(n.hits, r.Name)
		if r.Action == "hold" && held == "" {
			held = r.Name
		}
		if r.Action == "reject" {
			action = "reject"
			break
		}
		if r.Last {
			break
		}
	}
	b.WriteString(action)
	if held != "" {
		fmt.Fprintf(&b, " hold by %s", held)
	}
	return b.String()
}

// isNetwork tells whether a value is an address or a network: those of a condition
// count together.
func isNetwork(attr string, v any) bool {
	s, _ := v.(string)
	return (attr == "client_ip" || attr == "header_ip") && !isOther(s) && !strings.HasPrefix(s, "list:") && !strings.HasPrefix(s, "/")
}

// before tells whether another network of the condition matches, and stands
// before.
func (n naive) before(c rules.Condition, v any) bool {
	for _, one := range c.Values {
		if one.V == v {
			return false
		}
		if isNetwork(c.Attr, one.V) && n.value(c.Attr, one.V) {
			return true
		}
	}
	return false
}

// each visits the values of match and any.
func (n naive) each(r rules.SourceRule, visit func(rules.Condition, any)) {
	for _, group := range slices.Concat([][]rules.Condition{r.Match, r.Any}, r.AnyOf) {
		for _, c := range group {
			for _, v := range c.Values {
				visit(c, v.V)
			}
		}
	}
}

func (n naive) rule(r rules.SourceRule) bool {
	every := func(all []rules.Condition) bool {
		return !slices.ContainsFunc(all, func(c rules.Condition) bool { return !n.condition(c) })
	}
	either := len(r.Any)+len(r.AnyOf) == 0 || slices.ContainsFunc(r.Any, n.condition) || slices.ContainsFunc(r.AnyOf, every)
	return every(r.Match) && either && !slices.ContainsFunc(r.Unless, n.condition) && !slices.ContainsFunc(r.UnlessAll, every)
}

func (n naive) condition(c rules.Condition) bool {
	count := 0
	for _, v := range c.Values {
		if n.value(c.Attr, v.V) {
			count++
		}
	}
	switch {
	case c.All:
		return count == len(c.Values)
	case c.Hits != "":
		return compares(float64(count), c.Hits)
	}
	return count > 0
}

func compares(is float64, s string) bool {
	operator, rest := "=", strings.TrimSpace(s)
	for _, op := range []string{">=", "<=", ">", "<", "="} {
		if after, ok := strings.CutPrefix(rest, op); ok {
			operator, rest = op, strings.TrimSpace(after)
			break
		}
	}
	factor := 1.0
	if before, ok := strings.CutSuffix(rest, "KiB"); ok {
		factor, rest = 1024, strings.TrimSpace(before)
	}
	bound, err := strconv.ParseFloat(rest, 64)
	if err != nil {
		panic(err)
	}
	bound *= factor
	return map[string]bool{">=": is >= bound, "<=": is <= bound, ">": is > bound, "<": is < bound, "=": is == bound}[operator]
}

// value tells whether one value of a condition matches.
func (n naive) value(attr string, v any) bool {
	is := n.facts.values[attr]
	if attr == "rule" {
		return slices.ContainsFunc(append(slices.Clone(is.Texts), n.hits...), func(name string) bool {
			return name == v || !strings.HasPrefix(v.(string), "r-") && find(v.(string), name)
		})
	}
	texts := is.Texts
	if is.Known && is.Text != "" {
		texts = append([]string{is.Text}, texts...)
	}
	switch v := v.(type) {
	case bool:
		if attr == "tls" {
			return v == (is.Num != 0)
		}
		return v == (len(texts) > 0)
	case int64:
		return is.Num == 1000*v
	case string:
		switch {
		case attr == "recipient_count" || attr == "declared_size":
			return compares(float64(is.Num)/1000, v)
		case attr == "spf":
			return is.Text == v
		case attr == "client_ip" || attr == "header_ip":
			return slices.ContainsFunc(is.IPs, func(a netip.Addr) bool { return n.address(a, v) })
		case isOther(v):
			return slices.ContainsFunc(texts, func(s string) bool {
				return slices.ContainsFunc(n.texts(v), func(o string) bool { return o != "" && folded(o) == folded(s) })
			})
		}
		return slices.ContainsFunc(texts, func(s string) bool {
			if name, ok := strings.CutPrefix(v, "list:"); ok {
				return n.lists[name].has(s)
			}
			return find(v, s)
		})
	}
	panic(fmt.Sprintf("%s = %v", attr, v))
}

// isOther tells whether an operand is another attribute in braces.
func isOther(s string) bool { return strings.HasPrefix(s, "{") }

// texts are those of another attribute.
func (n naive) texts(other string) []string {
	v := n.facts.values[strings.Trim(other, "{}")]
	return append([]string{v.Text}, v.Texts...)
}

func (n naive) address(a netip.Addr, v string) bool {
	switch {
	case v == "{client_ip}":
		return slices.Contains(n.facts.values["client_ip"].IPs, a)
	case strings.HasPrefix(v, "list:"):
		return n.lists["ips"].hasAddr(a)
	case strings.HasPrefix(v, "/"):
		return find(strings.Trim(v, "/"), a.String())
	}
	return within(a, v)
}

func within(a netip.Addr, network string) bool {
	if from, to, ok := strings.Cut(network, "-"); ok {
		return netip.MustParseAddr(from).Compare(a) <= 0 && a.Compare(netip.MustParseAddr(to)) <= 0
	}
	if p, err := netip.ParsePrefix(network); err == nil {
		return p.Contains(a)
	}
	return netip.MustParseAddr(network) == a
}

func find(expression, s string) bool { return regexp.MustCompile("(?i)" + expression).MatchString(s) }

// captures are the groups of the first expression with any that matches.
func (n naive) captures(r rules.SourceRule) []string {
	if !hasGroup(r) {
		return nil
	}
	var found []string
	n.each(r, func(c rules.Condition, v any) {
		s, ok := v.(string)
		if found != nil || !ok || !textual(c.Attr) || isOther(s) || strings.HasPrefix(s, "list:") {
			return
		}
		re := regexp.MustCompile("(?i)" + s)
		if re.NumSubexp() == 0 {
			return
		}
		is := n.facts.values[c.Attr]
		for _, text := range append([]string{is.Text}, is.Texts...) {
			if m := re.FindStringSubmatch(text); m != nil && found == nil && text != "" {
				found = m[1:]
			}
		}
	})
	return found
}

func (l naiveList) hasAddr(a netip.Addr) bool {
	return slices.ContainsFunc(l.entries, func(e string) bool { return within(a, e) })
}

func (l naiveList) has(s string) bool {
	return slices.ContainsFunc(l.entries, func(e string) bool {
		if l.kind == list.Words {
			return strings.Contains(" "+words(s)+" ", " "+words(e)+" ")
		}
		local, domain, isAddress := strings.Cut(folded(s), "@")
		if !isAddress {
			local, domain = "", local
		}
		switch {
		case strings.HasPrefix(e, "/"):
			return find(strings.Trim(e, "/"), s)
		case strings.HasPrefix(e, "@"):
			return domain == folded(e[1:])
		case strings.HasPrefix(e, "."):
			return strings.HasSuffix(domain, "."+folded(e[1:]))
		case strings.HasSuffix(e, "@"):
			return isAddress && local == folded(e[:len(e)-1])
		case strings.Contains(e, "@"):
			return isAddress && folded(s) == folded(e)
		}
		return domain == folded(e)
	})
}

// folded is the form in which addresses and domains are compared.
func folded(s string) string {
	s = strings.ToLower(s)
	local, domain, ok := strings.Cut(s, "@")
	if !ok {
		local, domain = "", s
	}
	if a, err := idna.ToASCII(domain); err == nil {
		domain = a
	}
	if ok {
		return local + "@" + domain
	}
	return domain
}

// words has the words of a text, with one blank between.
func words(s string) string {
	s = strings.ReplaceAll(strings.ToLower(s), "ß", "ss")
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), " ")
}
