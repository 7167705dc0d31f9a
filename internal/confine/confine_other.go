//go:build !linux

package confine

// ABI is that of the kernel's Landlock: it has none.
func ABI() int { return 0 }

// Able is [ErrUnsupported].
func Able() error { return ErrUnsupported }

// Restrict is not possible here: it is [ErrUnsupported].
func Restrict(Bounds) (abi int, err error) { return 0, ErrUnsupported }
