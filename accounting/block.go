package accounting

import (
	"fmt"
	"strings"
)

// Block is a set of reasons why a client may not receive.
type Block uint8

// In the order in which they answer: the permanent ones first.
const (
	Disabled      Block = 1 << iota // 550 5.2.1
	Expired                         // 550 5.2.1
	NotYetValid                     // 450 4.2.1
	OutOfSchedule                   // 450 4.2.1
	OverQuota                       // 452 4.2.2
	OutOfBalance                    // 452 4.2.2

	AllBlocks Block = 1<<iota - 1
)

// blockNames are those of recipients.refuse and of the journal's reasons, by
// bit.
var blockNames = [...]string{"disabled", "expired", "not_yet_valid", "schedule", "quota", "balance"}

// BlockNames are all names that ParseBlock knows.
func BlockNames() []string { return append([]string(nil), blockNames[:]...) }

// Answer is the one block of several that a refusal names: a permanent one
// before a temporary one, so that a sender does not queue in vain. It is 0 for
// none.
func (b Block) Answer() Block { return b & -b }

// String is the name used in policies and journals. Of several blocks it is
// their names with commas between, of none it is empty.
func (b Block) String() string {
	for i, name := range blockNames {
		if b == 1<<i {
			return name
		}
	}
	var names []string
	for i, name := range blockNames {
		if b&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

// ParseBlock reads one name.
func ParseBlock(name string) (Block, error) {
	for i, n := range blockNames {
		if n == name {
			return 1 << i, nil
		}
	}
	return 0, fmt.Errorf("unknown block %q: it is one of %s", name, strings.Join(blockNames[:], ", "))
}
