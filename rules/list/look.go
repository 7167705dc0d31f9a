package list

import (
	"net/netip"

	"github.com/tollgate-mail/tollgate/internal/budget"
)

// Look is looking something up in a list. It is for one goroutine.
type Look struct {
	list *List
	work *budget.Budget
	err  error
}

// fileCost is what a look into a file is charged, in steps: about what as many octets
// cost that are searched.
const fileCost = 256

// Look begins to look up.
func (l *List) Look(work *budget.Budget) Look { return Look{list: l, work: work} }

// Err is why what was not found may be there: the file of a list that was built could
// not be read. What was found is there.
func (f *Look) Err() error { return f.err }

// key looks up an entry that is no network, in the form in which they are compared.
func (f *Look) key(name []byte) bool { return f.list.names.has(name) || f.inFile(name) }

func (f *Look) inFile(key []byte) bool {
	if f.list.built == nil || f.err != nil || f.work.Charge(fileCost) != nil {
		return false
	}
	found, err := f.list.built.has(key)
	f.err = err
	return found
}

// network tells whether an address is in a network of the list.
func (f *Look) network(a netip.Addr) bool {
	if f.list.prefixes.Contains(a) {
		return true
	}
	if f.list.built == nil {
		return false
	}
	lengths := f.list.built.Bits6
	if a.Is4() {
		lengths = f.list.built.Bits4
	}
	var room [19]byte
	for _, n := range lengths {
		if p, err := a.Prefix(n); err == nil && f.inFile(networkKey(room[:0], p)) {
			return true
		}
	}
	return false
}

// literal tells whether an address is in the list, by itself or by a network.
func (f *Look) literal(a netip.Addr) bool {
	var room [64]byte
	return f.network(a) || f.key(a.AppendTo(room[:0]))
}
