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
	d.Read(n, "[antivirus]", d.antivirusFields(a))
	d.source.Antivirus = true
	if d.Is(n, document.Table) {
		d.config.Antivirus = d.finishAntivirus(a)
	}
}

func (d *decoder) antivirusFields(a *antivirus) []field {
	return []field{
		{Key: "clamd", Read: d.Text(&a.clamd), Required: true},
		{Key: "action", Read: d.OneOf(&a.action, "reject", "discard", "hold", "tag")},
		{Key: "reply", Read: d.Text(&a.reply)},
		{Key: "tag_subject", Read: d.Text(&a.tagSubject)},
		{Key: "tag_header", Read: d.tagHeader(&a.tagHeader)},
		{Key: "on_error", Read: d.OneOf(&a.onError, "tempfail", "accept")},
		{Key: "max_size", Read: d.Size(&a.limits.MaxSize, 1, maxInspected)},
		{Key: "oversize", Read: d.OneOf(&a.oversize, "accept", "tempfail", "reject")},
		{Key: "timeout", Read: d.Duration(&a.limits.Timeout, time.Second, maxInspection)},
		{Key: "connections", Read: d.Whole(&a.limits.Parallel, 1, maxParallel)},
	}
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
	verdict := rules.SourceVerdict{
		Pos: n.Pos(), At: textPlaces(n), Action: action,
		Reply: a.reply, TagSubject: a.tagSubject, TagHeader: a.tagHeader,
	}
	if a.action == "tag" && a.reply == "" {
		delete(verdict.At, "reply")
	}
	reply, tags, problems := rules.CompileVerdict(verdict)
	d.Problems = append(d.Problems, problems...)
	at := n.Child("clamd")
	if at == nil || notText(n, "clamd") {
		return nil // told of already
	}
	settings := clamav.Config{Addr: a.clamd}
	if err := checked(clamav.New(settings)); err != nil {
		d.Errorf(at, "clamd: %v", err)
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
