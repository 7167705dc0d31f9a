package config

import (
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/module/attachment"
	"github.com/tollgate-mail/tollgate/internal/module/http"
	"github.com/tollgate-mail/tollgate/internal/module/rspamd"
	"github.com/tollgate-mail/tollgate/internal/module/spamassassin"
)

// moduleTypes are all kinds of extension modules.
func moduleTypes() []moduleType {
	return []moduleType{
		{
			name: "rspamd", keys: []string{"url", "headers", "password_file", "ca_file"}, onError: "ignore", maxSize: 10 << 20,
			make: func(e *extension) (module.Inspector, error) {
				changes := rspamd.IgnoreHeader
				if e.headers {
					changes = rspamd.TakeHeader
				}
				return rspamd.New(rspamd.Config{URL: e.url, CAFile: e.caFile, Password: e.password, Header: changes})
			},
		},
		{
			name: "spamassassin", keys: []string{"url", "user"}, onError: "ignore", maxSize: 10 << 20,
			make: func(e *extension) (module.Inspector, error) {
				return spamassassin.New(spamassassin.Config{Addr: e.url, User: e.user})
			},
		},
		{
			name: "http", keys: []string{"url", "ca_file"}, onError: "ignore", maxSize: 10 << 20,
			make: func(e *extension) (module.Inspector, error) {
				return http.New(http.Config{URL: e.url, CAFile: e.caFile})
			},
		},
		{
			// It asks nobody, so nothing but a fault of ours leaves it without a
			// result: not one that mail may pass by. Nor by its size: what it
			// costs is linear in that.
			name: "attachment", keys: []string{"archives"}, onError: "tempfail", maxSize: maxInspected,
			make: func(e *extension) (module.Inspector, error) {
				archives := attachment.ListArchives
				if !e.archives {
					archives = attachment.SkipArchives
				}
				return attachment.New(attachment.Config{Archives: archives, Dir: e.stateDir}), nil
			},
		},
	}
}
