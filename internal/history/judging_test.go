package history

import (
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/config"
)

// Each section of a policy either judges, or is known not to.
func TestLoadKnowsAllSections(t *testing.T) {
	for _, table := range config.Tables() {
		section := strings.Trim(table.Name, "[]")
		if !strings.HasPrefix(table.Name, "[") || strings.Contains(section, ".") || slices.Contains([]string{"redis", "journal", "metrics"}, section) {
			continue
		}
		if !slices.Contains(judging, section) {
			t.Errorf("%s is left out of what a policy of the history judges by", table.Name)
		}
	}
}
