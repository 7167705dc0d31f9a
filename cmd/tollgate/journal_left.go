package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/journal"
)

// byCause makes of a --rule that is no rule, "(mta)" as --count-by rule has it, what is
// asked of entries.
func (l *looking) byCause() {
	cause := strings.TrimSpace(l.Rule)
	if !strings.HasPrefix(cause, "(") || !strings.HasSuffix(cause, ")") {
		return
	}
	l.Rule = ""
	if len(l.Kinds) == 0 {
		l.Kinds = ofMail()
	}
	l.Also = func(e *journal.Entry) bool {
		return slices.ContainsFunc(rulesOf(e), func(c counts) bool { return strings.EqualFold(c.text, cause) })
	}
}

// beforeSubject tells how many refusals a search by Subject leaves out, which came
// before the message had one and match otherwise.
func (a *app) beforeSubject(ctx context.Context, dir string, l looking) error {
	refused := l.Verdict == "" || slices.Contains([]string{"reject", "tempfail", "greylist"}, strings.ToLower(l.Verdict))
	if l.Subject == "" || l.follow || l.last > 0 || !refused || len(l.Kinds) > 0 && !slices.Contains(l.Kinds, journal.Blocks) && !slices.Contains(l.Kinds, journal.Messages) {
		return nil
	}
	refs := map[string]bool{}
	q := l.Query
	q.Subject, q.Kinds = "", []string{journal.Blocks}
	_, err := journal.SearchReadable(ctx, dir, q, func(e journal.Entry) error {
		if e.Subject != "" || afterwards(e.Verdict) || e.Stage == "complete" {
			return nil
		}
		refs[e.Ref] = true
		if len(refs) > mostStories {
			return errLimit
		}
		return nil
	})
	if err == nil && len(refs) > 0 {
		err = withSubject(ctx, dir, q, refs)
	}
	n := len(refs)
	switch {
	case err != nil && !errors.Is(err, errLimit):
		return away(err)
	case n > mostStories:
		fmt.Fprintf(a.err, "tollgate: besides, more than %s refused before the Subject was known: search without --subject for them\n", daemon.Plural(mostStories, "message"))
	case n > 0:
		fmt.Fprintf(a.err, "tollgate: besides, %s refused before the Subject was known: search without --subject for them\n", daemon.Plural(n, "message"))
	}
	return nil
}

// withSubject takes those messages out of refs that came to have a Subject: other
// recipients were accepted, and the search finds them by it.
func withSubject(ctx context.Context, dir string, q journal.Query, refs map[string]bool) error {
	q.Kinds, q.Also, q.Any = []string{journal.Messages}, nil, nil
	q.Recipient, q.Verdict, q.Stage, q.Rule = "", "", "", ""
	_, err := journal.SearchReadable(ctx, dir, q, func(e journal.Entry) error {
		if e.Subject != "" {
			delete(refs, e.Ref)
		}
		return nil
	})
	return err
}
