package main

import (
	"path/filepath"
	"slices"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/history"
	"github.com/tollgate-mail/tollgate/internal/policyfile/source"
)

// moved has the files of a policy where they belong now: one that was in force from
// another place is put back where the policy stands today, and with it what it names by
// a path from its own folder.
func (a *app) moved(s *history.Store, e history.Entry) ([]history.File, error) {
	files := slices.Clone(e.Files)
	main := slices.IndexFunc(files, func(f history.File) bool { return f.Role == source.Policy })
	if main < 0 || files[main].Path == absolute(a.policy) {
		return files, nil
	}
	from, to := filepath.Dir(files[main].Path), filepath.Dir(absolute(a.policy))
	var relative []string // paths, or patterns of such, that follow the policy
	for _, f := range files {
		if f.Role != source.Policy && f.Role != source.Include || f.Kept == "" {
			continue
		}
		text, err := s.Content(f.Kept)
		if err != nil {
			return nil, err
		}
		names, err := config.Relative(f.Path, string(text))
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			relative = append(relative, filepath.Join(filepath.Dir(f.Path), name))
		}
	}
	for i := range files {
		path := files[i].Path
		follows := slices.ContainsFunc(relative, func(r string) bool {
			match, err := filepath.Match(r, path)
			return r == path || err == nil && match
		})
		switch rest, err := filepath.Rel(from, path); {
		case i == main:
			files[i].Path = absolute(a.policy)
		case follows && err == nil:
			files[i].Path = filepath.Join(to, rest)
		}
	}
	return files, nil
}
