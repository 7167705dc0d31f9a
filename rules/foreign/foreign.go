// Package foreign knows what policies of Postfix, rspamd, SpamAssassin, amavis and
// others say, and what does that here: for errors and warnings that help whoever
// brings such a policy along. It decides nothing.
package foreign

import (
	"strings"
)

// plain is a word of a policy without what others write otherwise.
func plain(s string) string {
	return strings.NewReplacer("-", "_", " ", "_").Replace(strings.ToLower(strings.TrimSpace(s)))
}

// Action is what does here what others call so; "" for no such word.
func Action(word string) string {
	switch plain(word) {
	case "quarantine":
		return `here it is "hold"`
	case "defer", "defer_if_permit", "defer_if_reject", "soft_reject", "softfail", "tempfailure", "temporary", "retry":
		return `here it is "tempfail"`
	case "drop", "delete", "blackhole", "silent_discard":
		return `here it is "discard"`
	case "deny", "block", "refuse", "bounce", "error", "ban", "blacklist":
		return `here it is "reject"`
	case "pass", "permit", "allow", "ok", "whitelist", "relay", "no_action", "permit_mynetworks":
		return `here it is "accept"`
	case "dunno", "none", "noop", "nothing", "score":
		return `here it is "continue", which is also what stands where nothing does`
	case "warn", "log", "monitor", "test", "info":
		return "shadow = true has a rule journalled without effect"
	case "tag", "mark", "spam", "junk", "add_header", "prepend", "addheader", "d_pass":
		return `leave action away; tag_subject and tag_header mark the message`
	case "rewrite_subject", "subject":
		return `leave action away; tag_subject marks the Subject`
	case "redirect", "bcc", "copy", "forward", "filter", "transport":
		return "there is none: Postfix itself does that (access(5), always_bcc, recipient_bcc_maps)"
	}
	return ""
}

// Stage is the stage that SMTP, milters and Postfix call so; "" for none.
func Stage(word string) string {
	switch plain(word) {
	case "client", "connection", "conn", "ip":
		return "connect"
	case "ehlo", "hello":
		return "helo"
	case "mail", "sender", "from", "envfrom", "mail_from", "envelope":
		return "mailfrom"
	case "rcpt", "recipient", "recipients", "to", "envrcpt", "rcpt_to":
		return "rcptto"
	case "eoh", "end_of_headers", "subject":
		return "headers"
	case "data", "eod", "eom", "end_of_message", "end_of_data", "body", "end", "message", "dot", "attachments", "mime":
		return "complete"
	}
	return ""
}

// Module says what does here what other programs have a service of that name for;
// "" for no such name.
func Module(kind string) string {
	switch strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(kind)) {
	case "spamd", "spamc", "sa", "spamassassinmilter", "spamassmilter":
		return `here it is "spamassassin"`
	case "rspamdproxy", "rmilter":
		return `here it is "rspamd"`
	case "clamd", "clamav", "clam", "clamavmilter", "antivirus", "virus", "av":
		return "an antivirus has a section of its own: [antivirus] with clamd"
	case "amavis", "amavisd", "mimedefang":
		return `names of attachments are found by "attachment", viruses by [antivirus], spam by "spamassassin" or "rspamd"`
	case "archive", "mime", "bannedfiles", "filename", "files":
		return `here it is "attachment"`
	case "regexp", "regex", "body", "bodychecks":
		return `expressions stand in rules; what a message says is found by "text"`
	case "spf", "dkim", "dmarc", "rbl", "dnsbl", "greylist", "greylisting", "postgrey", "policyd":
		return "rules ask for it without a module"
	}
	return ""
}

// Attribute says which attribute is meant by a name that others use; "" for no such
// name.
func Attribute(name string) string {
	switch strings.ToLower(strings.ReplaceAll(name, "-", "_")) {
	case "from":
		return "here it is sender (of the envelope) or header.From"
	case "mail_from", "mailfrom", "envelope_from", "return_path":
		return "here it is sender"
	case "to":
		return "here it is recipient (of the envelope) or header.To"
	case "rcpt", "rcpt_to", "rcptto", "envelope_to":
		return "here it is recipient"
	case "ip", "addr", "address", "client_address", "remote_ip", "src", "network":
		return "here it is client_ip"
	case "host", "hostname", "rdns", "ptr", "client_name", "reverse_client_hostname":
		return "here it is client_host"
	case "ehlo", "helo_name":
		return "here it is helo"
	case "rbl", "dnsrbl":
		return "here it is dnsbl"
	case "rhsbl":
		return "here it is sender_dnsbl"
	case "score":
		return "here it is module.NAME.score"
	case "symbol":
		return "here it is module.NAME.symbol"
	case "sasl_username", "sasl_user", "user", "username":
		return "here it is auth_user"
	case "sasl", "auth":
		return "here it is authenticated"
	case "encryption":
		return "here it is tls"
	case "title":
		return "here it is subject"
	case "body", "text":
		return `here it is module.NAME.text of a [[module]] with type = "text"`
	case "has_attachment":
		return `here it is attachment_count = "> 0"`
	case "headers":
		return "here it is header.NAME"
	case "header_checks":
		return "here it is header.\"*\""
	case "filename", "attachment", "attachments":
		return "here it is attachment_name"
	case "mime_type", "content_type":
		return "here it is attachment_type"
	case "message_size":
		return "here it is size"
	case "mx":
		return "here it is sender_mx"
	case "domain":
		return "here it is sender_domain"
	case "from_domain":
		return "here it is author_domain"
	case "rcpt_count", "recipients":
		return "here it is recipient_count"
	case "country", "geoip", "asn":
		return "there is none; a DNS list that answers it can be asked by dnsbl"
	}
	return ""
}

// RuleKey is what a key of a rule is called here that others call so; "" for none.
func RuleKey(key string) string {
	switch strings.ToLower(strings.ReplaceAll(key, "-", "_")) {
	case "score", "points":
		return "weight"
	case "describe", "description", "note", "group":
		return "comment"
	case "when", "if", "conditions", "condition", "where", "filter":
		return "match"
	case "or":
		return "any"
	case "and", "all":
		return "match, of which all conditions have to hold"
	case "except", "not", "exceptions", "unless_any":
		return "unless"
	case "disabled", "disable":
		return "enabled = false"
	case "dry_run", "test", "warn_if_reject":
		return "shadow"
	case "message", "response", "text", "code", "smtp_message":
		return "reply"
	case "reject":
		return "action = \"reject\""
	case "accept":
		return "action = \"accept\""
	case "verdict", "then", "policy", "do":
		return "action"
	case "event", "phase", "on":
		return "stage"
	case "id", "title", "symbol":
		return "name"
	case "subject_tag", "rewrite_subject", "prefix_subject":
		return "tag_subject"
	case "add_header", "header", "prepend":
		return "tag_header"
	case "stop", "final", "quit":
		return "last"
	case "priority":
		return "the order in the file"
	}
	return ""
}

// Needless says why there is no key of that name in a rule; "" for none.
func Needless(key string) string {
	switch plain(key) {
	case "log", "journal", "audit":
		return "what a rule matched is always in the journal; shadow = true has it there without effect"
	}
	return ""
}

// ClientKey says what does what a key of that name of a client would be for; "" for none.
func ClientKey(key string) string {
	switch plain(key) {
	case "balance", "credit", "money", "deposit":
		return "a balance is money that was booked: tollgate clients pay ID AMOUNT"
	case "domains", "domain", "email", "emails", "mail", "address", "mailbox", "mailboxes", "recipients", "aliases", "alias":
		return `here it is addresses, of which "@example.org" is every address at the domain`
	case "quota_month", "monthly_quota", "quota_week", "limit", "traffic", "quota_period":
		return "quota is of the period of its tariff, of a month where it has none; quota_day of a day"
	case "login", "user", "users", "username", "usernames", "sasl_username":
		return "here it is logins"
	case "network", "ips", "ip", "client_ip":
		return "here it is networks"
	case "enabled", "active":
		return "here it is disabled = true"
	case "from", "valid", "start", "since":
		return "here it is valid_from"
	case "until", "to", "valid_to", "valid_until", "end", "expiry", "expires_at":
		return "here it is expires"
	case "price", "plan", "rate":
		return "here it is tariff, the name of a [[tariff]]"
	case "nofilter", "no_filter", "skip_filter", "whitelist":
		return "here it is filter = false"
	}
	return ""
}

// TariffKey is ClientKey of a tariff.
func TariffKey(key string) string {
	switch plain(key) {
	case "discount", "night", "weekend", "rebate", "factor", "percent", "when":
		return "here it is [[tariff.band]] with when and percent"
	case "vat", "tax", "mwst", "nds":
		return "there is none: write prices with it, or add it to the invoice"
	case "price", "per_mb", "per_megabyte", "per_gib", "per_gb", "rate":
		return "here it is per_mib"
	case "per_message", "per_mail", "per_recipient":
		return "here it is per_delivery"
	case "monthly", "monthly_fee", "base", "subscription":
		return "here it is fee, which is for a period"
	case "free", "prepaid", "included_mib", "included_bytes", "quota":
		return "here it is included"
	case "rounding", "round", "step":
		return "here it is increment"
	}
	return ""
}
