package main

import (
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/daemon"
)

// places tells where the policy's daemon and journals are. The rest of the
// policy may be wrong just now: what is not even TOML is told once.
func (a *app) places() (config.Places, error) {
	places, problems := config.LoadPlaces(a.policy)
	if len(problems) > 0 && !a.toldPlaces {
		printProblems(a.err, daemon.ProblemRows(problems))
		a.toldPlaces = true
	}
	if problems.Err() != nil {
		return places, silent(exitPolicy)
	}
	return places, nil
}

// wholePlaces is places for who writes elsewhere what they say: nothing of it may be
// a default that stands in for what cannot be read.
func (a *app) wholePlaces() (config.Places, error) {
	places, problems := config.LoadPlaces(a.policy)
	if len(problems) > 0 {
		printProblems(a.err, daemon.ProblemRows(problems))
		return places, silent(exitPolicy)
	}
	return places, nil
}
