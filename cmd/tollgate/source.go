package main

import (
	"time"

	"github.com/tollgate-mail/tollgate/internal/assemble"
)

// clients tells how much is known of the clients of a source; nil: the policy
// follows none.
func (p *printer) clients(k *assemble.KeptSource) {
	switch {
	case k == nil:
	case k.Error != "":
		p.line("clients of %s are not known here (%s): who is not the policy's is deferred", k.Source, k.Error)
	default:
		p.line("clients of %s: %d, as the gateway read them at %s", k.Source, k.Clients, k.Read.Local().Format(time.DateTime))
		for _, problem := range k.Problems {
			p.line("  %s", problem)
		}
	}
}

// printKept tells which clients of a source were looked at; nil: the policy follows
// none.
func printKept(p *printer, k *assemble.KeptSource) {
	if k != nil && k.Error != "" {
		p.line("clients of %s were not looked at: %s", k.Source, k.Error)
		return
	}
	p.clients(k)
}
