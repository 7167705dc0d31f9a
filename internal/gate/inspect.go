package gate

import (
	"context"
	"errors"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/rules"
)

// earlyFrom is the size from which a message is handed to its inspectors while
// the rest is still on its way. Of a smaller one nothing would be gained, and
// rules may yet refuse it before any inspector has work with it.
const earlyFrom = 256 << 10

// inspections are those of one message.
type inspections struct {
	message   module.Message
	antivirus *module.Inspection   // nil: not asked
	modules   []*module.Inspection // as Policy.Modules; nil: not asked

	scan    *module.Result  // nil: none
	results []module.Result // as modules
}

// errUninspected is the value of what an inspector that was not asked would
// have found.
var errUninspected = errors.New("not inspected")

// keeps makes the stash, where the policy has somebody who will read it, and
// tells whether there is one.
func (m *Message) keeps() bool {
	if m.stash == nil && m.j.keeps && !m.s.skip && !m.done {
		m.stash = m.s.g.Stasher.New()
	}
	return m.stash != nil
}

// stashField keeps a field as it goes over the wire.
func (m *Message) stashField(name, value string) {
	if !m.keeps() {
		return
	}
	b := append(m.wire[:0], name...)
	b = append(b, ':')
	for {
		i := strings.IndexByte(value, '\n')
		if i < 0 {
			break
		}
		b = append(b, strings.TrimSuffix(value[:i], "\r")...)
		b = append(b, "\r\n"...)
		value = value[i+1:]
	}
	b = append(b, value...)
	m.wire = append(b, "\r\n"...)
	m.stashOctets(m.wire)
}

// stashOctets keeps octets. That they cannot be kept is noted once; whoever
// reads the stash is told, too, and finds nothing clean.
func (m *Message) stashOctets(p []byte) {
	if m.stash == nil || m.unkept || m.overran != nil {
		return
	}
	if _, err := m.stash.Write(p); err != nil {
		m.unkept = true
		m.s.g.Log.Error("a message cannot be kept for inspection", "ref", m.ref, "error", err)
	}
}

// inspect hands the message to the antivirus and, unless the rules have come
// to an end, to the modules.
func (m *Message) inspect(ctx context.Context) {
	if m.inspections != nil || m.stash == nil {
		return
	}
	in := &inspections{message: module.Message{Envelope: m.envelope(), Stash: m.stash}}
	m.inspections = in
	if av := m.j.Antivirus; av != nil {
		in.antivirus = av.Scanner.Begin(ctx, &in.message)
	}
	in.modules = make([]*module.Inspection, len(m.j.Modules))
	if m.ended() {
		return
	}
	for i := range m.j.Modules {
		in.modules[i] = m.j.Modules[i].Inspector.Begin(ctx, &in.message)
	}
}

// await waits for all inspections.
func (m *Message) await(ctx context.Context) {
	in := m.inspections
	if in == nil {
		return
	}
	// Those that were begun early live as long as the session; the verdict may
	// have to be made sooner.
	stop := context.AfterFunc(ctx, in.cancel)
	defer stop()
	if m.ended() {
		in.cancelModules()
	}
	if in.antivirus != nil {
		r := in.antivirus.Wait()
		in.scan = &r
	}
	in.results = make([]module.Result, len(in.modules))
	for i, one := range in.modules {
		if one != nil {
			in.results[i] = one.Wait()
		}
	}
}

func (in *inspections) cancel() {
	if in.antivirus != nil {
		in.antivirus.Cancel()
	}
	in.cancelModules()
}

// cancelModules gives up what no rule will ask for any more.
func (in *inspections) cancelModules() {
	for i, one := range in.modules {
		if one != nil {
			one.Cancel()
			in.modules[i] = nil
		}
	}
}

// release ends what is still under way and forgets the message's octets.
func (m *Message) release() {
	m.s.g.held.Add(-m.held)
	m.held = 0
	if m.inspections != nil {
		m.inspections.cancel()
	}
	if m.stash == nil {
		return
	}
	if err := m.stash.Close(); err != nil {
		m.s.g.Log.Error("the file of a message cannot be closed", "ref", m.ref, "error", err)
	}
	m.stash = nil
}

// envelope is what inspectors are told.
func (m *Message) envelope() module.Envelope {
	e := module.Envelope{
		Ref: m.ref, Gateway: m.j.Gateway, QueueID: m.queueID,
		ClientIP: m.s.peer.Addr, ClientHost: m.s.peer.Host, Helo: m.s.helo,
		TLSVersion: m.env.TLSVersion, Direction: m.direction(), Sender: m.from.ASCII(),
		Recipients: m.recipients(),
	}
	if m.authenticated() {
		e.AuthUser = m.env.AuthUser
	}
	e.Subject = m.subject()
	return e
}

// judgeScan is what the antivirus makes of the message.
func (m *Message) judgeScan(f *final) {
	if m.inspections == nil || m.inspections.scan == nil {
		return
	}
	av, r := m.j.Antivirus, m.inspections.scan
	why := refusal{stage: rules.Complete.String()}
	e := m.entry(journal.Antivirus)
	e.Service, e.Engine, e.Object = "smtp", av.Engine, e.MessageID
	if e.Object == "" {
		e.Object = m.ref
	}
	e.Recipients = m.recipientTexts()
	e.DurationMS = r.Duration.Milliseconds()
	var act rules.Action
	switch {
	case r.Err == nil && r.Finding.Virus == "":
		e.Result = journal.Clean
		act = rules.Accept
	case r.Err == nil:
		e.Result, e.Signature = journal.Infected, r.Finding.Virus
		act = av.Action
		why.reason, why.reply = "virus "+r.Finding.Virus, orElse(av.Reply, m.s.g.texts.infected)
		if act == rules.Continue || act == rules.Hold {
			m.marks = append(m.marks, mark{tags: av.Tags})
		}
	case errors.Is(r.Err, module.ErrOversize):
		e.Result = journal.Unscanned
		act = av.Oversize
		why.reason, why.reply = "not scanned for viruses: "+r.Err.Error(), m.s.g.texts.oversize
		if act == rules.Tempfail {
			why.reply = m.s.g.texts.unscanned
		}
	default:
		e.Result = journal.ScanError
		act = av.OnError
		why.reason, why.reply = "not scanned for viruses: "+r.Err.Error(), m.s.g.texts.unscanned
		m.s.g.Log.Warn("a message was not scanned for viruses", "ref", m.ref, "queue_id", m.queueID, "action", act, "error", r.Err)
	}
	e.Action = act.String()
	if act == rules.Continue {
		e.Action = "tag"
	}
	e.Reason = m.j.text(why.reason)
	m.scanned = e.Result
	if r.Err != nil && act == rules.Accept {
		m.remarks = append(m.remarks, why.reason)
	}
	m.s.logIf(m.s.g.Journal.Write(e))
	switch act {
	case rules.Reject:
		f.stricter(Rejected, why)
	case rules.Tempfail:
		f.stricter(Deferred, why)
	case rules.Discard:
		f.stricter(Discarded, why)
	case rules.Hold:
		f.stricter(Held, why)
	}
}

// countModules adds the weights of the modules. It returns the refusal of the
// first that failed and may not, nil when there is none.
func (m *Message) countModules() *refusal {
	in := m.inspections
	if in == nil {
		return nil
	}
	var no *refusal
	for i := range in.results {
		if in.modules[i] == nil {
			continue
		}
		mod, r := &m.j.Modules[i], &in.results[i]
		hit := journal.ModuleHit{Name: mod.Inspector.Name(), Result: journal.ModuleOK, Score: "0", Weight: "0"}
		switch {
		case r.Err == nil:
			w := times(r.Finding.Score, mod.Factor)
			m.weight += w
			hit.Score, hit.Weight, hit.Action = r.Finding.Score.String(), w.String(), m.j.text(r.Finding.Action)
		case errors.Is(r.Err, module.ErrOversize):
			hit.Result, hit.Error = journal.ModuleOversize, m.j.text(r.Err.Error())
		default:
			hit.Result, hit.Error = journal.ModuleError, m.j.text(r.Err.Error())
			m.s.g.Log.Warn("a message was not inspected", "module", hit.Name, "ref", m.ref, "queue_id", m.queueID, "error", r.Err)
			if mod.OnError == rules.Tempfail && no == nil {
				no = m.at(rules.Complete, "module "+hit.Name+": "+r.Err.Error(), m.s.g.texts.unscanned)
			}
		}
		m.modules = append(m.modules, hit)
	}
	return no
}

// module is what the module of that name found.
func (m *Message) module(name string) (*module.Finding, error) {
	if in := m.inspections; in != nil {
		for i := range in.results {
			if in.modules[i] == nil || m.j.Modules[i].Inspector.Name() != name {
				continue
			}
			return &in.results[i].Finding, in.results[i].Err
		}
	}
	return nil, errUninspected
}

// virus is the value of the attribute.
func (m *Message) virus() (rules.Value, error) {
	in := m.inspections
	switch {
	case in == nil || in.scan == nil:
		return rules.Value{}, errUninspected
	case in.scan.Err != nil:
		return rules.Value{}, in.scan.Err
	case in.scan.Finding.Virus == "":
		return rules.Value{}, nil
	}
	return rules.TextValue(in.scan.Finding.Virus), nil
}
