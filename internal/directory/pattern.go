package directory

import (
	"regexp"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/address"
)

// pattern is one regex address of a client.
type pattern struct {
	re     *regexp.Regexp
	client *accounting.Client
	order  int // in the file
}

// patterns are the regex addresses. Those that spell out their domain are only
// tried on addresses in it.
type patterns struct {
	owners   map[string]*accounting.Client // by what is written
	byDomain map[string][]pattern
	anywhere []pattern
}

// add takes a pattern, or returns whose it is already.
func (p *patterns) add(written string, a accounting.Address, c *accounting.Client) (owner *accounting.Client) {
	if owner := p.owners[written]; owner != nil {
		return owner
	}
	if p.owners == nil {
		p.owners = make(map[string]*accounting.Client)
		p.byDomain = make(map[string][]pattern)
	}
	one := pattern{a.Regexp, c, len(p.owners)}
	p.owners[written] = c
	if a.Domain == "" {
		p.anywhere = append(p.anywhere, one)
	} else {
		domain := address.FoldDomain(a.Domain)
		p.byDomain[domain] = append(p.byDomain[domain], one)
	}
	return nil
}

// match finds the first pattern, in file order, that an address matches, or
// the same with its domain in U-labels, where there is one.
func (p *patterns) match(folded, shown, domain string) *accounting.Client {
	near, far := p.byDomain[domain], p.anywhere
	for len(near) > 0 || len(far) > 0 {
		var next pattern
		if len(far) == 0 || len(near) > 0 && near[0].order < far[0].order {
			next, near = near[0], near[1:]
		} else {
			next, far = far[0], far[1:]
		}
		if next.re.MatchString(folded) || shown != "" && next.re.MatchString(shown) {
			return next.client
		}
	}
	return nil
}

// none tells that no pattern could match in a domain.
func (p *patterns) none(domain string) bool {
	return len(p.anywhere) == 0 && len(p.byDomain[domain]) == 0
}
