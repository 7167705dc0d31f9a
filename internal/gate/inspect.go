package gate

import (
	"context"
	"errors"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/took"
	"github.com/tollgate-mail/tollgate/rules"
)

// earlyFrom is the size from which a message is handed to its inspectors while
// the rest is still on its way. Of a smaller one nothing would be gained, and
// rules may yet refuse it before any inspector has work with it.
const earlyFrom = 256 << 10

// inspection is what others see of a message: its octets, kept for them, and
// what they found.
type inspection struct {
	m      *Message
	stash  *module.Stash // nil: nobody reads the whole message
	wire   []byte        // scratch for fields on their way there
	unkept bool          // the stash could not take everything

	begun   *inspections        // nil: none were
	scanned string              // what the antivirus said, as the journal has it; "": nothing
	hits    []journal.ModuleHit // of modules that were asked
	parts   *parts              // nil: no rule has asked
}

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
func (n *inspection) keeps() bool {
	if n.stash == nil && n.m.j.keeps && !n.m.s.skip && !n.m.done {
		n.stash = n.m.s.g.Stasher.New()
	}
	return n.stash != nil
}

// stashField keeps a field as it goes over the wire.
func (n *inspection) stashField(name, value string) {
	if !n.keeps() {
		return
	}
	b := append(n.wire[:0], name...)
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
	n.wire = append(b, "\r\n"...)
	n.stashOctets(n.wire)
}

// stashOctets keeps octets. That they cannot be kept is noted once; whoever
// reads the stash is told, too, and finds nothing clean.
func (n *inspection) stashOctets(p []byte) {
	if n.stash == nil || n.unkept || n.m.overran != nil {
		return
	}
	if _, err := n.stash.Write(p); err != nil {
		n.unkept = true
		n.m.s.g.Log.Error("a message cannot be kept for inspection", "ref", n.m.ref, "error", err)
	}
}

// begin hands the message to the antivirus and, unless the rules have come
// to an end, to the modules.
func (n *inspection) begin(ctx context.Context) {
	if n.begun != nil || n.stash == nil {
		return
	}
	in := &inspections{message: module.Message{Envelope: n.m.envelope(), Stash: n.stash}}
	n.begun = in
	ctx = n.m.s.byTurns(ctx)
	if av := n.m.j.Antivirus; av != nil {
		in.antivirus = av.Scanner.Begin(ctx, &in.message)
	}
	in.modules = make([]*module.Inspection, len(n.m.j.Modules))
	if n.m.ended() {
		return
	}
	for i := range n.m.j.Modules {
		in.modules[i] = n.m.j.Modules[i].Inspector.Begin(ctx, &in.message)
	}
}

// await waits for all inspections.
func (n *inspection) await(ctx context.Context) {
	in := n.begun
	if in == nil {
		return
	}
	// Those that were begun early live as long as the session; the verdict may
	// have to be made sooner.
	stop := context.AfterFunc(ctx, in.cancel)
	defer stop()
	defer n.m.s.spend(took.Inspectors, n.m.s.g.Now())
	if n.m.ended() {
		in.cancelModules()
	}
	if in.antivirus != nil {
		if r := in.antivirus.Wait(); !errors.Is(r.Err, module.ErrUnknown) {
			in.scan = &r
		}
	}
	in.results = make([]module.Result, len(in.modules))
	for i, one := range in.modules {
		if one != nil {
			if in.results[i] = one.Wait(); errors.Is(in.results[i].Err, module.ErrUnknown) {
				in.modules[i] = nil // as if it had not been asked
			}
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
func (n *inspection) release() {
	n.m.s.g.held.Add(-n.m.held)
	n.m.held = 0
	if n.begun != nil {
		n.begun.cancel()
	}
	if n.stash == nil {
		return
	}
	if err := n.stash.Close(); err != nil {
		n.m.s.g.Log.Error("the file of a message cannot be closed", "ref", n.m.ref, "error", err)
	}
	n.stash = nil
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
func (n *inspection) judgeScan(f *final) {
	if n.begun == nil || n.begun.scan == nil {
		return
	}
	av, r := n.m.j.Antivirus, n.begun.scan
	why := refusal{stage: rules.Complete.String()}
	e := n.m.entry(journal.Antivirus)
	e.Service, e.Engine, e.Object = "smtp", av.Engine, e.MessageID
	if e.Object == "" {
		e.Object = n.m.ref
	}
	e.Recipients = n.m.recipientTexts()
	e.DurationMS = r.Duration.Milliseconds()
	var act rules.Action
	switch {
	case r.Err == nil && r.Finding.Virus == "":
		e.Result = journal.Clean
		act = rules.Accept
	case r.Err == nil:
		e.Result, e.Signature = journal.Infected, r.Finding.Virus
		act = av.Action
		why.reason, why.reply = "virus "+r.Finding.Virus, orElse(av.Reply, n.m.s.g.texts.infected)
		if act == rules.Continue || act == rules.Hold {
			n.m.tagged = append(n.m.tagged, tagging{tags: av.Tags})
		}
	case errors.Is(r.Err, module.ErrOversize):
		e.Result = journal.Unscanned
		act = av.Oversize
		why.reason, why.reply = "not scanned for viruses: "+r.Err.Error(), n.m.s.g.texts.oversize
		if act == rules.Tempfail {
			why.reply = n.m.s.g.texts.unscanned
		}
	default:
		e.Result = journal.ScanError
		act = av.OnError
		why.reason, why.reply = "not scanned for viruses: "+r.Err.Error(), n.m.s.g.texts.unscanned
		n.m.s.g.Log.Warn("a message was not scanned for viruses", "ref", n.m.ref, "queue_id", n.m.queueID, "action", act, "error", r.Err)
	}
	e.Action = act.String()
	if act == rules.Continue {
		e.Action = "tag"
	}
	e.Reason = n.m.j.text(why.reason)
	n.scanned = e.Result
	if r.Err != nil && act == rules.Accept {
		n.m.remarks = append(n.m.remarks, why.reason)
	}
	n.m.s.logIf(n.m.s.g.Journal.Write(e))
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
func (n *inspection) countModules() *refusal {
	in := n.begun
	if in == nil {
		return nil
	}
	var no *refusal
	for i := range in.results {
		if in.modules[i] == nil {
			continue
		}
		mod, r := &n.m.j.Modules[i], &in.results[i]
		hit := journal.ModuleHit{Name: mod.Inspector.Name(), Result: journal.ModuleOK, Score: "0", Weight: "0", DurationMS: r.Duration.Milliseconds()}
		switch {
		case r.Err == nil:
			w := times(r.Finding.Score, mod.Factor)
			n.m.weight += w
			hit.Score, hit.Weight, hit.Action = r.Finding.Score.String(), w.String(), n.m.j.text(r.Finding.Action)
			n.m.j.symbols(&hit, &r.Finding)
			if left := r.Finding.LeftOut; len(left) > 0 {
				hit.Error = visible(n.m.j.text("left out: " + strings.Join(left, "; ")))
				n.m.s.g.Log.Warn("changes to the header that a module wants cannot be read and are left out", "module", hit.Name, "ref", n.m.ref, "changes", left)
			}
		case errors.Is(r.Err, module.ErrOversize):
			hit.Result, hit.Error = journal.ModuleOversize, visible(n.m.j.text(r.Err.Error()))
		default:
			hit.Result, hit.Error = journal.ModuleError, visible(n.m.j.text(r.Err.Error()))
			n.m.s.g.Log.Warn("a message was not inspected", "module", hit.Name, "ref", n.m.ref, "queue_id", n.m.queueID, "error", r.Err)
			if mod.OnError == rules.Tempfail && no == nil {
				no = n.m.at(rules.Complete, "module "+hit.Name+": "+r.Err.Error(), n.m.s.g.texts.unscanned)
			}
		}
		n.hits = append(n.hits, hit)
	}
	return no
}

// module is what the module of that name found.
func (n *inspection) module(name string) (*module.Finding, error) {
	if in := n.begun; in != nil {
		for i := range in.results {
			if in.modules[i] == nil || n.m.j.Modules[i].Inspector.Name() != name {
				continue
			}
			return &in.results[i].Finding, in.results[i].Err
		}
	}
	return nil, errUninspected
}
