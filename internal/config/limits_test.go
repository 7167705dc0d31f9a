package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/gate"
)

// Limits can be raised, and neither lowered nor taken away.
func TestLimits(t *testing.T) {
	for _, b := range gate.Bounds() {
		for value, fine := range map[int64]bool{0: false, -1: false, b.Value - 1: false, b.Value: true, b.Most: true, b.Most + 1: false} {
			text := fmt.Sprintf("[recipients]\nmode = \"domains\"\ndomains = [\"example.org\"]\n[gateway]\nlimits = { %s = %d }\n", b.Name, value)
			cfg, problems, _ := loadText(t, text, nil)
			switch {
			case fine && (len(problems) > 0 || cfg.Gate.Limits[b.ID] != value):
				t.Errorf("%s = %d: %v", b.Name, value, problems)
			case !fine && (len(problems) != 1 || !strings.Contains(problems[0].Msg, b.Name)):
				t.Errorf("%s = %d: %v", b.Name, value, problems)
			}
		}
	}
}
