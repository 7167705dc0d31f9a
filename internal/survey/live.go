package survey

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/tollgate-mail/tollgate/accounting/redis"
	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/dnscheck"
	"github.com/tollgate-mail/tollgate/internal/module/clamav"
	"github.com/tollgate-mail/tollgate/internal/module/types"
	"github.com/tollgate-mail/tollgate/rules"
)

// Service is something that a policy needs, and what it answered when it was asked
// once.
type Service struct {
	Name    string // "DNS 127.0.0.1:53", "antivirus (clamav)"
	Answers bool
	// Detail is what it said of itself, or why it has not answered.
	Detail string
	Took   time.Duration
}

// Services asks each service that a policy names one question, all side by side, each
// for a few seconds at most. The order is that of the policy: DNS and its lists where
// rules ask DNS or the policy names servers, inspectors, the store. What asks nobody
// is left out.
func Services(ctx context.Context, c *config.Config) []Service {
	var all []func(context.Context) Service
	if len(c.Resolver) > 0 || len(c.Gate.Rules.Asks(rules.AsksDNS)) > 0 {
		all = append(all, resolvers(c)...)
		all = append(all, zones(c)...)
	}
	if c.Antivirus != nil {
		all = append(all, inspector(c.Antivirus.Inspector))
	}
	for _, m := range c.Modules {
		if kind, ok := types.Find(m.Type); ok && !kind.Local {
			all = append(all, inspector(m.Inspector))
		}
	}
	if c.Redis != nil {
		all = append(all, func(ctx context.Context) Service { return store(ctx, c.Redis) })
	}
	answers := make([]Service, len(all))
	var asked sync.WaitGroup
	for i, ask := range all {
		asked.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			began := time.Now()
			answers[i] = ask(ctx)
			answers[i].Took = time.Since(began)
		})
	}
	asked.Wait()
	return answers
}

// said is an answer, or the reason why there is none.
func said(name, detail string, err error) Service {
	if err != nil {
		return Service{Name: name, Detail: err.Error()}
	}
	return Service{Name: name, Answers: true, Detail: detail}
}

// resolvers are asked one by one: a second server hides that the first is gone.
func resolvers(c *config.Config) (all []func(context.Context) Service) {
	servers, err := dnscheck.Config{Servers: c.Resolver}.Addresses()
	if err != nil {
		return []func(context.Context) Service{func(context.Context) Service { return said("DNS", "", err) }}
	}
	for _, server := range servers {
		all = append(all, func(ctx context.Context) Service {
			name := "DNS " + server
			code, err := dnscheck.Ask(ctx, server, c.Gate.Gateway, patience/2)
			if err == nil && code != "NOERROR" && code != "NXDOMAIN" {
				err = fmt.Errorf("it answers %s to a question for %s", code, c.Gate.Gateway)
			}
			return said(name, fmt.Sprintf("%s for %s", code, c.Gate.Gateway), err)
		})
	}
	return all
}

// zones are the DNS lists of client addresses, asked for their test entry (RFC 5782
// section 5).
func zones(c *config.Config) (all []func(context.Context) Service) {
	for _, k := range c.Gate.Rules.Asks(rules.AsksDNS) {
		if k.Attr == rules.DNSBL {
			all = append(all, func(ctx context.Context) Service { return zone(ctx, c, k.Name) })
		}
	}
	return all
}

func zone(ctx context.Context, c *config.Config, name string) Service {
	title := "DNS list " + name
	r, err := dnscheck.New(dnscheck.Config{Servers: c.Resolver})
	if err != nil {
		return said(title, "", err)
	}
	defer r.Close()
	found, err := r.Listed(ctx, name, testEntry)
	switch {
	case err != nil:
	case len(found) == 0:
		return said(title, "it has no test entry 127.0.0.2: it may list nobody", nil)
	case dnscheck.Refuses(found[0]):
		err = fmt.Errorf("it refuses to serve this resolver: %s", found[0])
	}
	return said(title, "its test entry is there", err)
}

// inspector asks for a sign of life, as live mail's watch does.
func inspector(i config.Inspector) func(context.Context) Service {
	return func(ctx context.Context) Service {
		name := fmt.Sprintf("%s (%s)", i.Name, i.Type)
		kind, ok := types.Find(i.Type)
		if !ok {
			return said(name, "", fmt.Errorf("nobody makes a module of type %q", i.Type))
		}
		made, err := kind.Make(i.Settings)
		if err != nil {
			return said(name, "", err)
		}
		defer func() { _ = made.Close() }() // nothing was handed to it
		detail := ""
		if err = made.Ping(ctx); err == nil {
			if settings, ok := i.Settings.(clamav.Settings); ok {
				detail, err = clamdVersion(ctx, settings.Addr)
			}
		}
		return said(name, detail, err)
	}
}

func store(ctx context.Context, c *config.Redis) Service {
	name := "Redis " + c.Addr
	place, err := assemble.RedisPlace(c)
	if err != nil {
		return said(name, "", err)
	}
	assemble.SilenceRedis()
	db := place.Client(patience)
	defer db.Close()
	if err = db.Ping(ctx).Err(); err == nil {
		return said(name, "", nil)
	}
	if meaning := redis.Meaning(err); meaning != "" {
		err = fmt.Errorf("%s: %w", meaning, err)
	}
	return said(name, "", err)
}

// testEntry is what every DNS list of IPv4 addresses has (RFC 5782 section 5).
var testEntry = netip.AddrFrom4([4]byte{127, 0, 0, 2})
