package confine

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
)

const (
	readFile = ll.AccessFSReadFile
	readDir  = readFile | ll.AccessFSReadDir
	// No links by name, devices or pipes are made, and nothing is executed. Files
	// are renamed and linked between the folders of one root.
	writeDir = readDir | ll.AccessFSWriteFile | ll.AccessFSTruncate | ll.AccessFSRemoveFile | ll.AccessFSRemoveDir |
		ll.AccessFSMakeReg | ll.AccessFSMakeDir | ll.AccessFSMakeSock

	// leastABI can rename between folders, without which nothing would work.
	leastABI = 2
	// mostABI is the last that restricts what we use of it: files. Sockets are
	// left alone: which services are asked may change with the policy.
	mostABI = 8
)

// ABI is that of the kernel's Landlock; 0: it has none, or is not to be asked.
func ABI() int {
	abi, err := ll.LandlockGetABIVersion()
	if err != nil {
		return 0
	}
	return abi
}

// Able tells whether the kernel has what Restrict needs. An error is [ErrUnsupported]
// or [ErrDenied].
func Able() error {
	// ENOSYS: built without; EOPNOTSUPP: switched off when it was booted
	// (landlock_create_ruleset(2)). A filter says EPERM, for it is in neither.
	switch abi, err := ll.LandlockGetABIVersion(); {
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
		return ErrDenied
	case err != nil, abi < leastABI:
		return ErrUnsupported
	}
	return nil
}

// Restrict keeps the whole process within bounds, for ever, and tells by which ABI
// of Landlock. An error is one of [Able], or another; the process is as it was then.
func Restrict(b Bounds) (abi int, err error) {
	if err := Able(); err != nil {
		return 0, err
	}
	abi = min(ABI(), mostABI)
	var rules []landlock.Rule
	for _, path := range b.Read {
		info, err := os.Stat(path)
		switch {
		case err != nil: // it lacks, or is not for us anyway
		case info.IsDir():
			rules = append(rules, landlock.PathAccess(readDir, path).IgnoreIfMissing())
		default:
			rules = append(rules, landlock.PathAccess(readFile, path).IgnoreIfMissing())
		}
	}
	for _, path := range b.Write {
		if _, err := os.Stat(path); err != nil {
			return 0, fmt.Errorf("confine: %w", err)
		}
		rules = append(rules, landlock.PathAccess(writeDir, path).WithRefer())
	}
	// Best effort is about rights that an older kernel does not know: which it is,
	// who calls is told.
	if err := landlock.V8.BestEffort().RestrictPaths(rules...); err != nil {
		return 0, fmt.Errorf("confine: %w", err)
	}
	return abi, nil
}
