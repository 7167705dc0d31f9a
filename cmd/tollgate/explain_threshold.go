package main

import "github.com/tollgate-mail/tollgate/internal/trial"

// passedText is a threshold that the weight is above, and what it does.
func passedText(t *trial.Passed) string {
	text := t.Threshold
	if t.Marks {
		text += ", marks"
	}
	if t.Action != "continue" {
		text += ", " + t.Action
	}
	if t.Shadow {
		text += " (shadow: without effect)"
	}
	return text
}
