package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/shadow"
)

// besideWhat is what a second judgement was for.
func besideWhat(e *journal.Entry) string {
	if e.Event == "" {
		return journal.Shadow
	}
	return e.Event
}

// besideWho are who judged live and who judged without effect.
func besideWho(e *journal.Entry) (live, other string) {
	switch e.Event {
	case shadow.Canary:
		return "the candidate", "the old policy"
	case shadow.SelfCheck:
		return "the policy", "the policy, once more,"
	}
	return "the policy", "the candidate"
}

// would is what a second judgement would have done.
func would(e *journal.Entry) string {
	if e.BesideVerdict == string(shadow.Unknown) {
		return "would come further than it did"
	}
	return "would be " + withWeight(e.BesideVerdict, e.BesideWeight)
}

// withWeight is a verdict, and the weight where there is one.
func withWeight(verdict, weight string) string {
	if weight == "" || weight == "0" {
		return verdict
	}
	return verdict + ", weight " + weight
}

// besideText tells what a second judgement would have done otherwise, and by what.
func besideText(e *journal.Entry) string {
	var b strings.Builder
	_, other := besideWho(e)
	fmt.Fprintf(&b, "by %s it %s", other, would(e))
	why(&b, &journal.Entry{Stage: e.BesideStage, Reason: e.BesideReason, Rule: e.BesideRule, Reply: e.BesideReply})
	left := 0
	for _, c := range e.Changes {
		if !c.Tags && c.Verdict == e.Verdict && c.Beside == e.BesideVerdict && len(e.Changes) == len(e.Recipients) {
			continue // as the message
		}
		if left++; left > fewRecipients {
			continue
		}
		fmt.Fprintf(&b, "; <%s> %s", shorten(c.Recipient, 100), changeText(&c))
	}
	if left > fewRecipients {
		fmt.Fprintf(&b, "; and %d more", left-fewRecipients)
	}
	if e.Unknown > 0 {
		fmt.Fprintf(&b, "; %d questions had no answer", e.Unknown)
	}
	return b.String()
}

func changeText(c *journal.Change) string {
	if c.Tags {
		return c.Verdict + " with other marks"
	}
	return c.Verdict + " -> " + c.Beside
}

// besideLine is an entry of the shadow journal: whose mail, what was done, and what
// would have been.
func besideLine(e *journal.Entry) string {
	line := route(e)
	if e.Subject != "" {
		line += fmt.Sprintf("; %q", shorten(e.Subject, 60))
	}
	live, _ := besideWho(e)
	return line + "; by " + live + " it is " + withWeight(e.Verdict, e.Weight) + "; " + besideText(e)
}

func (s *story) pageBeside(a *app, _ journal.Entry) error {
	var rows [][]string
	for i := range s.beside {
		e := &s.beside[i]
		by := e.BesideReason
		if by == "" && e.BesideRule != "" {
			by = "rule " + e.BesideRule
		}
		live, other := besideWho(e)
		rows = append(rows, []string{besideWhat(e), "is " + withWeight(e.Verdict, e.Weight) + " by " + live, would(e) + " by " + strings.TrimSuffix(other, ",") + " (version " + e.Beside + ")", e.BesideStage, by, e.BesideReply})
		for _, c := range e.Changes {
			rows = append(rows, []string{"", "<" + c.Recipient + ">", changeText(&c)})
		}
	}
	return a.table("what a second judgement would have done", rows)
}

// lookLine is who looked at what.
func lookLine(e *journal.Entry) string {
	what := e.Event + " " + e.Detail
	if strings.HasPrefix(e.Detail, e.Event+" ") {
		what = e.Detail // "trace is off"
	}
	return strings.TrimSpace(or(e.By) + ": " + shorten(what, 300))
}

// shadowText are the shadow rules that matched, and what each would do.
func shadowText(hits []journal.RuleHit) string {
	var all []string
	for _, h := range hits {
		if !h.Shadow {
			continue
		}
		text := h.Name
		switch {
		case h.Action != "":
			text += " would " + h.Action
		case h.Weight != "" && h.Weight != "0":
			text += " would weigh " + h.Weight
		}
		if !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return few(all, 4)
}

// few joins the first n texts and says how many more there are.
func few(all []string, n int) string {
	if len(all) > n {
		return strings.Join(all[:n], ", ") + fmt.Sprintf(" and %d more", len(all)-n)
	}
	return strings.Join(all, ", ")
}
