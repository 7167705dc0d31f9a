package state_test

import (
	"testing"

	"github.com/tollgate-mail/tollgate/internal/state"
	"github.com/tollgate-mail/tollgate/internal/state/statetest"
)

// Judge alone, in a store that forgets nothing, is what all stores are held
// to.
func TestJudge(t *testing.T) {
	statetest.Run(t, func(*testing.T) statetest.Open {
		s := state.NewFake()
		return func(*testing.T) state.Store {
			s.(interface{ Open() }).Open()
			return s
		}
	})
}
