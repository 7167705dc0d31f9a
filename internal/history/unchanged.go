package history

import (
	"crypto/sha256"
	"encoding/hex"
	"io"

	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
	"github.com/tollgate-mail/tollgate/rules/list"
)

// Unchanged tells whether a file is as it was; of a list that was built, whether it
// was built of the same text.
func Unchanged(f File) (bool, error) {
	r, err := document.Open(f.Path)
	if err != nil {
		return false, err
	}
	defer r.Close()
	if f.Built {
		_, text, err := list.Open(r)
		return err == nil && text.Hash == f.Hash, err
	}
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return false, err
	}
	return hex.EncodeToString(h.Sum(nil)) == f.Hash, nil
}
