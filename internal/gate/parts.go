package gate

import (
	"context"
	"errors"
	"slices"

	"github.com/tollgate-mail/tollgate/internal/mail"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/rules"
)

// parts are what a message is made of: the names of its files, the media types
// of its parts, and what is wrong with it.
type parts struct {
	names, types, defects []string
	files                 mail.FileCount // where a rule of the policy asks for it
	// partial: there may be parts that could not be read.
	partial bool
	err     error
}

// attachments reads the parts when a rule asks for them, once, and adds what a
// module has found inside archives.
func (n *inspection) attachments(ctx context.Context) *parts {
	if n.parts != nil {
		return n.parts
	}
	n.parts = &parts{err: errUninspected}
	if n.stash == nil {
		return n.parts
	}
	p := n.parts
	read := mail.ListParts
	if n.m.j.measures {
		read = mail.MeasureParts
	}
	ctx = n.m.s.byTurns(ctx)
	work := walk(ctx)
	done := work.Share(ctx)
	var l mail.Listing
	l, p.err = read(work, n.stash.Open(ctx), n.m.j.FallbackCharset)
	done()
	p.names, p.types, p.defects, p.files = l.Names, l.Types, l.Defects, l.Files
	if errors.Is(p.err, mail.ErrComplex) {
		// What was found is there, and no rule may be blind to it.
		n.m.remarks = append(n.m.remarks, p.err.Error())
		p.partial, p.err = true, nil
	}
	n.eachFinding(func(f *module.Finding) {
		// Of archives a module may have found names that are no parts.
		p.names = appendNew(p.names, f.Names)
		p.types = appendNew(p.types, f.Types)
	})
	return p
}

// byTurns is a context in which messages that cost much to be read take turns, by
// the networks that clients have: an IPv6 address is one of many.
func (s *Session) byTurns(ctx context.Context) context.Context {
	client := s.peer.Addr.String()
	if s.peer.Addr.Is6() {
		const network = 64
		if p, err := s.peer.Addr.Prefix(network); err == nil {
			client = p.String()
		}
	}
	return s.g.turns.In(ctx, client)
}

// appendNew adds the texts that are not there yet.
func appendNew(all, more []string) []string {
	have := make(map[string]bool, len(all)+len(more))
	for _, s := range all {
		have[s] = true
	}
	return append(all, slices.DeleteFunc(slices.Clone(more), func(s string) bool {
		old := have[s]
		have[s] = true
		return old
	})...)
}

func (p *parts) value(texts []string) (rules.Value, error) {
	if p.err != nil {
		return rules.Value{}, p.err
	}
	return rules.Value{Texts: texts, Partial: p.partial}, nil
}

// number is a number of the files.
func (p *parts) number(n int64) (rules.Value, error) {
	if p.err != nil {
		return rules.Value{}, p.err
	}
	v := rules.NumberValue(n)
	v.Partial = p.partial
	return v, nil
}
