package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/backup"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/durable"
)

func (a *app) backup() *cobra.Command {
	existing, over := backup.Keep, false
	c := &cobra.Command{
		Use:   "backup FILE",
		Short: "pack what the gateway cannot lose, while mail flows",
		Long: `Backup packs into one file (tar, gzip) the policy with what it includes, its
lists and clients, and of the state_dir the history, the embedded store, what was
remembered and the spool. Mail goes on meanwhile: the store is copied as it is at
one moment, the spool after it. Journals, passwords and certificates are not in
it; nor is what Redis holds. It is for who may read the policy and the state_dir.
The file has mode 0600. One of that name that is there already is not touched,
unless --replace is given.`,
		Example: `  tollgate backup /var/backups/tollgate-$(date +%F).tar.gz`,
		Args:    counted(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if args[0] == "-" {
				return usagef("a backup is a file of mode 0600: name one (./- is a file named -)")
			}
			if over {
				existing = backup.Overwrite
			} else if _, err := os.Lstat(args[0]); err == nil {
				return there(args[0]) // before anything is copied
			}
			cfg, problems := config.Load(a.policy)
			if problems.Err() != nil {
				printProblems(a.err, daemon.ProblemRows(problems))
				return silent(exitPolicy)
			}
			cfg.Forget()
			s := backup.Source{Manifest: backup.Manifest{
				Gateway: cfg.Gate.Gateway, Tollgate: thisBuild().Version, Version: cfg.Gate.Version, Policy: absolute(a.policy), StateDir: absolute(cfg.StateDir),
			}}
			for _, f := range cfg.Sources {
				s.Files = append(s.Files, absolute(f.Path))
			}
			var copies daemon.Snapshot
			err := a.ask(c.Context(), cfg.StateDir, daemon.CmdSnapshot, nil, &copies)
			switch {
			case errors.Is(err, control.ErrNoDaemon):
				lock, err := control.Acquire(cfg.StateDir)
				if err != nil {
					return away(err)
				}
				defer lock.Release() // is only held while nobody serves
			case err != nil:
				return err
			default:
				s.SnapshotDir = absolute(copies.Dir)
				defer os.RemoveAll(copies.Dir) // the daemon removes it at its next start otherwise
			}
			m, err := backup.Write(args[0], s, existing)
			if errors.Is(err, fs.ErrExist) {
				return there(args[0])
			}
			if err != nil {
				return away(err)
			}
			if a.json {
				return printJSON(a.out, m)
			}
			size := int64(0)
			for _, p := range m.Pieces {
				size += p.Size
			}
			_, err = fmt.Fprintf(a.out, "%s: %s, %s unpacked\n", args[0], daemon.Plural(len(m.Pieces), "file"), bytesize(size))
			return away(err)
		},
	}
	c.Flags().BoolVar(&over, "replace", false, "write over a file of that name")
	return c
}

// there refuses a file that was there before.
func there(name string) error {
	return usagef("%s is there already, and is left as it is: name another, or give --replace", name)
}

func (a *app) restore() *cobra.Command {
	var stateDir string
	replace, stateOnly := backup.OnlyEmpty, false
	over := false
	c := &cobra.Command{
		Use:   "restore FILE",
		Short: "put back what a backup has",
		Long: `Restore reads a backup to its end and compares every file before it changes
anything. Then it puts the state in its place and the policy's files in theirs;
those that are there are kept beside them, as NAME.before-TIME, and so is what an
include would find and the backup does not have. It refuses a
state_dir that a daemon uses, and one that has something in it, unless --replace
moves that to a folder within. The spool gets a new name: what it holds is
applied once more to the store, which changes nothing where it was applied
before, also where Redis is ahead of the backup. Cut off, it is to be given
again; until then the daemon does not start.

With --state-dir it may be looked into while a daemon runs elsewhere: the policy
of that daemon is left as it is, and the backup's is put below the folder, as
policy-of-backup.`,
		Example: `  tollgate restore /var/backups/tollgate-2026-11-28.tar.gz && tollgate check`,
		Args:    counted(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			if over {
				replace = backup.Replace
			}
			if stateDir == "" {
				m, err := backup.Read(args[0])
				if errors.Is(err, fs.ErrNotExist) {
					return notThere(err)
				}
				if err != nil {
					return &failure{exitNegative, err}
				}
				stateDir = m.StateDir
			}
			return a.putBack(args[0], stateDir, replace, stateOnly)
		},
	}
	f := c.Flags()
	f.StringVar(&stateDir, "state-dir", "", "put the state into this `FOLDER`, not where it was")
	f.BoolVar(&over, "replace", false, "move a state that is there aside")
	f.BoolVar(&stateOnly, "state-only", false, "leave the policy's files as they are")
	return c
}

func (a *app) putBack(file, stateDir string, replace backup.Mode, stateOnly bool) error {
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return notThere(err) // before a folder is made for it
	}
	if err := os.MkdirAll(stateDir, 0o750); err != nil {
		return away(err)
	}
	lock, err := control.Acquire(stateDir)
	if err != nil {
		return away(err)
	}
	defer lock.Release() // the process ends after it
	u, err := backup.Unpack(file, stateDir)
	if errors.Is(err, fs.ErrNotExist) {
		return notThere(err)
	}
	if err != nil {
		return &failure{exitNegative, err}
	}
	files, err := u.PolicyFiles()
	if err != nil {
		return away(errors.Join(err, u.Drop()))
	}
	beside := ""
	if !stateOnly {
		served, err := policyServes(u, stateDir)
		if err != nil {
			return away(errors.Join(err, u.Drop()))
		}
		if served {
			stateOnly, beside = true, filepath.Join(stateDir, "policy-of-backup")
		}
	}
	suffix := ".before-" + time.Now().UTC().Format("20060102T150405Z")
	if !stateOnly {
		if files, err = replaced(files, suffix); err != nil {
			return &failure{exitNegative, errors.Join(fmt.Errorf("%w (--state-only leaves the policy)", err), u.Drop())}
		}
	}
	aside, err := u.Place(replace)
	if errors.Is(err, backup.ErrNotEmpty) {
		return &failure{exitNegative, errors.Join(fmt.Errorf("%w: --replace moves it aside", err), u.Drop())}
	}
	if err != nil {
		return away(err)
	}
	if aside != "" {
		fmt.Fprintf(a.err, "tollgate: what was there is in %s\n", aside)
	}
	if !stateOnly {
		swapped, err := durable.Swap(files, suffix, stateDir)
		if err != nil {
			return away(fmt.Errorf("the state is in its place, the policy's files are as they were: %w", err))
		}
		a.tellAside(swapped)
	}
	if beside != "" {
		for _, f := range files {
			path := filepath.Join(beside, filepath.Clean("/"+f.Path))
			if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
				return away(err)
			}
			if err := durable.Replace(path, f.Content, 0o640); err != nil {
				return away(err)
			}
		}
		fmt.Fprintf(a.err, "tollgate: a daemon serves by %s, which is left as it is: the policy of the backup is in %s\n", u.Policy, beside)
	}
	if a.json {
		return printJSON(a.out, u.Manifest)
	}
	_, err = fmt.Fprintf(a.out, "%s of %s, %s: in %s\n", file, u.Gateway, local(u.Time), stateDir)
	return away(err)
}

// replaced are the files of a backup's policy, the main one last, and before them what
// its includes find today and the backup does not have: it would be in force.
func replaced(files []durable.File, suffix string) ([]durable.File, error) {
	if len(files) == 0 {
		return nil, nil
	}
	var belong []string
	for _, f := range files {
		if err := mayWrite(f.Path); err != nil {
			return nil, err
		}
		belong = append(belong, f.Path)
	}
	main := files[len(files)-1]
	gone, err := surplus(main, belong)
	if err != nil {
		return nil, err
	}
	all := append(gone, files...)
	return all, besideFound(main, all, suffix)
}

// policyServes tells whether a daemon runs by the policy that a backup would replace:
// in the state_dir that it names now, or named when it was packed.
func policyServes(u *backup.Unpacked, stateDir string) (bool, error) {
	dirs := []string{u.StateDir}
	if places, problems := config.LoadPlaces(u.Policy); problems.Err() == nil {
		dirs = append(dirs, places.StateDir)
	}
	for _, dir := range dirs {
		if dir == "" || absolute(dir) == absolute(stateDir) {
			continue // where it is put nobody serves: its lock is ours
		}
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		lock, err := control.Acquire(dir)
		var held *control.LockedError
		switch {
		case errors.As(err, &held):
			return true, nil
		case err != nil:
			return false, err
		}
		if err := lock.Release(); err != nil {
			return false, err
		}
	}
	return false, nil
}
