package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/durable"
	"github.com/tollgate-mail/tollgate/internal/filenames"
	"github.com/tollgate-mail/tollgate/internal/history"
	"github.com/tollgate-mail/tollgate/internal/policyfile/source"
)

func (a *app) policyRollback() *cobra.Command {
	var message string
	c := &cobra.Command{
		Use:   "rollback POLICY",
		Short: "put a policy of before in force again",
		Long: `Rollback writes the files of a policy that was in force before: all of them, or
none. Those that are there now are kept beside them, as NAME.before-TIME; a file
that an include would find and that did not belong to that policy is moved there,
too. Then it reloads the running daemon; when that refuses the policy, the files
are put back. It is for who may write the files. "previous" given again goes back
one further; what was taken back has its number in "tollgate policy log".

It is refused where the files are made by something else, such as the pages of
OPNsense: what they make would be lost with the next change there. A list of more
than 16 MiB is not in the history: it must still be as it was then. Exit code 1:
refused; 75: no daemon runs, and the files come in force with its next start.`,
		Example: `  tollgate policy rollback previous --message "partners were refused"`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New(`which policy? "tollgate policy rollback previous" takes back the last change; "tollgate policy log" lists all`)
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			s, all, err := a.past()
			if err != nil {
				return err
			}
			e, err := named(all, args[0])
			if err != nil {
				return err
			}
			if message == "" {
				message = fmt.Sprintf("back to %d", e.Number)
			}
			files, err := a.restored(s, e)
			if err != nil {
				return &failure{exitNegative, err}
			}
			if a.edited() {
				fmt.Fprintf(a.err, "tollgate: %s was edited since it was loaded: that edit is in what is kept beside it\n", a.policy)
			}
			want := wantedPolicy{hash: e.Hash}
			if slices.ContainsFunc(e.Files, func(f history.File) bool { return f.Masked }) {
				if want.masked, err = s.Content(e.Canonical); err != nil {
					return away(err)
				}
			}
			return a.putInForce(c, files, want, daemon.ReloadRequest{How: history.Rollback, Message: message})
		},
	}
	c.Flags().StringVar(&message, "message", "", "why, for the history: a `TEXT`")
	return c
}

// generated are comments at the head of a file that a program writes anew: docs/policy.md
// lists the words.
var generated = regexp.MustCompile(`(?i)^\s*#.*(?:\b(?:do not|don't|never) (?:edit|modify|change|touch)\b|\bmanaged (?:by|through|with)\b|` +
	`\b(?:ansible|salt|puppet|chef|cfengine)[- ]managed\b|\b(?:auto|automatically|machine)?[- ]?generated(?:$|[.:]| (?:by|from|with|using|on|at|automatically|file)\b)|` +
	`\b(?:is|was|file) (?:auto-?)?generated\b|\bauto-?generated\b|\bwill be (?:overwritten|lost)\b)`)

// mayWrite tells why the policy is not to be written by hand.
func mayWrite(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 4<<10))
	if err != nil {
		return err
	}
	head := strings.SplitN(string(text), "\n", 4)
	if at := slices.IndexFunc(head[:min(len(head), 3)], generated.MatchString); at >= 0 {
		return fmt.Errorf("%s is made by another program (%q): change it there, or it would be written over again", path, strings.Trim(head[at], "# "))
	}
	return nil
}

// restored are the files of a policy as they were.
func (a *app) restored(s *history.Store, e history.Entry) ([]durable.File, error) {
	var files []durable.File
	var main durable.File
	then, err := a.moved(s, e)
	if err != nil {
		return nil, err
	}
	for _, f := range then {
		if err := mayWrite(f.Path); err != nil {
			return nil, err
		}
		text, err := s.Content(f.Kept)
		if errors.Is(err, history.ErrNotKept) {
			if same, unchanged := history.Unchanged(f); unchanged == nil && same {
				continue
			}
			return nil, fmt.Errorf("%s (%s) is too large for the history and is not as it was then (SHA-256 %s): put it back yourself, then try again", f.Path, bytesize(f.Size), f.Hash)
		}
		if err != nil {
			return nil, err
		}
		if f.Masked {
			present, err := os.ReadFile(f.Path)
			if err != nil {
				return nil, err
			}
			whole := false
			if text, whole = history.Unmask(text, present); !whole {
				return nil, fmt.Errorf("%s has a password in a URL, which the history does not keep, and the file of now has none for it", f.Path)
			}
		}
		one := durable.File{Path: f.Path, Content: text}
		if f.Role == source.Policy {
			main = one
			continue
		}
		files = append(files, one)
	}
	// What the includes of that policy find today and did not find then.
	belong := make([]string, len(then))
	for i, f := range then {
		belong[i] = f.Path
	}
	gone, err := surplus(main, belong)
	if err != nil {
		return nil, err
	}
	// The main file comes last: until then the old one stands.
	return append(append(files, gone...), main), nil
}

// surplus are the files that the includes of a main file would find and that do not
// belong to the policy.
func surplus(main durable.File, belong []string) ([]durable.File, error) {
	var gone []durable.File
	patterns, err := config.Includes(main.Path, string(main.Content))
	if err != nil {
		return nil, err
	}
	for _, pattern := range patterns {
		found, err := filenames.Matching(pattern)
		if err != nil {
			return nil, err
		}
		for _, path := range found {
			if !slices.Contains(belong, path) {
				gone = append(gone, durable.File{Path: path, Gone: true})
			}
		}
	}
	return gone, nil
}

// besideFound tells where an include would find what is kept beside the files.
func besideFound(main durable.File, files []durable.File, suffix string) error {
	patterns, err := config.Includes(main.Path, string(main.Content))
	if err != nil {
		return err
	}
	for _, pattern := range patterns {
		for _, f := range files {
			if found, err := filepath.Match(pattern, f.Path+suffix); err != nil || found {
				return errors.Join(err, fmt.Errorf("include %q would find what is kept beside the files, such as %s: let it end in .toml", pattern, f.Path+suffix))
			}
		}
	}
	return nil
}

// edited tells whether the policy's main file says other things than when it was
// loaded last, by the history; without one nothing is known of it.
func (a *app) edited() bool {
	_, all, err := a.past()
	if err != nil {
		return false
	}
	last, err := history.Find(all, "")
	if err != nil {
		return false
	}
	for _, f := range last.Files {
		if f.Role != source.Policy || f.Path != absolute(a.policy) {
			continue
		}
		if same, err := history.Unchanged(f); err != nil || same {
			return false
		}
		cfg, problems := config.Load(a.policy)
		return problems.Err() != nil || cfg.Gate.Version != last.Version
	}
	return false
}

// wantedPolicy is the policy that files are to be when they stand in their places.
type wantedPolicy struct {
	hash   string
	masked []byte // its canonical form without the passwords of URLs; nil: it has none
}

// is tells whether a policy is the wanted one; others is true where it is but for
// passwords in URLs, which are those of now.
func (w wantedPolicy) is(cfg *config.Config) (same, others bool) {
	if cfg.Hash == w.hash {
		return true, false
	}
	same = w.masked != nil && bytes.Equal(history.Mask(cfg.Canonical), w.masked)
	return same, same
}

// putInForce replaces the files of the policy and reloads. Whatever fails before
// the daemon has the policy leaves them as they were.
func (a *app) putInForce(c *cobra.Command, files []durable.File, want wantedPolicy, r daemon.ReloadRequest) error {
	suffix := ".before-" + time.Now().UTC().Format("20060102T150405Z")
	swapped, err := durable.Swap(files, suffix, a.policy)
	if err != nil {
		return &failure{exitNegative, fmt.Errorf("nothing is changed: %w", err)}
	}
	back := func(why error) error {
		if err := swapped.Undo(); err != nil {
			return fmt.Errorf("%w; and the files before cannot be put back: %w (they stand beside, as %s)", why, err, strings.Join(swapped.Aside(), ", "))
		}
		return fmt.Errorf("the files are as they were: %w", why)
	}
	cfg, problems := config.Load(a.policy)
	if problems.Err() != nil {
		printProblems(a.err, daemon.ProblemRows(problems))
		return &failure{exitPolicy, back(errors.New("this policy has errors here and now"))}
	}
	switch same, others := want.is(cfg); {
	case !same:
		return &failure{exitNegative, back(fmt.Errorf("what these files say is not that policy any more: version %s, wanted %s", cfg.Gate.Version, want.hash[:len(cfg.Gate.Version)]))}
	case others:
		fmt.Fprintf(a.err, "tollgate: passwords in URLs are those of now: the history does not keep any, and then there was another\n")
	}
	r.Version = cfg.Gate.Version
	var done daemon.Reloaded
	err = a.ask(c.Context(), cfg.StateDir, daemon.CmdReload, r, &done)
	switch {
	case errors.Is(err, control.ErrNoDaemon):
		a.tellAside(swapped)
		return away(fmt.Errorf("the files are those of version %s now, and come in force with the next start: %w", cfg.Gate.Version, err))
	case err != nil:
		f := &failure{exitAway, err}
		errors.As(err, &f)
		return &failure{f.code, back(f.err)}
	}
	a.tellAside(swapped)
	if a.json {
		return printJSON(a.out, done)
	}
	printProblems(a.err, done.Warnings)
	_, err = fmt.Fprintf(a.out, "%s: version %s is in force, entry %d (%s)\n", done.Policy, done.Version, done.Number, done.Counts)
	return away(err)
}

func (a *app) tellAside(s *durable.Swapped) {
	for _, name := range s.Aside() {
		fmt.Fprintf(a.err, "tollgate: what was there is kept as %s\n", name)
	}
}
