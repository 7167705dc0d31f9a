package test

import (
	"encoding/json"
	"fmt"
)

// waitingNothing looks at the spool in what tollgate status --json prints.
func waitingNothing(text string) error {
	var status struct {
		Spool struct {
			Waiting *int64 `json:"waiting"`
		} `json:"spool"`
	}
	if err := json.Unmarshal([]byte(text), &status); err != nil {
		return fmt.Errorf("%w in %q", err, text)
	}
	if status.Spool.Waiting == nil {
		return fmt.Errorf("no waiting in %q", text)
	}
	if *status.Spool.Waiting != 0 {
		return fmt.Errorf("%d records wait in the spool", *status.Spool.Waiting)
	}
	return nil
}
