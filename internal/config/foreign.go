package config

import (
	"fmt"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/internal/mail"
	"github.com/tollgate-mail/tollgate/rules"
)

// closedWords are the values of texts that can have no others, but for those of
// modules.
func closedWords() map[rules.Key][]string {
	words := make(map[rules.Key][]string)
	for _, d := range mail.Defects() {
		key := rules.Key{Attr: rules.MIMEDefects}
		words[key] = append(words[key], d.Name)
	}
	return words
}

// otherwise says what does here what other programs have a service of that name for;
// "" for no such name.
func otherwise(kind string) string {
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

// meantOf is what was meant by an entry that cannot be read.
func meantOf(c directory.Clash) string {
	if c.Kind != directory.Mailbox {
		return ""
	}
	return wholeDomain(c.Text)
}

// wholeDomain says what to write for an address that is a domain alone; "" where it
// is not.
func wholeDomain(address string) string {
	name := strings.TrimPrefix(address, ".")
	if strings.ContainsAny(address, "@/ ") || !strings.Contains(name, ".") {
		return ""
	}
	return fmt.Sprintf("; for every address at the domain write @%s", name)
}
