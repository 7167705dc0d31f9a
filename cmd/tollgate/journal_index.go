package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/journal"
)

func (a *app) journalIndex() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "index",
		Short: "pack rotated journals and make their indexes now",
		Long: `Index does now what the daemon does by itself some minutes after a rotation:
it rewrites rotated journals as gzip in pieces of about 1 MiB (zcat reads
them), with an index that tells a search which of them to read, and makes
indexes that are missing or damaged anew. Files that others compressed stay as
they are. The journals that are written now are not touched; nothing is lost
when it is interrupted.`,
		Example: `  tollgate journal index`,
		Args:    counted(0, 0),
		RunE:    func(c *cobra.Command, _ []string) error { return a.packJournals(c.Context(), dir) },
	}
	c.Flags().StringVar(&dir, "dir", "", "of this `FOLDER` instead of the policy's, to which no daemon writes")
	return c
}

func (a *app) packJournals(ctx context.Context, dir string) error {
	sum := journal.Packing{Problems: []string{}}
	step := func(context.Context) (journal.Packing, error) {
		return journal.Pack(ctx, dir, journal.PackOptions{Until: time.Now().Add(daemon.PackFor), Verify: true})
	}
	if dir == "" {
		places, err := a.places()
		if err != nil {
			return err
		}
		dir = places.JournalDir
		// A daemon knows which files it writes to; while none runs, none may start.
		lock, err := control.Acquire(places.StateDir)
		var held *control.LockedError
		switch {
		case errors.As(err, &held):
			step = func(ctx context.Context) (done journal.Packing, err error) {
				return done, a.ask(ctx, places.StateDir, daemon.CmdPack, nil, &done)
			}
		case err != nil:
			return away(fmt.Errorf("%s: %w", filepath.Base(places.StateDir), err))
		default:
			defer func() { _ = lock.Release() }()
		}
	}
	for more := true; more; {
		done, err := step(ctx)
		if err != nil {
			return away(err)
		}
		sum.Packed, sum.Text, sum.Size = sum.Packed+done.Packed, sum.Text+done.Text, sum.Size+done.Size
		sum.Index, sum.Rebuilt, sum.Removed = sum.Index+done.Index, sum.Rebuilt+done.Rebuilt, sum.Removed+done.Removed
		sum.Problems = done.Problems // each pass meets them again
		if more = done.More; more && !a.json {
			fmt.Fprintf(a.err, "%s packed so far\n", daemon.Plural(sum.Packed, "file"))
		}
	}
	if a.json {
		return printJSON(a.out, sum)
	}
	for _, p := range sum.Problems {
		fmt.Fprintln(a.err, "tollgate:", visible(p))
	}
	fmt.Fprintf(a.out, "%s packed, %s to %s; indexes of %s written, of them %d that were missing or damaged\n",
		daemon.Plural(sum.Packed, "file"), bytesize(sum.Text), bytesize(sum.Size), bytesize(sum.Index), sum.Rebuilt)
	if len(sum.Problems) > 0 {
		return silent(exitNegative)
	}
	return nil
}
