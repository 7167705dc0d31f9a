package config

// DefaultPath is the policy file where none is named.
const DefaultPath = "/etc/tollgate/policy.toml"

const (
	defaultListen        = "unix:/run/tollgate/milter.sock"
	defaultStateDir      = "/var/lib/tollgate"
	defaultJournalDir    = "/var/log/tollgate"
	defaultPostfixConfig = "/etc/postfix"

	maxSocketPath = 107 // sun_path without its NUL
)
