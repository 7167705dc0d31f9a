package embedded

import (
	"path/filepath"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/state/statetest"
)

// BenchmarkTry: triplets that are new, with the writing they cause.
func BenchmarkTry(b *testing.B) {
	s := mustOpen(b, filepath.Join(b.TempDir(), "state.db"), Options{Now: now})
	terms := statetest.Terms()
	for n := 0; b.Loop(); n++ {
		if _, err := s.Try(b.Context(), statetest.Try(n%60_000, n, statetest.Now, terms)); err != nil {
			b.Fatal(err)
		}
		if n%writeSoon == 0 {
			mustWrite(b, s)
		}
	}
}
