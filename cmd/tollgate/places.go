package main

import (
	"errors"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/rules"
)

// places tells where the policy's daemon and journals are. The rest of the
// policy may be wrong just now.
func (a *app) places() (config.Places, error) {
	places, err := config.LoadPlaces(a.policy)
	var problems rules.Problems
	if errors.As(err, &problems) {
		printProblems(a.err, problemRows(problems))
		return places, silent(exitPolicy)
	}
	return places, away(err)
}
