package mailauth

import (
	"strings"

	"github.com/emersion/go-msgauth/authres"

	ourmail "github.com/tollgate-mail/tollgate/internal/mail"
)

// FieldName is that of the field that tells results (RFC 8601).
const FieldName = "Authentication-Results"

// Results are what is told of a message. An empty text was not asked for.
type Results struct {
	SPF        string
	SPFSender  string // the address or, for the null sender, "" and SPFHelo
	SPFHelo    string
	DKIM       string // with Signatures, when there are any
	Signatures []Signature
	DMARC      *Evaluation
}

// Value is the field's value, "" when there is nothing to tell. It begins with
// the gateway's name as authserv-id (RFC 8601 §2.5).
func (r Results) Value(gateway string) string {
	var all []authres.Result
	if r.SPF != "" {
		all = append(all, &authres.SPFResult{Value: authres.ResultValue(r.SPF), From: ascii(r.SPFSender), Helo: ascii(r.SPFHelo)})
	}
	switch {
	case r.DKIM == "":
	case len(r.Signatures) == 0:
		all = append(all, &authres.DKIMResult{Value: authres.ResultValue(r.DKIM)})
	default:
		for _, s := range r.Signatures {
			all = append(all, &authres.DKIMResult{Value: authres.ResultValue(s.Result), Reason: ascii(s.Reason), Domain: ascii(s.Domain)})
		}
	}
	if r.DMARC != nil {
		all = append(all, &authres.DMARCResult{Value: authres.ResultValue(r.DMARC.Result), From: ascii(r.DMARC.From)})
	}
	if len(all) == 0 {
		return ""
	}
	text := strings.ReplaceAll(authres.Format(gateway, all), " ;", ";")
	return ourmail.FieldValue(FieldName, strings.TrimSpace(text))
}

// ascii is a text that can stand in a value: what cannot, or could begin an encoded
// word (RFC 2047), is an underscore.
// Senders choose what is in it.
func ascii(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune(`"\?`, r) {
			return '_'
		}
		return r
	}, s)
}

// IsOf tells whether the value of an Authentication-Results field says that it
// is from us: RFC 8601 §5 has such fields of other hosts removed.
func IsOf(value, gateway string) bool {
	id := strings.TrimSpace(uncommented(value))
	if cut := strings.IndexAny(id, "; \t\r\n"); cut >= 0 {
		id = id[:cut]
	}
	id = strings.Trim(id, `"`)
	return strings.EqualFold(strings.TrimSuffix(id, "."), gateway)
}

// uncommented is a value without the comments (RFC 5322 §3.2.2) that may stand
// before its authserv-id.
func uncommented(value string) string {
	value = strings.TrimSpace(value)
	for strings.HasPrefix(value, "(") {
		depth, end := 0, -1
		for i := 0; i < len(value) && end < 0; i++ {
			switch value[i] {
			case '\\':
				i++
			case '(':
				depth++
			case ')':
				if depth--; depth == 0 {
					end = i
				}
			}
		}
		if end < 0 {
			return ""
		}
		value = strings.TrimSpace(value[end+1:])
	}
	return value
}
