//go:build !linux

package module

import "os"

// unnamed makes a file without a name.
func unnamed(dir string) (*os.File, error) { return remade(dir) }
