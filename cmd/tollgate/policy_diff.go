package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/history"
	"github.com/tollgate-mail/tollgate/internal/policydiff"
	"github.com/tollgate-mail/tollgate/internal/policyfile/source"
)

func (a *app) policyDiff() *cobra.Command {
	since := "1d"
	var effects, redact bool
	c := &cobra.Command{
		Use:   "diff [POLICY|FILE [POLICY|FILE]]",
		Short: "what one policy says otherwise than another",
		Long: `Diff compares two policies by what they mean: rules that came, went, moved or
changed, patterns and list entries that were added or taken out, thresholds,
clients. A comment or another order of keys is no difference. Without arguments
the last policy but one is compared with the last. With a policy, what the file
says now is told against that policy; with a FILE, what that file (a candidate)
says against the policy in force. A word with "/" in it or ".toml" at its end is
a file. Exit code 1: they say the same.

Then it tells the effects: the mail that the journals have of the last day, or of
--since, is judged by both, and each message is named of which the verdict
changes. What no journal keeps (the body, most of the header, what DNS answered)
is known of the rules that both share, by what they found when the message came;
where a rule that is new or changed asks for it, the message is counted as not
known. With --effects this alone is told, also as JSON. Who asked is written to
the journal of looks.`,
		Example: `  tollgate policy diff
  tollgate policy diff ./candidate.toml
  tollgate policy diff 12 14
  tollgate policy diff old.toml policy.toml
  tollgate policy diff 12 ./candidate.toml
  tollgate policy diff --effects --since 7d --json | jq '.effects[].ref'`,
		Args: counted(0, 2),
		RunE: func(c *cobra.Command, args []string) error {
			// Two files are compared where no gateway is, too; what mail they are tried on
			// is a gateway's.
			_, none := os.Stat(a.policy)
			alone := none != nil && !effects && len(args) == 2 && isFile(args[0]) && isFile(args[1])
			var s *history.Store
			var all []history.Entry
			if !alone {
				var err error
				if s, all, err = a.past(); err != nil {
					return err
				}
			}
			before, after, err := a.sides(s, all, args)
			if err != nil {
				return err
			}
			changes, err := policydiff.Diff(before.Policy, after.Policy)
			if err != nil {
				return away(err)
			}
			told := func() error {
				return a.effects(c.Context(), comparison{store: s, all: all, before: before, after: after, since: since, redact: redact})
			}
			if effects {
				return told()
			}
			if a.json {
				if changes == nil {
					changes = []policydiff.Change{}
				}
				err = printJSON(a.out, changes)
			} else {
				err = printChanges(a.out, changes)
			}
			switch {
			case err != nil:
				return err
			case len(changes) == 0:
				return silent(exitNegative)
			case a.json, alone:
				return nil
			}
			return told()
		},
	}
	f := c.Flags()
	f.BoolVar(&effects, "effects", false, "tell the effects alone")
	f.StringVar(&since, "since", since, "the effects on mail from this `TIME` on")
	f.BoolVar(&redact, "redact", false, "show "+redactHelp)
	return c
}

// compared is one of the policies that a diff compares.
type compared struct {
	policydiff.Policy
	load func() (*config.Config, error)
}

// sides are the two policies that a diff compares.
func (a *app) sides(s *history.Store, all []history.Entry, args []string) (before, after compared, err error) {
	first, second := "previous", "" // the last but one, and the last
	if len(args) > 0 {
		first = args[0]
	}
	if len(args) == 1 && isFile(first) {
		if before, err = a.sideInForce(s, all); err == nil {
			after, err = a.sideOf(first)
		}
		return before, after, err
	}
	if before, err = a.sideNamed(s, all, first); err != nil {
		return before, after, err
	}
	if len(args) == 1 {
		after, err = a.sideOf(a.policy)
		return before, after, err
	}
	if len(args) == 2 {
		second = args[1]
	}
	after, err = a.sideNamed(s, all, second)
	return before, after, err
}

// isFile tells whether a word names a file, and not a policy of the history.
func isFile(word string) bool {
	return strings.ContainsRune(word, '/') || strings.HasSuffix(word, ".toml")
}

func (a *app) sideNamed(s *history.Store, all []history.Entry, word string) (compared, error) {
	if isFile(word) {
		return a.sideOf(word)
	}
	e, err := named(all, word)
	if err != nil {
		return compared{}, err
	}
	p, err := side(s, e)
	return p, away(err)
}

// sideInForce is the policy that mail is judged by, but for the part that a canary
// has; the file as it is now where none has been in force.
func (a *app) sideInForce(s *history.Store, all []history.Entry) (compared, error) {
	for _, e := range slices.Backward(all) {
		if e.How != history.Canary {
			p, err := side(s, e)
			return p, away(err)
		}
	}
	return a.sideOf(a.policy)
}

// side is a policy of the history.
func side(s *history.Store, e history.Entry) (compared, error) {
	p := compared{policydiff.Policy{Lists: map[string][]byte{}, Hashes: map[string]string{}}, func() (*config.Config, error) { return s.Load(e) }}
	var err error
	if p.Canonical, err = s.Content(e.Canonical); err != nil {
		return p, err
	}
	for _, f := range e.Files {
		switch f.Role {
		case source.Clients:
			text, err := s.Content(f.Kept)
			if err != nil {
				return p, fmt.Errorf("%s: %w", f.Path, err)
			}
			p.Clients = append(p.Clients, text)
		case source.List:
			p.Hashes[f.Name] = f.Hash
			if text, err := s.Content(f.Kept); err == nil {
				p.Lists[f.Name] = text
			}
		}
	}
	return p, nil
}

// sideOf is a policy file as it is now.
func (a *app) sideOf(path string) (compared, error) {
	cfg, problems := config.Load(path)
	if problems.Err() != nil {
		printProblems(a.err, daemon.ProblemRows(problems))
		return compared{}, silent(exitPolicy)
	}
	p := compared{
		policydiff.Policy{Canonical: history.Mask(cfg.Canonical), Lists: map[string][]byte{}, Hashes: map[string]string{}},
		func() (*config.Config, error) { return cfg, nil },
	}
	for _, f := range cfg.Sources {
		switch {
		case f.Role == source.Clients:
			p.Clients = append(p.Clients, []byte(f.Text))
		case f.Role == source.List:
			p.Hashes[f.Name] = f.Hash
			if f.Kept {
				p.Lists[f.Name] = []byte(f.Text)
			}
		}
	}
	return p, nil
}
