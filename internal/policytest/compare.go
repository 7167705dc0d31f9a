package policytest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/address"
	"github.com/tollgate-mail/tollgate/internal/fieldtext"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/mail"
	"github.com/tollgate-mail/tollgate/internal/trial"
)

// Compare tells in what an outcome is not as expected.
func Compare(want *Expect, o *trial.Outcome) (all []Difference) {
	got := trial.Explain(o)
	differs := func(what, want, got string) { all = append(all, Difference{what, want, got}) }
	if want.Verdict != "" && want.Verdict != got.Verdict {
		why := got.Verdict
		if got.Reason != "" {
			why += " (" + got.Reason + ")"
		}
		if got.Reply != "" {
			why += ": " + got.Reply
		}
		differs("verdict", want.Verdict, why)
	}
	hits := hitNames(o)
	if w, _ := weight(want.Weight); w != nil && *w != o.Result.Weight {
		differs("weight", w.String(), got.Weight+" of "+list(weights(o)))
	}
	if want.Rules != nil && !sameNames(*want.Rules, hits) {
		differs("rules", list(*want.Rules), list(hits)+missing(*want.Rules, hits))
	}
	if want.Rule != nil && *want.Rule != got.Rule {
		differs("rule", *want.Rule, got.Rule)
	}
	if want.Subject != nil && *want.Subject != got.Subject {
		differs("subject", *want.Subject, got.Subject)
	}
	if want.Reply != nil && !begins(got.Reply, *want.Reply) {
		differs("reply", *want.Reply, got.Reply)
	}
	for _, name := range slices.Sorted(maps.Keys(want.Header)) {
		compareField(differs, name, want.Header[name], o.Left)
	}
	if want.Refused != nil {
		compareRefused(differs, want.Refused, o)
	}
	if want.Charged != nil {
		compareCharged(differs, want.Charged, o)
	}
	if want.Payers != nil {
		comparePayers(differs, want.Payers, o)
	}
	return all
}

// compareField compares one field of the header as it leaves.
func compareField(differs func(what, want, got string), name string, want any, h mail.Header) {
	var values []string
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			values = append(values, strings.TrimSpace(fieldtext.Decode(nil, f.Value, h.FallbackCharset())))
		}
	}
	var wanted []string
	if want != false {
		all, err := texts(map[string]any{name: want})
		if err != nil {
			return // told when the file was read
		}
		wanted = all[name]
	}
	if !slices.Equal(values, wanted) {
		differs("header "+name, list(wanted), list(values))
	}
}

func compareRefused(differs func(what, want, got string), want map[string]string, o *trial.Outcome) {
	refused, recipient := map[string]string{}, map[string]bool{}
	for _, r := range o.Recipients {
		recipient[address.Fold(r.Address)] = true
		if r.Verdict != gate.Pass {
			refused[address.Fold(r.Address)] = r.Reply.String()
		}
	}
	told := map[string]bool{}
	for _, who := range slices.Sorted(maps.Keys(want)) {
		key := address.Fold(who)
		told[key] = true
		switch reply, ok := refused[key]; {
		case !ok && !recipient[key]:
			differs("refused "+who, want[who], "is no recipient of this case")
		case !ok:
			differs("refused "+who, want[who], "accepted")
		case !begins(reply, want[who]):
			differs("refused "+who, want[who], reply)
		}
	}
	for _, who := range slices.Sorted(maps.Keys(refused)) {
		if !told[who] {
			differs("refused "+who, "accepted", refused[who])
		}
	}
}

// comparePayers compares who pays for each recipient.
func comparePayers(differs func(what, want, got string), want map[string]string, o *trial.Outcome) {
	pays := map[string]string{}
	for _, r := range o.Records {
		if r.Client != accounting.Unbilled {
			pays[address.Fold(r.Recipient)] = r.Client
		}
	}
	for _, who := range slices.Sorted(maps.Keys(want)) {
		key := address.Fold(who)
		if got := pays[key]; got != want[who] {
			differs("payer of "+who, cmp.Or(want[who], "nobody"), cmp.Or(got, "nobody"))
		}
		delete(pays, key)
	}
	for _, who := range slices.Sorted(maps.Keys(pays)) {
		differs("payer of "+who, "nobody", pays[who])
	}
}

func compareCharged(differs func(what, want, got string), want map[string]int64, o *trial.Outcome) {
	charged := map[string]int64{}
	for _, r := range o.Records {
		charged[address.Fold(r.Recipient)] += r.Charged
	}
	told := map[string]bool{}
	for _, who := range slices.Sorted(maps.Keys(want)) {
		key := address.Fold(who)
		told[key] = true
		if got, ok := charged[key]; !ok && want[who] != 0 {
			differs("charged "+who, fmt.Sprint(want[who]), "nothing")
		} else if got != want[who] {
			differs("charged "+who, fmt.Sprint(want[who]), fmt.Sprint(got))
		}
	}
	for _, who := range slices.Sorted(maps.Keys(charged)) {
		if !told[who] && charged[who] != 0 {
			differs("charged "+who, "nothing", fmt.Sprint(charged[who]))
		}
	}
}

// begins tells whether a reply begins as it should: whole words and codes of it.
func begins(reply, want string) bool {
	rest, ok := strings.CutPrefix(reply, want)
	if !ok || rest == "" || want == "" {
		return ok
	}
	// 550 5.1 is no beginning of 550 5.1.1, and a point ends no code.
	next, _ := utf8.DecodeRuneInString(rest)
	return next == ' ' || strings.HasSuffix(want, " ") || unicode.IsPunct(next) && (next != '.' || len(rest) == 1 || rest[1] == ' ')
}

// hitNames are the rules that counted.
func hitNames(o *trial.Outcome) (names []string) {
	for _, h := range o.Result.Hits {
		if !h.Rule.Shadow && !h.Temperror {
			names = append(names, h.Rule.Name)
		}
	}
	return names
}

// weights are what those gave.
func weights(o *trial.Outcome) (all []string) {
	for _, h := range o.Result.Hits {
		if !h.Rule.Shadow && !h.Temperror && h.Weight != 0 {
			all = append(all, h.Rule.Name+" "+h.Weight.String())
		}
	}
	return all
}

func sameNames(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// missing tells in words what is too much and what is not there.
func missing(want, got []string) string {
	var s []string
	for _, name := range want {
		if !slices.Contains(got, name) {
			s = append(s, "without "+name)
		}
	}
	for _, name := range got {
		if !slices.Contains(want, name) {
			s = append(s, "with "+name)
		}
	}
	return " (" + strings.Join(s, ", ") + ")"
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
