package config

import (
	"fmt"
	"slices"
	"time"

	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/module/types"
	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
	"github.com/tollgate-mail/tollgate/internal/settings"
	"github.com/tollgate-mail/tollgate/rules"
)

const (
	// maxInspection stays below the time in which a verdict must be made, so
	// that what on_error says comes in time, too.
	maxInspection = 3 * time.Minute
	maxParallel   = 1000
	maxInspected  = 1 << 40
)

// antivirus is what [antivirus] says.
type antivirus struct {
	at         *node
	action     string
	onError    string
	oversize   string
	limits     module.Limits
	reply      string
	tagSubject string
	tagHeader  []string

	keys     []settings.Key // of settings
	settings func() module.Settings
}

func newAntivirus(n *node) *antivirus {
	into, now := types.Antivirus().Settings()
	return &antivirus{
		at: n, action: "reject", onError: "tempfail", oversize: "accept",
		limits: module.Limits{Timeout: 2 * time.Minute, Parallel: 10, MaxSize: 25 << 20},
		keys:   settings.Keys(into), settings: now,
	}
}

func (d *decoder) antivirus(n *node) {
	a := newAntivirus(n)
	d.Read(n, "[antivirus]", d.antivirusFields(a))
	d.source.Antivirus = true
	if d.Is(n, document.Table) {
		d.config.Antivirus = d.finishAntivirus(a)
	}
}

func (d *decoder) antivirusFields(a *antivirus) []field {
	return append([]field{
		{Key: "action", Read: d.OneOf(&a.action, "reject", "discard", "hold", "tag")},
		{Key: "reply", Read: d.Text(&a.reply)},
		{Key: "tag_subject", Read: d.Text(&a.tagSubject)},
		{Key: "tag_header", Read: d.tagHeader(&a.tagHeader)},
		{Key: "on_error", Read: d.OneOf(&a.onError, "tempfail", "accept")},
		{Key: "max_size", Read: d.mailSize(&a.limits.MaxSize, 1, maxInspected)},
		{Key: "oversize", Read: d.OneOf(&a.oversize, "accept", "tempfail", "reject")},
		{Key: "timeout", Read: d.Duration(&a.limits.Timeout, time.Second, maxInspection)},
		{Key: "connections", Read: d.Whole(&a.limits.Parallel, 1, maxParallel)},
	}, d.settingsFields(a.keys)...)
}

// finishAntivirus checks what its keys say together.
func (d *decoder) finishAntivirus(a *antivirus) *Antivirus {
	n := a.at
	action, _ := rules.ParseAction(a.action)
	if a.action == "tag" {
		action = rules.Continue
		if n.Child("tag_subject") == nil && n.Child("tag_header") == nil {
			d.Errorf(n.Child("action"), `action "tag" needs tag_subject or tag_header`)
		}
	}
	if tag := firstOf(n, "tag_subject", "tag_header"); tag != nil && (a.action == "reject" || a.action == "discard") {
		d.Warnf(tag, "%s marks what goes on; with action %q nothing does: it is for \"tag\" and \"hold\"", tag.Key, a.action)
	}
	verdict := rules.SourceVerdict{
		Pos: n.Pos(), At: textPlaces(n), Action: action,
		Reply: a.reply, TagSubject: a.tagSubject, TagHeader: a.tagHeader,
	}
	if a.action == "tag" && a.reply == "" {
		delete(verdict.At, "reply")
	}
	reply, tags, problems := rules.CompileVerdict(verdict)
	d.Problems = append(d.Problems, problems...)
	for _, k := range a.keys {
		if notText(n, k.Name) {
			return nil // told of already
		}
	}
	settings, ok := d.checked(n, "[antivirus]", a.keys, a.settings)
	if !ok {
		return nil
	}
	if problems != nil {
		return nil
	}
	onError, _ := rules.ParseAction(a.onError)
	oversize, _ := rules.ParseAction(a.oversize)
	limits, kind := a.limits, types.Antivirus()
	// What goes before a message must fit into the service's limit, too, whose
	// default is ours.
	limits.MaxSize = max(1, limits.MaxSize-kind.Overhead)
	return &Antivirus{
		Inspector: Inspector{Pos: n.Child(a.keys[0].Name).Pos(), Name: "antivirus", Type: kind.Name, Settings: settings, Limits: limits},
		MaxSize:   a.limits.MaxSize,
		Action:    action, Reply: reply, Tags: tags, OnError: onError, Oversize: oversize,
	}
}

// firstOf is the first of some keys that stands there.
func firstOf(n *node, keys ...string) *node {
	for _, k := range keys {
		if c := n.Child(k); c != nil {
			return c
		}
	}
	return nil
}

// checkOversize tells of a rule that would defer what is too large to be scanned: no
// later try scans it.
func (d *decoder) checkOversize(r *rules.SourceRule) {
	av := d.config.Antivirus
	if av == nil || av.Oversize != rules.Accept || r.OnTemperror != "tempfail" {
		return
	}
	all := slices.Concat(append(append([][]rules.Condition{r.Match, r.Any, r.Unless}, r.AnyOf...), r.UnlessAll...)...)
	asks := func(attr string) bool {
		return slices.ContainsFunc(all, func(c rules.Condition) bool { return c.Attr == attr })
	}
	if asks("virus") && !asks("size") {
		d.Problems = append(d.Problems, rules.Problem{Pos: r.At["on_temperror"], Warning: true, Msg: fmt.Sprintf(
			`rule %s: what is larger than max_size is never scanned, and is deferred until its sender gives up, though oversize is "accept": have the rule ask for the size, too`, r.Name)})
	}
}
