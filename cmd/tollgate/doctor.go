package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/doctor"
	"github.com/tollgate-mail/tollgate/internal/survey"
)

func (a *app) doctor() *cobra.Command {
	var noDNS bool
	var instances []string
	c := &cobra.Command{
		Use:   "doctor",
		Short: "what is wrong with everything around",
		Long: `Doctor looks at what stands around tollgate: Postfix (milters, services, who may
relay, limits, time-outs), clamd and its signatures, rspamd, Redis, DNS (own
names, MX, SPF, lists), certificates, clock, disks, permissions, versions. Each
finding says why it matters and what repairs it. It changes nothing. Run it as
root: others cannot read everything.

Exit code 0: nothing was found, and nothing is printed; 1: something was found.`,
		Example: `  tollgate doctor
  tollgate doctor --no-dns
  tollgate doctor --json | jq -r '.[] | select(.severity == "fault") | .repair'`,
		Args: alone,
		RunE: func(c *cobra.Command, _ []string) error {
			places, err := a.lookingPlaces()
			if err != nil {
				return err
			}
			s := survey.Source{File: a.policy, Places: places, Version: thisBuild().Version, DNS: !noDNS, Instance: instances, Now: time.Now}
			cfg, problems := config.Load(a.policy)
			s.Config = cfg
			for _, p := range problems {
				if !p.Warning {
					s.Errors++
				}
			}
			var status daemon.Status
			switch err := a.ask(c.Context(), places.StateDir, daemon.CmdStatus, nil, &status); {
			case err == nil:
				s.Status = &status
			case !errors.Is(err, control.ErrNoDaemon):
				return err // it runs, and who asks may not ask it
			}
			if os.Geteuid() != 0 {
				fmt.Fprintln(a.err, "tollgate: note: not root: what cannot be read is not looked at")
			}
			findings := doctor.Examine(survey.Gather(c.Context(), s))
			if a.json {
				if findings == nil {
					findings = []doctor.Finding{}
				}
				err = printJSON(a.out, findings)
			} else {
				err = printFindings(a.out, findings)
			}
			if err == nil && len(findings) > 0 {
				err = silent(exitNegative)
			}
			return err
		},
	}
	c.Flags().BoolVar(&noDNS, "no-dns", false, "ask no DNS server")
	c.Flags().StringArrayVar(&instances, "config", nil, "the config `FOLDER` of a Postfix instance, instead of all; may be repeated")
	return c
}

// printFindings is findings for eyes.
func printFindings(out io.Writer, findings []doctor.Finding) error {
	for _, f := range findings {
		_, err := fmt.Fprintf(out, "%s: %s (%s)\n    why:    %s\n    repair: %s\n", f.Severity, visible(f.What), f.Name, visible(f.Why), visible(f.Repair))
		if err != nil {
			return away(err)
		}
	}
	return nil
}
