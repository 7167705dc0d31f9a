package main

import (
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/daemon"
)

// places tells where the policy's daemon and journals are. The rest of the
// policy may be wrong just now, but it is TOML: whoever changes something must not
// change it elsewhere, because a default stood in for what cannot be read.
func (a *app) places() (config.Places, error) {
	places, problems := config.LoadPlaces(a.policy)
	if problems.Err() != nil {
		printProblems(a.err, daemon.ProblemRows(problems))
		return places, silent(exitPolicy)
	}
	return places, nil
}

// lookingPlaces is places for who only looks, or takes the policy back: what is not
// even TOML is told once.
func (a *app) lookingPlaces() (config.Places, error) {
	places, problems := config.FindPlaces(a.policy)
	if len(problems) > 0 && !a.toldPlaces {
		printProblems(a.err, daemon.ProblemRows(problems))
		a.toldPlaces = true
	}
	if problems.Err() != nil {
		return places, silent(exitPolicy)
	}
	return places, nil
}
