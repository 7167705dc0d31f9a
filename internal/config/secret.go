package config

import (
	"crypto/x509"
	"os"
	"strings"
	"syscall"

	"github.com/tollgate-mail/tollgate/internal/config/document"
)

// maxSecret bounds files with a password or with certificates.
const maxSecret = 1 << 20

// secretFile reads a file whose only line is a password.
func (d *decoder) secretFile(into *string) func(*node) {
	return func(n *node) {
		var path string
		d.pathOrNone(&path)(n)
		if path == "" {
			return
		}
		text, err := document.ReadFile(path, maxSecret)
		if err != nil {
			d.errorf(n, "cannot read the password of %s: %v", path, err)
			return
		}
		*into = strings.TrimRight(text, "\r\n")
		if *into == "" || strings.ContainsAny(*into, "\r\n") {
			d.errorf(n, "password_file: %s must have the password as its only line", path)
		}
		if info, err := os.Stat(path); err == nil && exposed(info) {
			d.warnf(n, "password_file: others can read %s (mode %04o)", path, info.Mode().Perm())
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

// certificateTexts reads the file of a key: who goes by the certificates is not to
// go on with those of before when the file is another.
func (d *decoder) certificateTexts(into *string) func(*node) {
	return func(n *node) {
		path := ""
		d.certificates(&path)(n)
		if path == "" {
			return
		}
		if text, err := document.ReadFile(path, maxSecret); err == nil { // else it was told
			*into = text
		}
	}
}

// certificates reads the name of a file with PEM certificates, "" for none.
func (d *decoder) certificates(into *string) func(*node) {
	return func(n *node) {
		d.pathOrNone(into)(n)
		if *into == "" {
			return
		}
		text, err := document.ReadFile(*into, maxSecret)
		switch {
		case err != nil:
			d.errorf(n, "cannot read the certificates of %s: %v", *into, err)
		case !x509.NewCertPool().AppendCertsFromPEM([]byte(text)):
			d.errorf(n, "ca_file: there is no PEM certificate in %s", *into)
		}
	}
}
