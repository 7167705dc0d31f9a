package dnscheck

import (
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// How long answers are kept, whatever their TTL says. The least lets all
// stages of a message see the same answer; the most bounds how long a mistake
// lives here after it was corrected there.
const (
	minTTL = 10 * time.Second
	maxTTL = time.Hour
	// RFC 2308 §5 wants a limit on negative answers in the range of hours.
	maxNegativeTTL = 15 * time.Minute
	// failureTTL is within what RFC 9520 §3.2 asks: at least one second, at
	// most five minutes.
	failureTTL = 5 * time.Second
)

// maxChain is how many aliases are followed from one name.
const maxChain = 10

var (
	errChain = errors.New("too many aliases, or a loop of them")
	errLame  = errors.New("a referral instead of an answer")
)

// mx is one MX record; its host is in the form of question.name.
type mx struct {
	preference uint16
	host       string
}

// answer is what a question brought. Without records the name has none of the
// kind, or (nxdomain) nothing at all. It is shared: nobody writes to it.
type answer struct {
	addrs    []netip.Addr // A, AAAA
	mxs      []mx         // MX
	texts    []string     // TXT: the strings of each record joined
	names    []string     // PTR: in the form of question.name
	nxdomain bool
	err      error // a failure that is remembered

	ttl     time.Duration
	expires time.Time
	octets  int // about what it takes in memory
}

// trail leads from a name, over the aliases it has, to an answer.
type trail struct {
	q      question // what to ask for next
	hops   int      // aliases passed
	answer answer
}

func newTrail(q question) *trail { return &trail{q: q, answer: answer{ttl: maxTTL}} }

// follow reads a reply to t.q. It is not done where the reply ends in an alias
// without saying what that stands for: t.q is the question for that then.
//
// Only records of the answer section that belong to the name asked for, or to
// an alias on the way from it, are looked at: what else a server sends is not
// its to say.
func (t *trail) follow(m *dns.Msg) (done bool, err error) {
	asked := t.q.name
	for {
		alias, found := t.step(m)
		if found {
			return true, nil
		}
		if alias == nil {
			break
		}
		if t.hops++; t.hops > maxChain {
			return false, errChain
		}
		t.answer.age(alias.Hdr.Ttl)
		t.q.name = strings.ToLower(alias.Target)
	}
	// RFC 2308 §2.1: NXDOMAIN is said of the last name of the chain.
	t.answer.nxdomain = m.Rcode == dns.RcodeNameError
	negative := negativeTTL(m, t.q.name)
	switch {
	case negative >= 0:
		t.answer.ttl = min(t.answer.ttl, negative, maxNegativeTTL)
	case t.answer.nxdomain:
		t.answer.ttl = 0
	case t.q.name != asked:
		return false, nil
	case referral(m):
		return false, errLame
	default:
		// RFC 2308 §5: not cached without an SOA, beyond our least.
		t.answer.ttl = 0
	}
	return true, nil
}

// step takes the records of t.q, or else finds the alias there.
func (t *trail) step(m *dns.Msg) (alias *dns.CNAME, found bool) {
	for _, rr := range m.Answer {
		h := rr.Header()
		if h.Class != dns.ClassINET || !strings.EqualFold(h.Name, t.q.name) {
			continue
		}
		if h.Rrtype == t.q.kind && t.answer.add(rr) {
			found = true
			t.answer.age(h.Ttl)
		} else if c, ok := rr.(*dns.CNAME); ok {
			alias = c
		}
	}
	return alias, found
}

// add keeps what is of use in a record; it tells whether that was anything.
func (a *answer) add(rr dns.RR) bool {
	switch rr := rr.(type) {
	case *dns.A:
		return a.addAddr(rr.A)
	case *dns.AAAA:
		return a.addAddr(rr.AAAA)
	case *dns.MX:
		a.mxs = append(a.mxs, mx{rr.Preference, strings.ToLower(rr.Mx)})
		a.octets += 32 + len(rr.Mx)
	case *dns.TXT:
		text := rawText(rr.Txt)
		a.texts = append(a.texts, text)
		a.octets += 16 + len(text)
	case *dns.PTR:
		a.names = append(a.names, strings.ToLower(rr.Ptr))
		a.octets += 16 + len(rr.Ptr)
	default:
		return false
	}
	return true
}

func (a *answer) addAddr(raw []byte) bool {
	addr, ok := netip.AddrFromSlice(raw)
	if ok {
		a.addrs = append(a.addrs, addr.Unmap())
		a.octets += 24
	}
	return ok
}

// age lets the answer live no longer than a record of it. RFC 2181 §8: a TTL
// with its first bit set is zero.
func (a *answer) age(ttl uint32) {
	if ttl > 1<<31-1 {
		ttl = 0
	}
	a.ttl = min(a.ttl, time.Duration(ttl)*time.Second)
}

// negativeTTL is for how long it holds that there is nothing at name (RFC 2308
// §5), or -1 where the reply has no SOA of a zone that name is in.
func negativeTTL(m *dns.Msg, name string) time.Duration {
	for _, rr := range m.Ns {
		soa, ok := rr.(*dns.SOA)
		if ok && soa.Hdr.Class == dns.ClassINET && dns.IsSubDomain(strings.ToLower(soa.Hdr.Name), name) {
			return time.Duration(min(soa.Hdr.Ttl, soa.Minttl, 1<<31-1)) * time.Second
		}
	}
	return -1
}

// referral tells whether the server does not recurse and names others who
// would know: that is not "no such record".
func referral(m *dns.Msg) bool {
	if m.RecursionAvailable || m.Authoritative {
		return false
	}
	for _, rr := range m.Ns {
		if rr.Header().Rrtype == dns.TypeNS {
			return true
		}
	}
	return false
}

// rawText joins the strings of a TXT record (RFC 7208 §3.3, RFC 6376
// §3.6.2.2), which package dns gives with escapes.
func rawText(parts []string) string {
	var b strings.Builder
	for _, s := range parts {
		for i := 0; i < len(s); i++ {
			if s[i] != '\\' || i+1 == len(s) {
				b.WriteByte(s[i])
				continue
			}
			if i+3 < len(s) && digit(s[i+1]) && digit(s[i+2]) && digit(s[i+3]) {
				b.WriteByte((s[i+1]-'0')*100 + (s[i+2]-'0')*10 + s[i+3] - '0')
				i += 3
				continue
			}
			i++
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func digit(c byte) bool { return '0' <= c && c <= '9' }
