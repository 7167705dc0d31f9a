package config

// DefaultPath is the policy file where none is named.
const DefaultPath = "/usr/local/etc/tollgate/policy.toml"

const (
	defaultListen        = "unix:/var/run/tollgate/milter.sock"
	defaultStateDir      = "/var/db/tollgate"
	defaultJournalDir    = "/var/log/tollgate"
	defaultPostfixConfig = "/usr/local/etc/postfix"

	maxSocketPath = 103 // sun_path without its NUL
)
