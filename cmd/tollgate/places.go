package main

import (
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/daemon"
)

// places tells where the policy's daemon and journals are. The rest of the
// policy may be wrong just now.
func (a *app) places() (config.Places, error) {
	places, problems := config.LoadPlaces(a.policy)
	if problems.Err() != nil {
		printProblems(a.err, daemon.ProblemRows(problems))
		return places, silent(exitPolicy)
	}
	return places, nil
}
