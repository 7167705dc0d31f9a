package harness

import "testing"

func TestLastOnes(t *testing.T) {
	const text = "# head\na = 1\n  2\n# of a\nb = 1\na=3\n\n# a = 4\nb =\n"
	const want = "# head\na=3\n\n# a = 4\nb =\n"
	if got := lastOnes(text); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
