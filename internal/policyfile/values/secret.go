package values

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
)

// maxSecret bounds files with a password or with certificates.
const maxSecret = 1 << 20

// SecretFile reads a file whose only line is a password.
func (r *Reader) SecretFile(into *string) func(*document.Node) {
	return func(n *document.Node) {
		var path string
		r.PathOrNone(&path)(n)
		if path == "" {
			return
		}
		text, err := document.ReadFile(path, maxSecret)
		if err != nil {
			r.Errorf(n, "cannot read the password of %s: %v", path, err)
			return
		}
		*into = strings.TrimRight(text, "\r\n")
		if *into == "" || strings.ContainsAny(*into, "\r\n") {
			r.Errorf(n, "password_file: %s must have the password as its only line", path)
		}
		if info, err := os.Stat(path); err == nil && exposed(info) {
			r.Warnf(n, "password_file: others can read %s (mode %04o)", path, info.Mode().Perm())
		}
	}
}

// exposed tells whether more than the daemon can read a file: everybody, or a
// group besides the owner. Where root owns it, the group is how the daemon
// reads it.
func exposed(info os.FileInfo) bool {
	mode := info.Mode().Perm()
	stat, ok := info.Sys().(*syscall.Stat_t)
	byGroup := ok && stat.Uid == 0
	return mode&0o007 != 0 || mode&0o020 != 0 || mode&0o040 != 0 && !byGroup
}

// CertificateTexts reads the file of a key: who goes by the certificates is not to
// go on with those of before when the file is another.
func (r *Reader) CertificateTexts(into *string) func(*document.Node) {
	return func(n *document.Node) {
		path := ""
		r.Certificates(&path)(n)
		if path == "" {
			return
		}
		if text, err := document.ReadFile(path, maxSecret); err == nil { // else it was told
			*into = text
		}
	}
}

// Certificates reads the name of a file with PEM certificates, "" for none.
func (r *Reader) Certificates(into *string) func(*document.Node) {
	return func(n *document.Node) {
		r.PathOrNone(into)(n)
		if *into == "" {
			return
		}
		text, err := document.ReadFile(*into, maxSecret)
		switch {
		case err != nil:
			r.Errorf(n, "cannot read the certificates of %s: %v", *into, err)
		case !x509.NewCertPool().AppendCertsFromPEM([]byte(text)):
			r.Errorf(n, "ca_file: there is no PEM certificate in %s", *into)
		}
	}
}

// Resolve is the path that a value names: relative to the file it stands in.
func Resolve(n *document.Node) string {
	path, _ := n.Value.(string)
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(n.File), path)
}
