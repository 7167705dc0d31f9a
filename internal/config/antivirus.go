package config

import (
	"time"

	"github.com/tollgate-mail/tollgate/internal/config/document"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/module/clamav"
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
	clamd      string
	action     string
	onError    string
	oversize   string
	limits     module.Limits
	reply      string
	tagSubject string
	tagHeader  []string
}

func newAntivirus(n *node) *antivirus {
	return &antivirus{
		at: n, action: "reject", onError: "tempfail", oversize: "accept",
		limits: module.Limits{Timeout: 2 * time.Minute, Parallel: 10, MaxSize: 25 << 20},
	}
}

func (d *decoder) antivirus(n *node) {
	a := newAntivirus(n)
	d.read(n, "[antivirus]", d.antivirusFields(a))
	d.source.Antivirus = true
	if d.is(n, document.Table) {
		d.config.Antivirus = d.finishAntivirus(a)
	}
}

func (d *decoder) antivirusFields(a *antivirus) []field {
	return []field{
		{key: "clamd", read: d.text(&a.clamd), required: true},
		{key: "action", read: d.oneOf(&a.action, "reject", "discard", "hold", "tag")},
		{key: "reply", read: d.text(&a.reply)},
		{key: "tag_subject", read: d.text(&a.tagSubject)},
		{key: "tag_header", read: d.tagHeader(&a.tagHeader)},
		{key: "on_error", read: d.oneOf(&a.onError, "tempfail", "accept")},
		{key: "max_size", read: d.size(&a.limits.MaxSize, 1, maxInspected)},
		{key: "oversize", read: d.oneOf(&a.oversize, "accept", "tempfail", "reject")},
		{key: "timeout", read: d.duration(&a.limits.Timeout, time.Second, maxInspection)},
		{key: "connections", read: d.whole(&a.limits.Parallel, 1, maxParallel)},
	}
}

// oneOf reads one of some names.
func (d *decoder) oneOf(into *string, valid ...string) func(*node) {
	return func(n *node) {
		if s, ok := d.readString(n); ok && d.among(n, s, valid) {
			*into = s
		}
	}
}

// finishAntivirus checks what its keys say together.
func (d *decoder) finishAntivirus(a *antivirus) *Antivirus {
	n := a.at
	action, _ := rules.ParseAction(a.action)
	if a.action == "tag" {
		action = rules.Continue
		if n.Child("tag_subject") == nil && n.Child("tag_header") == nil {
			d.errorf(n.Child("action"), `action "tag" needs tag_subject or tag_header`)
		}
	}
	verdict := rules.SourceVerdict{
		Pos: n.Pos(), At: textPlaces(n), Action: action,
		Reply: a.reply, TagSubject: a.tagSubject, TagHeader: a.tagHeader,
	}
	if a.action == "tag" && a.reply == "" {
		delete(verdict.At, "reply")
	}
	reply, tags, problems := rules.CompileVerdict(verdict)
	d.problems = append(d.problems, problems...)
	at := n.Child("clamd")
	if at == nil || notText(n, "clamd") {
		return nil // told of already
	}
	settings := clamav.Config{Addr: a.clamd}
	if err := checked(clamav.New(settings)); err != nil {
		d.errorf(at, "clamd: %v", err)
		return nil
	}
	if problems != nil {
		return nil
	}
	onError, _ := rules.ParseAction(a.onError)
	oversize, _ := rules.ParseAction(a.oversize)
	limits := a.limits
	// What goes before a message must fit into clamd's limit, too; its default is
	// ours.
	limits.MaxSize = max(1, limits.MaxSize-clamav.Overhead)
	return &Antivirus{
		Inspector: Inspector{Pos: at.Pos(), Name: "antivirus", Type: "clamav", Settings: settings, Limits: limits},
		MaxSize:   a.limits.MaxSize,
		Action:    action, Reply: reply, Tags: tags, OnError: onError, Oversize: oversize,
	}
}

// checked is what is wrong with the settings that an inspector was made of. One
// that was made is not used.
func checked[I module.Inspector](i I, err error) error {
	if err != nil {
		return err
	}
	return i.Close()
}
