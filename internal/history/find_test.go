package history

import (
	"strings"
	"testing"
)

// Who asks for the policy before the only one is told in words.
func TestNoneBefore(t *testing.T) {
	_, err := Find([]Entry{{Number: 1}}, "previous")
	if err == nil || strings.Contains(err.Error(), "-1") || !strings.Contains(err.Error(), "before this one") {
		t.Error(err)
	}
}
