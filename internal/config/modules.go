package config

import (
	"github.com/tollgate-mail/tollgate/internal/module/attachment"
	"github.com/tollgate-mail/tollgate/internal/module/http"
	"github.com/tollgate-mail/tollgate/internal/module/rspamd"
	"github.com/tollgate-mail/tollgate/internal/module/spamassassin"
	"github.com/tollgate-mail/tollgate/internal/module/text"
)

// moduleTypes are all kinds of extension modules.
func moduleTypes() []moduleType {
	return []moduleType{
		{
			name: "rspamd", keys: []string{"url", "headers", "password_file", "ca_file"}, onError: "ignore", maxSize: 10 << 20,
			settings: func(e *extension) (any, error) {
				changes := rspamd.IgnoreHeader
				if e.headers {
					changes = rspamd.TakeHeader
				}
				s := rspamd.Config{URL: e.url, CAs: e.cas, Password: e.password, Header: changes}
				return s, checked(rspamd.New(s))
			},
		},
		{
			name: "spamassassin", keys: []string{"url", "user"}, onError: "ignore", maxSize: 10 << 20,
			settings: func(e *extension) (any, error) {
				s := spamassassin.Config{Addr: e.url, User: e.user}
				return s, checked(spamassassin.New(s))
			},
		},
		{
			name: "http", keys: []string{"url", "ca_file"}, onError: "ignore", maxSize: 10 << 20,
			settings: func(e *extension) (any, error) {
				s := http.Config{URL: e.url, CAs: e.cas}
				return s, checked(http.New(s))
			},
		},
		{
			// It asks nobody, so nothing but a fault of ours leaves it without a
			// result: not one that mail may pass by. Nor by its size: what it
			// costs is linear in that.
			name: "attachment", keys: []string{"archives"}, onError: "tempfail", maxSize: maxInspected,
			settings: func(e *extension) (any, error) {
				archives := attachment.ListArchives
				if !e.archives {
					archives = attachment.SkipArchives
				}
				return attachment.Config{Archives: archives, Dir: e.stateDir}, nil
			},
		},
		{
			// As above.
			name: "text", onError: "tempfail", maxSize: maxInspected,
			settings: func(*extension) (any, error) { return text.Settings{}, nil },
		},
	}
}
