package mail

import (
	"testing"
)

func TestSize(t *testing.T) {
	for _, tt := range []struct {
		f    Field
		wire string
	}{
		{Field{"A", ""}, "A:\r\n"},
		{Field{"A", " b\n c"}, "A: b\r\n c\r\n"},
		{Field{"A", " b\r\n c\n\td"}, "A: b\r\n c\r\n\td\r\n"},
	} {
		if got := tt.f.Size(); got != int64(len(tt.wire)) {
			t.Errorf("%v: %d, want %d", tt.f, got, len(tt.wire))
		}
	}
}
