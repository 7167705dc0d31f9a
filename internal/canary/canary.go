// Package canary divides mail between the policy in force and a candidate, keeps
// that over restarts, and says when the candidate has to go.
package canary

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"github.com/tollgate-mail/tollgate/internal/address"
	"github.com/tollgate-mail/tollgate/internal/durable"
	"github.com/tollgate-mail/tollgate/internal/gate"
)

// State is a canary under way, or how the last one ended.
type State struct {
	File    string `json:"file"`    // of the candidate
	Version string `json:"version"` // of it
	By      string `json:"by"`
	Message string `json:"message"`

	Share      int            `json:"share"`    // thousandths of the sending sites; 0: none by site
	Networks   []netip.Prefix `json:"networks"` // whose mail is the candidate's whatever the share
	Recipients []string       `json:"recipients"`
	Key        []byte         `json:"key"`

	Started time.Time `json:"started"`
	Until   time.Time `json:"until"`
	Band    int       `json:"band"` // thousandths of the mail that the candidate may refuse and the old policy not

	Judged  int64 `json:"judged"`  // by the candidate, and by the old policy beside it
	Refused int64 `json:"refused"` // of these, by the candidate and not by the old policy
	Let     int64 `json:"let"`     // the other way round
	Faults  int64 `json:"faults"`
	Slow    int64 `json:"slow"`

	Ended  time.Time `json:"ended"`  // zero while it is under way
	Reason string    `json:"reason"` // why it ended
	// Went: it went back by itself.
	Went bool `json:"went_back"`
	// Seen is who has acknowledged that; "" while nobody has.
	Seen string `json:"acknowledged"`
}

// BySelf tells whether it went back by itself, and nobody has acknowledged that yet.
func (s *State) BySelf() bool { return !s.Ended.IsZero() && s.Went && s.Seen == "" }

// Running tells whether it is under way.
func (s *State) Running() bool { return !s.Started.IsZero() && s.Ended.IsZero() }

// fileName is the file of the state folder.
const fileName = "canary.json"

// Load reads the state of a state folder; the zero State where there is none.
func Load(stateDir string) (s State, err error) {
	text, err := os.ReadFile(filepath.Join(stateDir, fileName))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		return State{}, fmt.Errorf("canary: %w", err)
	}
	return s, nil
}

// Save keeps the state.
func (s *State) Save(stateDir string) error {
	text, err := json.MarshalIndent(s, "", " ")
	if err == nil {
		err = durable.Replace(filepath.Join(stateDir, fileName), append(text, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("canary: %w", err)
	}
	return nil
}

// NewKey makes the key by which sites are chosen.
func NewKey() []byte {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return key
}

// ParseShare reads "10%" or "0.5%" as thousandths.
func ParseShare(s string) (int, error) {
	number, found := strings.CutSuffix(strings.TrimSpace(s), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if !found || err != nil || !(v >= 0.1 && v <= 100) {
		return 0, fmt.Errorf("%q: want a share such as 10%%, from 0.1%% to 100%%", s)
	}
	return int(math.Round(v * 10)), nil
}

// Site is what sends: the registrable domain of a client's verified name, else
// its network (IPv4 /24, IPv6 /64), so that retries from a pool meet one policy.
func Site(p gate.Peer) string {
	if p.Host != "" && p.Host != "unknown" && p.Resolve != "forged" && p.Resolve != "temp" && p.Resolve != "fail" {
		name := strings.TrimSuffix(strings.ToLower(p.Host), ".")
		if domain, err := publicsuffix.EffectiveTLDPlusOne(name); err == nil {
			return domain
		}
		return name
	}
	if !p.Addr.IsValid() {
		return ""
	}
	bits := 64
	if p.Addr.Unmap().Is4() {
		bits = 24
	}
	network, err := p.Addr.Unmap().Prefix(bits)
	if err != nil {
		return p.Addr.String()
	}
	return network.String()
}

// Chosen tells whether the mail of a client is the candidate's. Mail of local
// programs is not.
func (s *State) Chosen(p gate.Peer) bool {
	if p.Local {
		return false
	}
	for _, n := range s.Networks {
		if p.Addr.IsValid() && n.Contains(p.Addr.Unmap()) {
			return true
		}
	}
	if s.Share <= 0 {
		return false
	}
	mac := hmac.New(sha256.New, s.Key)
	mac.Write([]byte(Site(p)))
	return binary.BigEndian.Uint64(mac.Sum(nil))%1000 < uint64(s.Share)
}

// Names tells whether a recipient is among those named: an address, or
// "@domain".
func (s *State) Names(recipient string) bool {
	a := address.Parse(recipient)
	for _, r := range s.Recipients {
		if domain, found := strings.CutPrefix(r, "@"); found {
			if address.FoldDomain(domain) == a.Domain {
				return true
			}
			continue
		}
		if b := address.Parse(r); b.String() == a.String() {
			return true
		}
	}
	return false
}

// Pair is one message of the canary as both policies judged it.
type Pair struct {
	Candidate, Old gate.Verdict
	Fault, Slow    bool // of the candidate
}

const (
	leastRefused = 3 // pairs, before any share of them counts
	mostSlow     = 3
)

// Add counts a pair, and says why the candidate has to go, "" while it need not.
func (s *State) Add(p Pair) string {
	if p.Fault {
		s.Faults++
		return "an internal fault under the candidate"
	}
	if p.Slow {
		if s.Slow++; s.Slow >= mostSlow {
			return fmt.Sprintf("the candidate is slow: %d messages", s.Slow)
		}
	}
	if !known(p.Candidate) {
		return ""
	}
	// What the old policy would have let come further it did not refuse.
	s.Judged++
	switch no, old := refused(p.Candidate), refused(p.Old); {
	case no && !old:
		s.Refused++
	case old && !no:
		s.Let++
	}
	if s.Refused >= leastRefused && surely(s.Refused, s.Judged) > float64(s.Band)/1000 {
		return fmt.Sprintf("of %d messages the candidate refused %d that the old policy did not", s.Judged, s.Refused)
	}
	return ""
}

func known(v gate.Verdict) bool {
	switch v {
	case gate.Accepted, gate.Held, gate.Rejected, gate.Deferred, gate.Discarded:
		return true
	}
	return false
}

func refused(v gate.Verdict) bool {
	return v == gate.Rejected || v == gate.Deferred || v == gate.Discarded
}

// surely is the least share of which n of all tell with 95 % confidence: the lower
// end of the Wilson score interval.
func surely(n, all int64) float64 {
	const z = 1.6449 // one-sided
	if all == 0 {
		return 0
	}
	p, a := float64(n)/float64(all), float64(all)
	return (p + z*z/(2*a) - z*math.Sqrt(p*(1-p)/a+z*z/(4*a*a))) / (1 + z*z/a)
}
