package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/journal"
)

func (d *Daemon) answerTrace(ctx context.Context, request json.RawMessage) (any, error) {
	var r TraceRequest
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	client, err := ParseClient(r.ClientIP)
	if err != nil {
		return nil, err
	}
	d.journals.Journal().SetTrace(r.turn(d.journals.Journal().Tracing(), client))
	now := d.traceNow()
	d.log.Info("trace", "state", now.String())
	return now, d.looked(ctx, LookRequest{Command: "trace", What: now.String()})
}

// turn is what is traced after a request.
func (r TraceRequest) turn(now journal.TraceSwitch, client netip.Prefix) journal.TraceSwitch {
	all := !r.Protocol && !r.Rules
	if r.On {
		return journal.TraceSwitch{
			Protocol: now.Protocol || r.Protocol || all, Rules: now.Rules || r.Rules || all,
			ClientIP: client, Sender: r.Sender, Recipient: r.Recipient,
		}
	}
	now.Protocol = now.Protocol && !r.Protocol && !all
	now.Rules = now.Rules && !r.Rules && !all
	return now
}

func (d *Daemon) traceNow() TraceState {
	now := d.journals.Journal().Tracing()
	s := TraceState{Protocol: now.Protocol, Rules: now.Rules, Sender: now.Sender, Recipient: now.Recipient, File: d.journals.Journal().Path(journal.Trace)}
	if now.ClientIP.IsValid() {
		s.ClientIP = now.ClientIP.String()
		if now.ClientIP.IsSingleIP() {
			s.ClientIP = now.ClientIP.Addr().String()
		}
	}
	return s
}

// answerWatch gives the trace to who follows it.
func (d *Daemon) answerWatch(ctx context.Context, request json.RawMessage) (any, error) {
	var r WatchRequest
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	j := d.journals.Journal()
	if r.End {
		j.Unwatch(r.ID)
		return journal.Watched{ID: r.ID, Lines: []json.RawMessage{}}, nil
	}
	if r.ID != "" {
		got, err := j.Watched(ctx, r.ID)
		return got, refusedWatch(err)
	}
	client, err := ParseClient(r.ClientIP)
	if err != nil {
		return nil, err
	}
	r.On = true
	s := r.turn(journal.TraceSwitch{}, client)
	// Who looks is written before anything is seen.
	if err := d.looked(ctx, LookRequest{Command: "trace follow", What: TraceState{
		Protocol: s.Protocol, Rules: s.Rules, ClientIP: r.ClientIP, Sender: s.Sender, Recipient: s.Recipient, File: "a terminal",
	}.String()}); err != nil {
		return nil, err
	}
	id, err := j.Watch(s)
	return journal.Watched{ID: id, Lines: []json.RawMessage{}}, refusedWatch(err)
}

func refusedWatch(err error) error {
	if errors.Is(err, journal.ErrWatches) || errors.Is(err, journal.ErrNoWatch) {
		return &control.Refusal{Code: CodeRequest, Message: err.Error()}
	}
	return err
}

// mostLook bounds what a command says of itself, in octets.
const mostLook = 1000

// answerLook journals what a command shows of other people's mail: who gave it is
// known here by the kernel's word. Everybody may say so who may ask at all.
func (d *Daemon) answerLook(ctx context.Context, request json.RawMessage) (any, error) {
	var r LookRequest
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	return nil, d.looked(ctx, r)
}

func (d *Daemon) looked(ctx context.Context, r LookRequest) error {
	clip := func(s string) string { return s[:min(len(s), mostLook)] }
	return d.journals.Journal().Write(&journal.Entry{
		Kind: journal.Looks, Time: time.Now(), Gateway: d.judge.Gate().Policy().Gateway, Policy: d.config().Gate.Version,
		Ref: clip(r.Ref), By: control.User(ctx), Event: clip(r.Command), Detail: clip(r.What),
	})
}

// ParseClient reads an address or a network; "" is none.
func ParseClient(s string) (netip.Prefix, error) {
	if s == "" {
		return netip.Prefix{}, nil
	}
	if addr, err := netip.ParseAddr(s); err == nil {
		addr = addr.Unmap().WithZone("")
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("--client-ip %q: want an address or a network such as 192.0.2.0/24", s)
	}
	return p.Masked(), nil
}
