package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// doctor finds nothing that stops mail on a stock system, and what is planted.
func (h *host) doctor(ctx context.Context) error {
	if help, err := h.run(ctx, "tollgate", "--help"); err != nil || !strings.Contains(help, "doctor") {
		return err // an old version
	}
	look := func() (string, error) {
		out, err := h.run(ctx, "tollgate", "doctor", "--no-dns", "--json")
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.ExitCode() == 1 {
			err = nil
		}
		var findings []struct{ Name, Severity string }
		if err == nil {
			err = json.Unmarshal([]byte(out), &findings)
		}
		var names []string
		for _, f := range findings {
			names = append(names, f.Name+" ("+f.Severity+")")
		}
		return strings.Join(names, ", "), err
	}
	before, err := look()
	if err != nil {
		return err
	}
	h.say("doctor: %s", before)
	if strings.Contains(before, "(fault)") {
		return fmt.Errorf("doctor finds faults on a stock system: %s", before)
	}
	plant := []string{"-e", "milter_protocol=2", "soft_bounce=yes"}
	if _, err := h.run(ctx, "postconf", plant...); err != nil {
		return err
	}
	after, err := look()
	for _, name := range []string{"postfix-protocol", "postfix-soft-bounce"} {
		if err == nil && !strings.Contains(after, name) {
			err = fmt.Errorf("doctor does not find %s: %s", name, after)
		}
	}
	_, undo := h.run(ctx, "postconf", "-X", "milter_protocol", "soft_bounce")
	return errors.Join(err, undo)
}
