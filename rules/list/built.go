package list

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tollgate-mail/tollgate/internal/diag"
	"github.com/tollgate-mail/tollgate/rules/keyfile"
)

// built are the entries of a list that was built: they stay in their file.
type built struct {
	*keyfile.File
	about
	failed atomic.Int64
	last   atomic.Pointer[error]
}

// about is what such a file says of itself.
type about struct {
	Classes Class `json:"classes"`
	// Bits are the lengths of the networks of IPv4 and of IPv6 that there are.
	Bits4 []int `json:"ipv4"`
	Bits6 []int `json:"ipv6"`
	Text  Text  `json:"text"`
}

// Text is the text that a list was built from.
type Text struct {
	Name    string    `json:"name"` // of the file, without its folder
	Size    int64     `json:"size"` // octets
	Changed time.Time `json:"changed"`
	Hash    string    `json:"sha256"`
}

// A network stands in the file as a zero, which is in no name, its family, its length
// and its octets. An address is looked for in those of each length that there is.
const (
	network = 0
	family4 = 4
	family6 = 6
)

func networkKey(dst []byte, p netip.Prefix) []byte {
	family := byte(family6)
	if p.Addr().Is4() {
		family = family4
	}
	dst = append(dst, network, family, byte(p.Bits()))
	octets := p.Masked().Addr().As16()
	if family == family4 {
		return append(dst, octets[12:]...)
	}
	return append(dst, octets[:]...)
}

// ofKey is the entry of a key.
func ofKey(key []byte) (Class, string, error) {
	if len(key) == 0 || key[0] != network {
		return classOf(string(key)), string(key), nil
	}
	if len(key) > 3 {
		if a, ok := netip.AddrFromSlice(key[3:]); ok && int(key[2]) <= a.BitLen() {
			return Networks, netip.PrefixFrom(a, int(key[2])).String(), nil
		}
	}
	return 0, "", errors.New("a network in the list cannot be read")
}

// has looks for a key, and counts what cannot be read.
func (b *built) has(key []byte) (bool, error) {
	found, err := b.Has(key)
	if err != nil {
		b.failed.Add(1)
		b.last.Store(&err)
	}
	return found, err
}

// Failed is how many look-ups of a built list could not read its file so far, and why
// the last one.
func (l *List) Failed() (n int64, last error) {
	if l.built == nil {
		return 0, nil
	}
	if err := l.built.last.Load(); err != nil {
		last = *err
	}
	return l.built.failed.Load(), last
}

// Close closes the file of a built list, when nobody looks into it any more.
func (l *List) Close() error {
	if l.built == nil {
		return nil
	}
	return l.built.Close()
}

// entries are those of [List.Entries], as far as they can be read.
func (b *built) entries(yield func(Class, string) bool) {
	for key, err := range b.Keys() {
		if err != nil {
			return
		}
		class, entry, err := ofKey(key)
		if err != nil || !yield(class, entry) {
			return
		}
	}
}

// covers tells whether a network is within one of the list.
func (b *built) covers(look *Look, p netip.Prefix) bool {
	lengths := b.Bits6
	if p.Addr().Is4() {
		lengths = b.Bits4
	}
	var room [19]byte
	for _, n := range lengths {
		if wide, err := p.Addr().Prefix(n); n <= p.Bits() && err == nil && look.inFile(networkKey(room[:0], wide)) {
			return true
		}
	}
	return false
}

// meets tells whether an address of a network may be in the list.
func (b *built) meets(p netip.Prefix) bool {
	if b.Classes&(IPs|Networks) == 0 {
		return false
	}
	for key, err := range b.Keys() {
		if err != nil {
			return true
		}
		switch class, entry, err := ofKey(key); {
		case err != nil:
			return true
		case class == Networks:
			if q, err := netip.ParsePrefix(entry); err == nil && q.Overlaps(p) {
				return true
			}
		case class == IPs:
			if a, err := netip.ParseAddr(entry); err == nil && p.Contains(a) {
				return true
			}
		}
	}
	return false
}

// IsBuilt tells whether a file that begins so is a list that was built.
func IsBuilt(beginning []byte) bool { return keyfile.Is(beginning) }

// BeginningSize is how much of a file IsBuilt wants to see, in octets.
const BeginningSize = keyfile.MagicSize

// Open is the list of a file that was built, which is the list's from then on, and
// what it was built from. With an error the file is still the caller's.
func Open(f *os.File) (*List, Text, error) {
	k, err := keyfile.Open(f)
	if err != nil {
		return nil, Text{}, err
	}
	b := &built{File: k}
	if err := json.Unmarshal(k.About, &b.about); err != nil {
		return nil, Text{}, fmt.Errorf("what is said of it: %w", err)
	}
	return &List{kind: Names, built: b}, b.Text, nil
}

// Built tells whether the entries stay in a file. Nobody should look at all of them
// without need.
func (l *List) Built() bool { return l.built != nil }

// Verify reads all of a built list.
func (l *List) Verify() error {
	if l.built == nil {
		return nil
	}
	return l.built.Verify()
}

// errExpression is why an expression cannot be built.
var errExpression = errors.New("a list that is built has no expressions: they cannot be looked up whole; put them into a list of their own")

// Build reads a list as [Read] does and makes a file of it at path: of names, in
// which an expression is an error. With an error among the problems there is no new
// file. It has mode and owner of like. text is what was read, as known when all was read.
func Build(path string, like fs.FileInfo, file string, r io.Reader, text func() (Text, error)) (diag.Problems, error) {
	to, err := keyfile.NewBuilder(path)
	if err != nil {
		return nil, err
	}
	b := listBuilder{list: &List{}, to: &target{Builder: to}}
	problems := b.read(file, r)
	if b.to.err == nil && problems.Err() == nil {
		if b.to.about.Text, err = text(); err == nil {
			return problems, b.to.finish(like)
		}
	}
	return problems, errors.Join(b.to.err, err, to.Abort())
}

// target is a file that is built.
type target struct {
	*keyfile.Builder
	about about
	room  []byte
	err   error // of the system: none of the list's
}

func (t *target) finish(like fs.FileInfo) error {
	slices.Sort(t.about.Bits4)
	slices.Sort(t.about.Bits6)
	said, err := json.Marshal(t.about)
	if err != nil {
		return errors.Join(err, t.Abort())
	}
	return t.Finish(said, like)
}

func (t *target) name(name []byte) error {
	t.about.Classes |= classOf(string(name))
	return t.add(name)
}

func (t *target) network(p netip.Prefix) error {
	t.about.Classes |= Networks
	bits := &t.about.Bits6
	if p.Addr().Is4() {
		bits = &t.about.Bits4
	}
	if !slices.Contains(*bits, p.Bits()) {
		*bits = append(*bits, p.Bits())
	}
	t.room = networkKey(t.room[:0], p)
	return t.add(t.room)
}

// errGivenUp ends the reading of a list; why is told elsewhere.
var errGivenUp = errors.New("the list is not read on")

// add ends the reading where the system fails.
func (t *target) add(key []byte) error {
	if t.err = t.Add(key); t.err != nil {
		return errGivenUp
	}
	return nil
}
