package main

import (
	"fmt"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/took"
)

// tookText tells where the time of a message went, "" where that is not known: why
// mail was slow is asked more often than anything else.
func tookText(e *journal.Entry) string {
	if e.Took == nil {
		return ""
	}
	list := func(stages bool) string {
		var all []string
		for p := range took.Parts {
			if ms := e.Took.Of(p).Milliseconds(); p.Stage() == stages && ms > 0 {
				all = append(all, p.String()+" "+duration(ms))
			}
		}
		return strings.Join(all, ", ")
	}
	here := min(e.Took.Here(), e.Took.Total) // what came before MAIL is no part of the total
	text := fmt.Sprintf("%s from MAIL to the verdict: the client and Postfix %s", duration(e.Took.Total.Milliseconds()), duration((e.Took.Total - here).Milliseconds()))
	if s := list(true); s != "" {
		text += ", here " + s
	}
	if s := list(false); s != "" {
		text += "; of that waited for " + s
	}
	return text
}

// duration is a number of milliseconds for people.
func duration(ms int64) string {
	if ms < 1000 {
		return fmt.Sprintf("%d ms", ms)
	}
	return fmt.Sprintf("%d.%03d s", ms/1000, ms%1000)
}
