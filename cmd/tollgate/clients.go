package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/internal/daemon"
)

func (a *app) clients() *cobra.Command {
	c := &cobra.Command{
		Use:   "clients",
		Short: "look at the clients' accounts, define clients, book payments",
		Long: `Clients shows who is billed and how their accounts stand, writes clients into
Redis where the policy has them there, and books payments and adjustments. Each
of these two has an id: the same id counts once, at whichever gateway and however
often it is asked for, and with another amount it is an error. A running daemon
answers; where none runs the command works on the files itself, as root or the
daemon's user.`,
		Example: `  tollgate clients list
  tollgate clients show sales
  tollgate clients pay sales 1000.00 --id invoice-17
  tollgate clients adjust sales -12.50 --reason "delivery of 23 November"
  tollgate clients adjust sales --reverses invoice-17`,
		Args: alone,
		RunE: func(c *cobra.Command, _ []string) error {
			return usagef("which command? %q lists them", c.CommandPath()+" --help")
		},
	}
	c.AddCommand(a.clientsList(), a.clientsShow(), a.clientsImport(), a.clientsDisable("enable", false), a.clientsDisable("disable", true),
		a.clientsSwitch(), a.clientsRebooked(), a.clientsEntry("pay", accounting.Payment), a.clientsEntry("adjust", accounting.Adjust))
	return c
}

func (a *app) clientRows(c *cobra.Command, id string) ([]daemon.ClientRow, error) {
	return a.clientRowsOf(c.Context(), id)
}

func (a *app) clientRowsOf(ctx context.Context, id string) ([]daemon.ClientRow, error) {
	places, err := a.lookingPlaces()
	if err != nil {
		return nil, err
	}
	var rows []daemon.ClientRow
	return rows, a.ask(ctx, places.StateDir, daemon.CmdClients, daemon.ClientsRequest{ID: id}, &rows)
}

func (a *app) clientsList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "list the clients",
		Long: `List prints a line for each client: its id, tariff, balance, the charged bytes of
the period and the day with their quotas, and what keeps it from receiving.
Clients that are defined no more and have a balance are listed, too, and marked.`,
		Example: `  tollgate clients list
  tollgate clients list --json | jq -r '.[] | select(.blocks != "") | .id'`,
		Args: alone,
		RunE: func(c *cobra.Command, _ []string) error {
			rows, err := a.clientRows(c, "")
			if err != nil {
				return err
			}
			if a.json {
				list := make([]clientJSON, len(rows))
				for i, r := range rows {
					list[i] = clientOf(r)
				}
				return printJSON(a.out, list)
			}
			if len(rows) > 0 {
				fmt.Fprintf(a.out, "%-16s %-12s %16s %-3s  %s\n", "CLIENT", "TARIFF", "BALANCE", "", "PERIOD, USED OF QUOTA, WHAT BLOCKS IT")
			}
			for _, r := range rows {
				_, err := fmt.Fprintf(a.out, "%-16s %-12s %16s %-3s  %s  %s %s\n", r.ID, or(r.Tariff), price.FormatMoney(r.Balance), r.Currency,
					r.Period, used(r.Used, r.Quota), stateOf(r))
				if err != nil {
					return away(err)
				}
			}
			return nil
		},
	}
}

// stateOf is what people should see of a client: what blocks it, or that it is none.
func stateOf(r daemon.ClientRow) string {
	switch {
	case r.Problem != "":
		return "cannot be read: " + visible(r.Problem)
	case r.Gone:
		return "(gone: defined no more, its account is left)"
	}
	return r.Blocks
}

// used shows bytes beside their quota.
func used(n, quota int64) string {
	if quota == 0 {
		return bytesize(n)
	}
	return bytesize(n) + " of " + bytesize(quota)
}

func (a *app) clientsShow() *cobra.Command {
	return &cobra.Command{
		Use:     "show ID",
		Short:   "show one client",
		Long:    `Show prints what is known of a client, and how its account stands.`,
		Example: `  tollgate clients show sales`,
		Args:    counted(1, 1),

		ValidArgsFunction: a.firstIs(a.clientIDs),
		RunE: func(c *cobra.Command, args []string) error {
			rows, err := a.clientRows(c, args[0])
			if err != nil {
				return err
			}
			if a.json {
				return printJSON(a.out, clientOf(rows[0]))
			}
			return away(printClient(a.out, rows[0]))
		},
	}
}

func printClient(w io.Writer, r daemon.ClientRow) error {
	tariff := or(r.Tariff)
	switch r.Next {
	case "":
	case daemon.NoTariff:
		tariff += ", from the next period on none"
	default:
		tariff += ", from the next period on " + r.Next
	}
	balance := price.FormatMoney(r.Balance) + " " + r.Currency
	if r.NextCurrency != "" {
		balance += fmt.Sprintf("; settle it before the next period, from which on the number is one of %s", r.NextCurrency)
	}
	for _, line := range [][2]string{
		{"id", r.ID}, {"name", r.Name}, {"addresses", strings.Join(r.Addresses, " ")},
		{"logins", strings.Join(r.Logins, " ")}, {"networks", strings.Join(r.Networks, " ")}, {"tariff", tariff}, {"mode", r.Mode},
		{"balance", balance}, {"credit limit", limitText(r)},
		{"period", r.Period + ": " + used(r.Used, r.Quota)}, {"day", r.Day + ": " + used(r.UsedDay, r.QuotaDay)}, {"blocks", or(stateOf(r))},
	} {
		if _, err := fmt.Fprintf(w, "%-14s%s\n", line[0], visible(line[1])); err != nil {
			return err
		}
	}
	return nil
}

// limitText is how far below nothing a balance may go.
func limitText(r daemon.ClientRow) string {
	switch {
	case r.Mode == accounting.Unlimited.String():
		return "none: the balance is not asked for"
	case r.Mode == accounting.Postpaid.String() && !r.HasCredit:
		return "none: mail is never refused for the balance"
	}
	return price.FormatMoney(r.CreditLimit) + ": refused at a balance of " + price.FormatMoney(-r.CreditLimit)
}

// clientsEntry is the command for a payment or an adjustment.
func (a *app) clientsEntry(name, kind string) *cobra.Command {
	q := daemon.EntryRequest{Kind: kind}
	c := &cobra.Command{
		Use:     "pay CLIENT AMOUNT",
		Short:   "book a payment",
		Long:    `Pay adds a payment, a sum such as 1000.00, to a client's balance, once for its id.`,
		Example: `  tollgate clients pay sales 1000.00 --id invoice-17 --note "transfer of 3 December"`,
		Args:    counted(2, 2),
	}
	c.ValidArgsFunction = a.firstIs(a.clientIDs)
	c.Annotations = map[string]string{takesAmount: "2"}
	if kind == accounting.Adjust {
		c.Use, c.Short = "adjust CLIENT AMOUNT --reason WHY | CLIENT --reverses ID", "correct a balance"
		c.Long = `Adjust changes a client's balance by a sum, up or down, once for its id, and
keeps the reason. With --reverses it takes a payment or an adjustment back,
whole, and needs neither a sum nor a reason.`
		c.Example = `  tollgate clients adjust sales -12.50 --reason "delivery of 23 November"
  tollgate clients adjust sales --reverses invoice-17`
		c.Args = counted(1, 2)
		c.Flags().StringVar(&q.Reverses, "reverses", "", "take the entry with this `ID` back")
	}
	f := c.Flags()
	f.StringVar(&q.ID, "id", "", "the caller's `ID`, by which it counts once; needed with --json")
	f.StringVar(&q.Note, "note", "", "`WHY`, for people")
	if kind == accounting.Adjust {
		f.StringVar(&q.Note, "reason", "", "`WHY`, for people: who adjusts says why")
		f.Lookup("note").Usage = "the same as --reason"
		f.Lookup("note").Hidden = true
		c.MarkFlagsMutuallyExclusive("note", "reason")
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		q.Client = args[0]
		switch {
		case c.Flags().Changed("id") && strings.TrimSpace(q.ID) == "":
			// One would be made, and a second time another: it would count twice.
			return usagef("--id is empty: it is what makes an entry count once")
		case c.Flags().Changed("reverses") && strings.TrimSpace(q.Reverses) == "":
			return usagef("--reverses is empty: which entry?")
		case a.json && q.ID == "":
			return usagef("--json is for programs, which may ask twice: name an --id")
		case len(args) == 2 == (q.Reverses != ""):
			return usagef("either a sum or --reverses is needed")
		case kind == accounting.Adjust && q.Reverses == "" && strings.TrimSpace(q.Note) == "":
			return usagef("an adjustment needs a --reason: it stands in the statement")
		}
		if len(args) == 2 {
			var err error
			if q.Amount, err = price.ParseMoney(args[1]); err != nil {
				return usagef("%w", err)
			}
			if kind == accounting.Payment && q.Amount <= 0 {
				return usagef("a payment is more than nothing: %q adjusts", "tollgate clients adjust")
			}
		}
		places, err := a.places()
		if err != nil {
			return err
		}
		var answer daemon.EntryAnswer
		if err := a.ask(c.Context(), places.StateDir, daemon.CmdEntry, q, &answer); err != nil {
			return err
		}
		if a.json {
			return printJSON(a.out, entryAnswerOf(answer))
		}
		what := "booked"
		if !answer.Booked {
			what = "was booked before"
		}
		sum := func(n int64, currency string) string { return strings.TrimSpace(price.FormatMoney(n) + " " + currency) }
		_, err = fmt.Fprintf(a.out, "%s of %s %s; balance %s\n", visible(answer.ID), sum(answer.Amount, answer.Currency), what,
			sum(answer.Balance, cmp.Or(answer.BalanceCurrency, answer.Currency)))
		return away(err)
	}
	return c
}
