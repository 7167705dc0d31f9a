package config

// DefaultPath is the policy file where none is named.
const DefaultPath = "/etc/tollgate/policy.toml"

const (
	defaultListen        = "unix:/var/spool/postfix/tollgate/milter.sock" // where a Postfix in a chroot finds it, too
	defaultStateDir      = "/var/lib/tollgate"
	defaultJournalDir    = "/var/log/tollgate"
	defaultPostfixConfig = "/etc/postfix"

	maxSocketPath = 107 // sun_path without its NUL
)
