package module

import (
	"errors"
	"os"
)

// remade is a file that has a name only until it is open.
func remade(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "tollgate-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
