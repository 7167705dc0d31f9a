package state

import (
	"strings"

	"github.com/tollgate-mail/tollgate/internal/address"
)

// maxStem is the longest local part that is taken for a name. Longer ones are
// made by machines.
const maxStem = 40

// Stem is what stays the same of a sender's address from one message to the
// next, folded. Mailing lists, forwarders and signers put into the local part
// what differs for each recipient or message; as triplets those would be new
// each time, and each message be delayed:
//
//	list-return-4711-bob=example.org@   VERP: the recipient, a number
//	SRS0=tJ5a=Q4=example.com=bob@       SRS: a hash, a day, the address before
//	prvs=2346ab12cd=bob@                BATV: a signature; its address stays
//	news+k3j4h2@, bounce-01f3a9-7@      tokens of any kind
//
// The domain stays always: what passes without a local part is still bound to
// it, to the client's network and to the recipient. Names that differ in
// letters stay apart, for what a spammer makes up should not count as a second
// try.
func Stem(sender string) string {
	folded := address.Fold(sender)
	local, domain := address.Split(folded)
	if local == "" {
		return folded // the null sender
	}
	if tag, name, ok := cutBATV(local); ok && tag != "" {
		local = name
	}
	local, _, _ = strings.Cut(local, "+")
	if len(local) > maxStem || strings.ContainsRune(local, '=') {
		local = ""
	}
	return mask(local) + "@" + domain
}

// cutBATV cuts prvs=TAG=NAME (draft-levine-smtp-batv-01 §4), and PRVS=NAME=TAG
// as some write it: the tag is the part that is ten hexadecimal digits.
func cutBATV(local string) (tag, name string, ok bool) {
	rest, ok := strings.CutPrefix(local, "prvs=")
	if !ok {
		return "", local, false
	}
	a, b, ok := strings.Cut(rest, "=")
	switch {
	case !ok || strings.ContainsRune(b, '='):
		return "", local, false
	case isTag(a):
		return a, b, true
	case isTag(b):
		return b, a, true
	}
	return "", local, false
}

func isTag(s string) bool { return len(s) == 10 && strings.Trim(s, "0123456789abcdef") == "" }

// mask puts # for what is a number, or a token with letters and digits mixed.
// Of a name with a number behind it the name stays.
func mask(local string) string {
	if !strings.ContainsAny(local, "0123456789") {
		return local
	}
	var b strings.Builder
	for local != "" {
		n := strings.IndexFunc(local, func(r rune) bool { return strings.ContainsRune("-_.!#$%&'*/?^`{|}~", r) })
		if n < 0 {
			n = len(local)
		}
		word := local[:n]
		if d := strings.IndexAny(word, "0123456789"); d >= 0 {
			if strings.Trim(word[d:], "0123456789") == "" {
				b.WriteString(word[:d])
			}
			b.WriteByte('#')
		} else {
			b.WriteString(word)
		}
		if n < len(local) {
			b.WriteByte(local[n])
			n++
		}
		local = local[n:]
	}
	return b.String()
}
