package survey

import (
	"golang.org/x/sys/unix"

	"github.com/tollgate-mail/tollgate/internal/doctor"
)

// clockSynced is the kernel's word.
func clockSynced() *bool {
	var t unix.Timex
	if _, err := unix.Adjtimex(&t); err != nil {
		return nil
	}
	synced := t.Status&unix.STA_UNSYNC == 0
	return &synced
}

func disk(d *doctor.Disk) error {
	var s unix.Statfs_t
	if err := unix.Statfs(d.Path, &s); err != nil {
		return err
	}
	block := uint64(s.Bsize)
	d.Free, d.Size, d.FreeInodes, d.Nodes = s.Bavail*block, s.Blocks*block, s.Ffree, s.Files
	d.ReadOnly = s.Flags&unix.ST_RDONLY != 0
	switch s.Type {
	case unix.TMPFS_MAGIC:
		d.Type = "tmpfs"
	case unix.RAMFS_MAGIC:
		d.Type = "ramfs"
	case unix.NFS_SUPER_MAGIC:
		d.Type = "nfs"
	}
	return nil
}

// system is Debian: on other Linuxes its words say at least what is meant.
func system() doctor.System { return doctor.Debian }
