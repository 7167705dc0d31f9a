package history

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
)

// Unchanged tells whether a file is as it was.
func Unchanged(f File) (bool, error) {
	r, err := os.Open(f.Path)
	if err != nil {
		return false, err
	}
	defer r.Close()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return false, err
	}
	return hex.EncodeToString(h.Sum(nil)) == f.Hash, nil
}
