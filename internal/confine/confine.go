// Package confine takes from a process what it does not need: files outside of
// some folders, and the right to execute any.
package confine

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ErrUnsupported: the kernel has no Landlock that is of use.
var ErrUnsupported = errors.New("this kernel has no Landlock of ABI 2 or later")

// ErrDenied: the kernel may have it, and this process may not ask.
var ErrDenied = errors.New("the kernel's Landlock is denied to this process, by a filter of system calls as SystemCallFilter= of a unit is one")

// ErrOutside: a confined process asks for a file that it was not started for.
var ErrOutside = errors.New("it is outside of what the daemon confined itself to when it started: it needs a restart")

// Bounds are the files that a process may still open: folders with all that is in
// them, and files by themselves. What lacks is passed over.
type Bounds struct {
	Read  []string
	Write []string // to be read as well; nothing there is ever executed

	pinned map[string]os.FileInfo // by path without links; nil: not yet
}

// Pin notes which files and folders the bounds are now. The kernel holds to those: what
// is put in place of one of them later is outside.
func (b *Bounds) Pin() {
	b.pinned = map[string]os.FileInfo{}
	for _, path := range slices.Concat(b.Read, b.Write) {
		path = real(path)
		if info, err := os.Stat(path); err == nil {
			b.pinned[path] = info
		}
	}
}

// System are the files of the system that a process reads which asks the DNS, names
// users, tells the time of a zone, and checks certificates.
func System() []string {
	all := []string{
		"/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo",
		"/etc/ssl", "/etc/pki", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates", "/etc/ca-certificates",
		"/proc", // figures of the process itself
	}
	single := []string{
		"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/services", "/etc/localtime", "/etc/gai.conf", "/etc/host.conf",
		"/etc/passwd", "/etc/group",
		// Where crypto/x509 looks: some systems have links there.
		"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem",
	}
	all = append(all, single...)
	// Who manages a network or users puts new files in place of these: a rule for a
	// file is one for the file that was there. What a user may not read the kernel
	// keeps from it anyway; from root, nobody does.
	if os.Geteuid() != 0 {
		all = append(all, "/etc")
	}
	for _, path := range single {
		if info, err := os.Lstat(path); err == nil && info.Mode().Type() == os.ModeSymlink {
			all = append(all, filepath.Dir(real(path)))
		}
	}
	// Where resolv.conf leads when one of these has the network.
	all = append(all, "/run/systemd/resolve", "/run/NetworkManager", "/run/resolvconf", "/run/connman")
	for _, name := range []string{"SSL_CERT_FILE", "SSL_CERT_DIR", "ZONEINFO"} {
		all = append(all, filepath.SplitList(os.Getenv(name))...)
	}
	return all
}

// Add has files read that may be replaced by others: their folders, and those that
// links lead to.
func (b *Bounds) Add(paths ...string) {
	for _, path := range paths {
		for _, p := range both(path) {
			if info, err := os.Stat(p); err != nil || !info.IsDir() {
				p = filepath.Dir(p)
			}
			b.Read = append(b.Read, p)
		}
	}
}

// Reads tells whether a file can be read.
func (b *Bounds) Reads(path string) error { return b.within(path, slices.Concat(b.Read, b.Write)) }

// Writes tells whether a file can be made or written.
func (b *Bounds) Writes(path string) error { return b.within(path, b.Write) }

func (b *Bounds) within(path string, roots []string) error {
	file := real(path)
	for _, root := range roots {
		root = real(root)
		if (file == root || strings.HasPrefix(file, strings.TrimSuffix(root, "/")+"/")) && b.same(root) {
			return nil
		}
	}
	return ErrOutside
}

// same tells whether a file or folder is the one that it was.
func (b *Bounds) same(root string) bool {
	if b.pinned == nil {
		return true
	}
	was, ok := b.pinned[root]
	if !ok {
		return false // it lacked, and there is no rule for it
	}
	is, err := os.Stat(root)
	return err == nil && os.SameFile(was, is)
}

// both are a path and where it really is.
func both(path string) []string {
	path = absolute(path)
	if r := real(path); r != path {
		return []string{path, r}
	}
	return []string{path}
}

// real is a path without links, as far as it is there.
func real(path string) string {
	path = absolute(path)
	rest := ""
	for p := path; ; p = filepath.Dir(p) {
		if r, err := filepath.EvalSymlinks(p); err == nil {
			return filepath.Join(r, rest)
		}
		if p == filepath.Dir(p) {
			return path
		}
		rest = filepath.Join(filepath.Base(p), rest)
	}
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
