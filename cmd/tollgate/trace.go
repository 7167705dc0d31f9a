package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/daemon"
)

func (a *app) trace() *cobra.Command {
	var r daemon.TraceRequest
	c := &cobra.Command{
		Use:   "trace on|off",
		Short: "turn the trace journal on or off while running",
		Long: `Trace turns on what the trace journal gets: the SMTP protocol, the rules as they
are tried, or, where neither is named, both; of all clients or of some. "off"
ends what is named, or all. It lasts until the next start, or until the policy's
own setting changes. Trace only while looking for something: each message makes
many lines.`,
		Example: `  tollgate trace on --rules --client-ip 192.0.2.7
  tollgate journal trace --since 5m
  tollgate trace off`,
		ValidArgs: []string{"on", "off"},
		Args:      cobra.MatchAll(counted(1, 1), cobra.OnlyValidArgs),
		RunE: func(c *cobra.Command, args []string) error {
			if _, err := parseClient(r.ClientIP); err != nil {
				return err
			}
			r.On = args[0] == "on"
			places, err := a.places()
			if err != nil {
				return err
			}
			var now daemon.TraceState
			if err := a.ask(c.Context(), places.StateDir, daemon.CmdTrace, r, &now); err != nil {
				return err
			}
			if a.json {
				return printJSON(a.out, now)
			}
			_, err = fmt.Fprintln(a.out, now)
			return away(err)
		},
	}
	f := c.Flags()
	f.BoolVar(&r.Protocol, "protocol", false, "the SMTP dialogue")
	f.BoolVar(&r.Rules, "rules", false, "each rule tried")
	f.StringVar(&r.ClientIP, "client-ip", "", "only of this `ADDRESS` or network")
	return c
}
