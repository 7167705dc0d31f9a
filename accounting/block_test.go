package accounting

import (
	"slices"
	"strings"
	"testing"
)

func TestBlockAnswer(t *testing.T) {
	tests := []struct{ all, want Block }{
		{0, 0},
		{Disabled, Disabled},
		{OutOfSchedule | Expired, Expired},
		{OutOfSchedule | Disabled | Expired, Disabled},
		{NotYetValid | OutOfSchedule, NotYetValid},
		{OverQuota | OutOfSchedule, OutOfSchedule},
		{OutOfBalance | OverQuota, OverQuota},
		{AllBlocks, Disabled},
		{AllBlocks &^ Disabled &^ Expired, NotYetValid},
	}
	for _, tt := range tests {
		if got := tt.all.Answer(); got != tt.want {
			t.Errorf("of %s %s answers, want %s", tt.all, got, tt.want)
		}
	}
}

func TestBlockNames(t *testing.T) {
	var all Block
	for _, name := range BlockNames() {
		b, err := ParseBlock(name)
		if err != nil || b.String() != name {
			t.Errorf("%q reads as %q, %v", name, b, err)
		}
		all |= b
	}
	if all != AllBlocks {
		t.Errorf("the names are %s, all are %s", all, AllBlocks)
	}
	// The names of recipients.refuse (policy.md).
	if want := []string{"disabled", "expired", "not_yet_valid", "schedule", "quota", "balance"}; !slices.Equal(BlockNames(), want) {
		t.Errorf("names %q, want %q", BlockNames(), want)
	}
	for _, name := range []string{"", "Disabled", "disabled,expired"} {
		if b, err := ParseBlock(name); err == nil || b != 0 || !strings.Contains(err.Error(), "not_yet_valid") {
			t.Errorf("%q reads as %q, %v", name, b, err)
		}
	}
	if got := (Disabled | OutOfSchedule).String(); got != "disabled,schedule" {
		t.Errorf("two are %q", got)
	}
	if got := Block(0).String(); got != "" {
		t.Errorf("none is %q", got)
	}
}
