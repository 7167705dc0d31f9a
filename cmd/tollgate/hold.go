package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/holdqueue"
)

func (a *app) hold() *cobra.Command {
	c := &cobra.Command{
		Use:   "hold",
		Short: "look through the mail that is on hold, and let it go",
		Long: `Hold manages the messages that Postfix keeps in its hold queue because a rule, a
threshold or the antivirus of the policy says "hold": Postfix delivers them only
when told to. They are known by the block journal: its entries with the verdict
hold, which tell why.

Messages are named by their reference or by Postfix's queue id. What others have
put on hold (header_checks, "postsuper -h") is left alone without --all; so is,
where a file of the journal cannot be read, what no other explains.

It calls postqueue, postcat and postsuper with the policy's postfix_config. No
daemon need run. All but list want root. Exit code 1: nothing was found, or
something named is not on hold any more; 75: Postfix's commands fail.`,
		Example: `  tollgate hold list
  tollgate hold show 4v1kz8m2p0q3
  tollgate hold show --eml 4v1kz8m2p0q3 -o suspect.eml
  tollgate hold release 4v1kz8m2p0q3 4v1kz8m31c7a
  tollgate hold delete 4v1kz8m2p0q3`,
		Args: alone,
		RunE: func(c *cobra.Command, _ []string) error {
			return usagef("hold what? %q lists what it can do", c.CommandPath()+" --help")
		},
	}
	c.AddCommand(a.holdList(), a.holdShow(), a.holdRelease(), a.holdDelete())
	return c
}

func (a *app) holdList() *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:   "list",
		Short: "list the messages on hold",
		Long: `List prints the messages that are on hold on our word, the oldest first: since
when, by which reference and queue id to name them, their size, from whom they
are to whom, the Subject, and why they are held.`,
		Example: `  tollgate hold list
  tollgate hold list --json | jq -r '.[] | select(.rule == "suspects") | .ref'
  tollgate hold list --all                          also what others have put on hold`,
		Args: alone,
		RunE: func(c *cobra.Command, _ []string) error {
			_, held, whole, err := a.held(c.Context())
			if err != nil {
				return err
			}
			mine := ours(slices.Clone(held))
			unknown := len(held) - len(mine)
			if !all {
				held = mine
			}
			if err := a.printHeld(held); err != nil {
				return err
			}
			switch {
			case !whole && unknown > 0:
				return a.unexplained(unknown)
			case len(held) == 0:
				fmt.Fprintln(a.err, "nothing is on hold")
				return silent(exitNegative)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&all, "all", false, "also those that others have put on hold")
	return c
}

func (a *app) holdShow() *cobra.Command {
	var all, eml bool
	var file string
	c := &cobra.Command{
		Use:   "show REF|QUEUE-ID",
		Short: "show a message on hold",
		Long: `Show prints what is known of a message on hold, and its header. With --eml it
writes the message as it stands in Postfix's queue, octet by octet, line ends as
LF: with the Received field of this gateway and the marks of the policy.`,
		Example: `  tollgate hold show 4v1kz8m2p0q3
  tollgate hold show --eml 4v1kz8m2p0q3 | less
  tollgate hold show --eml 4v1kz8m2p0q3 -o suspect.eml`,
		Args: exactly(1, "which message? Name its reference or queue id"),

		ValidArgsFunction: a.firstIs(a.heldRefs),
		RunE: func(c *cobra.Command, args []string) error {
			eml = eml || file != ""
			if eml && a.json {
				return usagef("--eml and --json are two forms: name one")
			}
			q, named, err := a.named(c.Context(), args, all)
			if err != nil {
				return err
			}
			h := named[0].held
			if h == nil {
				return silent(exitNegative)
			}
			if !eml {
				return a.showHeld(c.Context(), q, *h)
			}
			return a.writeTo(file, func(w io.Writer) error {
				return gone(q.Write(c.Context(), h.QueueID, holdqueue.Whole, w))
			})
		},
	}
	f := c.Flags()
	f.BoolVar(&eml, "eml", false, "write the message itself")
	f.StringVarP(&file, "output", "o", "", "write it (--eml) to this new `FILE`")
	f.BoolVar(&all, "all", false, "also one that others have put on hold")
	return c
}

func (a *app) holdRelease() *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:   "release REF|QUEUE-ID...",
		Short: "let messages on hold be delivered",
		Long: `Release has Postfix deliver messages that are on hold, now. They are not judged
again and not billed again.

For Postfix they are as old as they are: one that was held for longer than its
maximal_queue_lifetime (5 days) goes back to its sender if the first attempt
fails.`,
		Example: `  tollgate hold release 4v1kz8m2p0q3
  tollgate hold list --json | jq -r '.[].ref' | xargs tollgate hold release`,
		Args: atLeast(1, "which messages? Name their references or queue ids"),

		ValidArgsFunction: a.names(a.heldRefs),
		RunE: func(c *cobra.Command, args []string) error {
			q, named, err := a.named(c.Context(), args, all)
			if err != nil {
				return err
			}
			done, err := q.Release(c.Context(), idsOf(named)...)
			a.journalHeld(c.Context(), named, done, "released")
			for _, id := range done {
				if late := q.Hurry(c.Context(), id); late != nil {
					fmt.Fprintf(a.err, "tollgate: delivery waits for Postfix's next run of the queue: %v\n", late)
					break
				}
			}
			return a.printDone(named, done, "released", err)
		},
	}
	c.Flags().BoolVar(&all, "all", false, "of those that are named, also what others have put on hold")
	return c
}

func (a *app) holdDelete() *cobra.Command {
	var all, yes bool
	c := &cobra.Command{
		Use:   "delete REF|QUEUE-ID...",
		Short: "delete messages on hold",
		Long: `Delete removes messages that are on hold for ever. Nobody is told: neither their
senders nor their recipients. It shows what it would delete and asks, unless
there is --yes.

What their recipients were charged is taken back first: if that cannot be made
durable nothing is deleted. Where no daemon runs it is done here, with the lock
of the state_dir.`,
		Example: `  tollgate hold delete 4v1kz8m2p0q3
  tollgate hold delete --yes 4v1kz8m2p0q3 4v1kz8m31c7a`,
		Args: atLeast(1, "which messages? Name their references or queue ids"),

		ValidArgsFunction: a.names(a.heldRefs),
		RunE: func(c *cobra.Command, args []string) error {
			q, named, err := a.named(c.Context(), args, all)
			if err != nil {
				return err
			}
			ids := idsOf(named)
			if len(ids) > 0 && !yes && !a.confirmed(named) {
				fmt.Fprintln(a.err, "nothing was deleted")
				return silent(exitNegative)
			}
			if len(ids) > 0 {
				if err := a.voidHeld(c.Context(), named); err != nil {
					return err
				}
			}
			done, err := q.Delete(c.Context(), ids...)
			a.journalHeld(c.Context(), named, done, "deleted")
			return a.printDone(named, done, "deleted", err)
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&all, "all", false, "of those that are named, also what others have put on hold")
	return c
}

func exactly(n int, question string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != n {
			return usagef("%s", question)
		}
		return nil
	}
}

func atLeast(n int, question string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) < n {
			return usagef("%s", question)
		}
		return nil
	}
}

// gone turns "not on hold", which is an answer, into its exit code.
func gone(err error) error {
	if errors.Is(err, holdqueue.ErrNotHeld) {
		return &failure{exitNegative, err}
	}
	return away(err)
}

// writeTo writes to a new file that only its owner may read, as it is
// somebody's mail; or to standard output where no file is named. A file that
// could not be written to its end is removed.
func (a *app) writeTo(file string, write func(io.Writer) error) error {
	if file == "" {
		return write(a.out)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return usagef("%s is there already", file)
	}
	if err != nil {
		return away(err)
	}
	err = write(f)
	if closed := f.Close(); err == nil {
		err = away(closed)
	}
	if err != nil {
		_ = os.Remove(file) // the first error says more
	}
	return err
}
