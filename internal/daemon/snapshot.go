package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/tollgate-mail/tollgate/internal/backup"
)

// CmdSnapshot answers Snapshot.
const CmdSnapshot = "snapshot"

// Snapshot is a folder with copies of the databases that are in use, under their
// names in the state folder. Who asked for it removes it.
type Snapshot struct {
	Dir     string `json:"dir"`
	Version string `json:"version"` // of the policy in force
}

// snapshooter is a database that can be copied while it is in use.
type snapshooter interface{ Snapshot(w io.Writer) error }

func (d *Daemon) answerSnapshot(context.Context, json.RawMessage) (any, error) {
	cfg := d.config()
	dir, err := os.MkdirTemp(cfg.StateDir, backup.Snapshots)
	if err != nil {
		return nil, refuse(err)
	}
	if s, ok := d.store.(snapshooter); ok {
		err = copied(s, filepath.Join(dir, filepath.Base(d.storeIs.Place)))
	}
	if s := d.memories.Snapshooter(); err == nil && s != nil {
		err = copied(s, filepath.Join(dir, d.memories.File()))
	}
	if err != nil {
		return nil, refuse(fmt.Errorf("the store cannot be copied: %w", errors.Join(err, os.RemoveAll(dir))))
	}
	return Snapshot{Dir: dir, Version: cfg.Gate.Version}, nil
}

func copied(s snapshooter, path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return err
	}
	return errors.Join(s.Snapshot(f), f.Close())
}

// dropSnapshots removes those that a backup has left.
func dropSnapshots(stateDir string) error {
	dirs, err := filepath.Glob(filepath.Join(stateDir, backup.Snapshots+"*"))
	if err != nil {
		return err
	}
	var errs []error
	for _, dir := range dirs {
		errs = append(errs, os.RemoveAll(dir))
	}
	return errors.Join(errs...)
}
