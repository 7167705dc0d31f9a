// Package file is a file with clients of its own: what the policy can say of them,
// and nothing else.
package file

import (
	"github.com/tollgate-mail/tollgate/internal/diag"
	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
	"github.com/tollgate-mail/tollgate/internal/settings"
)

// Settings of the source.
type Settings struct {
	File settings.ClientFile `key:"file"`
}

// Named tells whether there is a file.
func (s Settings) Named() bool { return s.File.Path != "" }

// Check has nothing to say.
func (Settings) Check() error { return nil }

// Read reads [[client]] and [[tariff]].
func Read(s Settings) (*document.Node, *diag.Problem) {
	return document.Parse(s.File.Path, s.File.Text, []string{"client", "tariff"})
}
