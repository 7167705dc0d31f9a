package policytest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/trial"
)

// Result is how a case went.
type Result struct {
	File        string       `json:"file"`
	Line        int          `json:"line"`
	Name        string       `json:"name"`
	Passed      bool         `json:"passed"`
	Differences []Difference `json:"differences"`
	Error       string       `json:"error"` // why it could not be tried
	DurationMS  float64      `json:"duration_ms"`

	outcome *trial.Outcome
}

// Difference is something that is not as expected.
type Difference struct {
	What string `json:"what"` // "verdict", "refused ivan@example.org"
	Want string `json:"want"`
	Got  string `json:"got"`
}

// Run has all cases judged by a policy, as many at once as there are processors,
// and tells how they went in their order.
func Run(ctx context.Context, cfg *config.Config, cases []*Case) []Result {
	results := make([]Result, len(cases))
	next := make(chan int)
	var under sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(cases)) {
		under.Go(func() {
			for i := range next {
				results[i] = run(ctx, cfg, cases[i])
			}
		})
	}
	for i := range cases {
		next <- i
	}
	close(next)
	under.Wait()
	return results
}

func run(ctx context.Context, cfg *config.Config, c *Case) Result {
	r := Result{File: c.File, Line: c.Line, Name: c.Name, Differences: []Difference{}}
	began := time.Now()
	o, err := Judge(ctx, cfg, c)
	r.DurationMS = float64(time.Since(began).Microseconds()) / 1000
	if err != nil {
		r.Error = err.Error()
		return r
	}
	r.outcome = o
	r.Differences = append(r.Differences, Compare(&c.Expect, o)...)
	r.Passed = len(r.Differences) == 0
	return r
}

// Outcome is what became of the message of a case; nil when it could not be
// tried.
func (r *Result) Outcome() *trial.Outcome { return r.outcome }

// Judge has the message of a case judged.
func Judge(ctx context.Context, cfg *config.Config, c *Case) (o *trial.Outcome, err error) {
	m, err := c.message()
	if err != nil {
		return nil, err
	}
	records, err := texts(c.DNS)
	if err != nil {
		return nil, err
	}
	wrote, err := texts(c.Wrote)
	if err != nil {
		return nil, err
	}
	if err := c.Inspectors.check(cfg); err != nil {
		return nil, err
	}
	clients, err := c.clients.directory(cfg)
	if err != nil {
		return nil, err
	}
	now := c.now()
	b, err := trial.New(ctx, trial.Options{
		Config: cfg, Clients: clients, Lookups: &trial.Answers{Records: records},
		Memory: trial.Memory{Passed: c.Passed, Wrote: wrote},
		Recall: c.Inspectors != nil,
		Now:    func() time.Time { return now },
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	if c.Inspectors != nil {
		m.Known = c.Inspectors
	}
	return b.Judge(ctx, *m)
}

// message is the case as the MTA would tell of it.
func (c *Case) message() (*trial.Message, error) {
	addr, err := trial.ParseClient(c.Client.IP)
	if err != nil {
		return nil, fmt.Errorf("client.ip: %w", err)
	}
	text, err := c.Text()
	if err != nil {
		return nil, err
	}
	m := &trial.Message{
		Client: trial.Peer(addr, c.Client.Host, c.Client.Resolve), Helo: c.Client.Helo,
		Envelope:   gate.Envelope{Sender: c.Sender, Size: -1, QueueID: "TEST"},
		Recipients: c.Recipients, Text: text,
	}
	if c.Size != nil {
		m.Envelope.Size = *c.Size
	}
	switch tls := c.Client.TLS.(type) {
	case bool:
		if tls {
			m.Envelope.TLSVersion = "TLSv1.3"
		}
	case string:
		m.Envelope.TLSVersion = tls
	}
	if c.Client.User != "" {
		m.Envelope.AuthType, m.Envelope.AuthUser = "PLAIN", c.Client.User
	}
	return m, nil
}
