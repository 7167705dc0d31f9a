package spool

import "golang.org/x/sys/unix"

func mountSmall(dir string) error {
	return unix.Mount("tollgate-test", dir, "tmpfs", 0, "size=512k")
}

func unmount(dir string) error { return unix.Unmount(dir, 0) }
