// Package results has the words in which the checks of mail answer, those of the
// RFCs where there are any.
package results

// Auth is a result of SPF (RFC 7208 §2.6), DKIM or DMARC (RFC 8601 §2.7).
type Auth string

// Results, as the RFCs have them.
const (
	None      Auth = "none"
	Neutral   Auth = "neutral"
	Pass      Auth = "pass"
	Fail      Auth = "fail"
	SoftFail  Auth = "softfail" // SPF's alone
	Policy    Auth = "policy"   // DKIM's alone: a good signature that is not accepted
	TempError Auth = "temperror"
	PermError Auth = "permerror"
)

// DMARCPolicy is what a domain asks for of mail that fails DMARC (RFC 9989
// §4.7); "" where it has no record.
type DMARCPolicy string

// Policies.
const (
	AskNothing DMARCPolicy = "none"
	Quarantine DMARCPolicy = "quarantine"
	Reject     DMARCPolicy = "reject"
)

// MX tells whether mail could be sent to a domain.
type MX string

// Results of looking for a domain's hosts.
const (
	MXOK        MX = "ok"       // an MX whose target has an address
	MXImplicit  MX = "implicit" // no MX, but an address (RFC 5321 §5.1)
	MXNull      MX = "null"     // it takes no mail (RFC 7505)
	MXMissing   MX = "missing"  // neither, or only targets without an address
	MXPrivate   MX = "private"  // nobody elsewhere reaches its addresses
	MXNone      MX = "none"     // there is no domain to ask for
	MXTempError MX = "temperror"
)

// SPF are the results that SPF has.
func SPF() []string {
	return names(None, Neutral, Pass, Fail, SoftFail, TempError, PermError)
}

// DKIM are those that DKIM has.
func DKIM() []string {
	return names(None, Pass, Fail, Policy, Neutral, TempError, PermError)
}

// DMARC are those that DMARC has.
func DMARC() []string { return names(None, Pass, Fail, TempError, PermError) }

// DMARCPolicies are all that a domain can ask for.
func DMARCPolicies() []string { return names(AskNothing, Quarantine, Reject) }

// MXs are all results of looking for hosts.
func MXs() []string {
	return names(MXOK, MXImplicit, MXNull, MXMissing, MXNone, MXPrivate, MXTempError)
}

func names[T ~string](all ...T) []string {
	texts := make([]string, len(all))
	for i, one := range all {
		texts[i] = string(one)
	}
	return texts
}
