// Package mailauth tells who vouches for a message: DKIM signatures (RFC 6376),
// DMARC (RFC 9989), and the field that says so (RFC 8601).
package mailauth

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/results"
)

// Lookup returns the TXT records of a name, the strings of each joined; none of a
// name that has others. Its errors are *net.DNSError: IsNotFound for a name that
// does not exist, IsTemporary for what may succeed later.
type Lookup func(ctx context.Context, name string) ([]string, error)

// maxSignatures bounds what one message can make us compute and look up; others
// are not looked at (RFC 6376 §6.1 leaves that to the verifier).
const maxSignatures = 10

// Signature is one DKIM signature and what became of it.
type Signature struct {
	Result results.Auth
	Domain string // d=, lower case
	Reason string // of anything but a pass, for people
}

// VerifyDKIM verifies the signatures of a message as it goes over the wire. It
// charges each octet once for each signature that hashes it, and the fields that
// are looked through for the names in h=. A signature that takes more than the
// budget has is a permerror. An error is that of r or of ctx: nothing is known
// then.
func VerifyDKIM(ctx context.Context, b *budget.Budget, r io.Reader, lookup Lookup) ([]Signature, error) {
	seen := &meter{r: r, budget: b}
	whole := &untilError{r: seen}
	found, err := dkim.VerifyWithOptions(whole, &dkim.VerifyOptions{
		LookupTXT: func(name string) ([]string, error) {
			// The header has been read by now, and nothing computed yet.
			if seen.refused != nil {
				return nil, seen.refused
			}
			return keys(ctx, lookup, name)
		},
		MaxVerifications: maxSignatures,
	})
	if errors.Is(whole.err, errEmptyLines) || errors.Is(whole.err, errWork) {
		return []Signature{{Result: results.PermError, Reason: whole.err.Error()}}, nil
	}
	if whole.err != nil {
		return nil, whole.err
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil && !errors.Is(err, dkim.ErrTooManySignatures) {
		// A header that is none, or an error within: no signature can be judged.
		return []Signature{{Result: results.PermError, Reason: err.Error()}}, nil
	}
	all := make([]Signature, len(found))
	for i, v := range found {
		all[i] = Signature{Result: result(v.Err), Domain: strings.ToLower(v.Domain)}
		if v.Err != nil {
			all[i].Reason = strings.TrimPrefix(v.Err.Error(), "dkim: ")
		} else if !covers(v.HeaderKeys, seen.authors) {
			all[i].Result, all[i].Reason = results.Fail, "a From field is not signed"
		}
	}
	return all, nil
}

// blanks puts a blank for white space of any kind, which may stand in p= of a
// key record (RFC 6376 §3.6.1); the verifier knows only blanks there.
var blanks = strings.NewReplacer("\t", " ", "\r", " ", "\n", " ")

// keys looks up key records.
func keys(ctx context.Context, lookup Lookup, name string) ([]string, error) {
	found, err := lookup(ctx, name)
	if err != nil {
		return nil, err
	}
	all := make([]string, len(found))
	for i, text := range found {
		all[i] = blanks.Replace(text)
		if err := checkKey(all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// result is the value of RFC 8601 §2.7.1 for an error of the verifier.
func result(err error) results.Auth {
	switch {
	case err == nil:
		return results.Pass
	case dkim.IsTempFail(err):
		return results.TempError
	case dkim.IsPermFail(err):
		return results.PermError
	case strings.Contains(err.Error(), "body length"):
		// l= leaves the end of the body unsigned: not accepted, good or not.
		return results.Policy
	}
	return results.Fail
}

// ranks are results from the best. What may yet pass is better than what has
// failed.
var ranks = []results.Auth{results.Pass, results.TempError, results.Policy, results.Neutral, results.Fail, results.PermError}

// Best is the best result of several signatures, "none" where there is none.
func Best(all []Signature) results.Auth {
	best := len(ranks)
	for _, s := range all {
		if i := slices.Index(ranks, s.Result); i >= 0 {
			best = min(best, i)
		}
	}
	if best == len(ranks) {
		return results.None
	}
	return ranks[best]
}

// untilError ends at an error and keeps it: the verifier of several signatures
// leaves goroutines behind when its reader fails.
type untilError struct {
	r   io.Reader
	err error
}

func (u *untilError) Read(p []byte) (int, error) {
	if u.err != nil {
		return 0, io.EOF
	}
	n, err := u.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		u.err = err
		err = io.EOF
	}
	return n, err
}
