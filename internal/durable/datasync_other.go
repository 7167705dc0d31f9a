//go:build !linux

package durable

import "os"

// SyncData makes the content of a file durable, and its length with it.
func SyncData(f *os.File) error { return f.Sync() }
