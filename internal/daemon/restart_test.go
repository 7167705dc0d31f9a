package daemon

import (
	"slices"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/config"
)

// What a process has given up it cannot take back, nor give up more: that is for the
// next one.
func TestConfinementNeedsRestart(t *testing.T) {
	for _, c := range []struct {
		was, is   string
		from, to  []string
		wantNamed []string
	}{
		{config.ConfineOn, config.ConfineOn, nil, nil, []string{}},
		{config.ConfineOn, config.ConfineOff, nil, nil, []string{"confine"}},
		{config.ConfineOff, config.ConfineRequired, nil, []string{"/x"}, []string{"confine"}},
		{config.ConfineOn, config.ConfineOn, []string{"/x"}, []string{"/x", "/y"}, []string{"read_paths"}},
		{config.ConfineRequired, config.ConfineOn, []string{"/x"}, nil, []string{"confine", "read_paths"}},
		{config.ConfineOff, config.ConfineOff, nil, []string{"/x"}, []string{}}, // it says nothing there
	} {
		old := &config.Config{Confine: c.was, ReadPaths: c.from, Location: time.UTC}
		next := &config.Config{Confine: c.is, ReadPaths: c.to, Location: time.UTC}
		if named := needRestart(old, next); !slices.Equal(named, c.wantNamed) {
			t.Errorf("%s %v to %s %v: %v, want %v", c.was, c.from, c.is, c.to, named, c.wantNamed)
		}
	}
}
