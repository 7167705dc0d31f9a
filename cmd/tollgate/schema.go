package main

import (
	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/policyschema"
)

func (a *app) schema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "print the JSON schema of policies, for editors",
		Long: `Schema prints what a policy may have in it as JSON Schema: tables, keys, what
rules can test and do. Editors that know TOML complete and check by it; a policy
names it in a comment at its top, "#:schema policy.schema.json".`,
		Example: `  tollgate schema > /etc/tollgate/policy.schema.json`,
		Args:    alone,
		RunE: func(*cobra.Command, []string) error {
			text, err := policyschema.JSON()
			if err == nil {
				_, err = a.out.Write(text)
			}
			return away(err)
		},
	}
}
