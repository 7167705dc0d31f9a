package survey

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/tollgate-mail/tollgate/internal/doctor"
)

// clockSynced cannot be told without a privilege.
func clockSynced() *bool { return nil }

func disk(d *doctor.Disk) error {
	var s unix.Statfs_t
	if err := unix.Statfs(d.Path, &s); err != nil {
		return err
	}
	d.Free, d.Size = uint64(max(s.Bavail, 0))*s.Bsize, s.Blocks*s.Bsize
	d.FreeInodes, d.Nodes = uint64(max(s.Ffree, 0)), s.Files
	d.ReadOnly = s.Flags&unix.MNT_RDONLY != 0
	d.Type = unix.ByteSliceToString(s.Fstypename[:])
	return nil
}

// opnsense is where OPNsense keeps its own part of the system.
const opnsense = "/usr/local/opnsense"

// system is FreeBSD, or what is made of it.
func system() doctor.System {
	if _, err := os.Stat(opnsense); err == nil {
		return doctor.OPNsense
	}
	return doctor.FreeBSD
}
