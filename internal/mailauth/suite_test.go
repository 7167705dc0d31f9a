package mailauth_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/dnscheck"
	"github.com/tollgate-mail/tollgate/internal/mail"
	"github.com/tollgate-mail/tollgate/internal/mailauth"
	"github.com/tollgate-mail/tollgate/test/harness"
)

// What the tests of this package share: real DNS servers, one of which has keys,
// and a real verifier to compare with.
var (
	keyed  *harness.NSD
	empty  *harness.NSD
	unable *harness.NSD // says SERVFAIL
	dkimpy *verifier
	ours   *keyring
)

func TestMain(m *testing.M) { os.Exit(harness.Run(m, begin)) }

func begin(s *harness.Sandbox) error {
	corpus, err := readCorpus()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if ours, err = newKeyring(); err != nil {
		return err
	}
	// Each top-level domain that has signed something is a zone, so that
	// every name within is known not to be there.
	bare, full := make(map[string]string), make(map[string]string)
	for _, name := range append(signers(corpus), "x.example") {
		top := name[strings.LastIndexByte(name, '.')+1:]
		bare[top], full[top] = "", ""
	}
	for name, text := range ours.zone() {
		full[name] += text
	}
	for name, text := range publishedKeys {
		full[name[strings.LastIndexByte(name, '.')+1:]] += record(name, text)
	}
	if keyed, err = s.NSD(full); err != nil {
		return err
	}
	if empty, err = s.NSD(bare); err != nil {
		return err
	}
	none := maps.Clone(bare)
	for top := range none {
		none[top] = harness.Unreadable
	}
	if unable, err = s.NSD(none); err != nil {
		return err
	}
	if dkimpy, err = startDKIMPy(); err != nil {
		return err
	}
	s.OnClose(dkimpy.stop)
	return nil
}

// record is a line of a zone file; a string of a TXT record has at most 255
// octets.
func record(name, text string) string {
	var b strings.Builder
	b.WriteString(name + ". TXT")
	for len(text) > 200 {
		fmt.Fprintf(&b, " \"%s\"", text[:200])
		text = text[200:]
	}
	fmt.Fprintf(&b, " \"%s\"\n", text)
	return b.String()
}

// specimen is a message of the corpus, in the octets that a milter is given and
// the gate hands on.
type specimen struct {
	id     string
	dkim   bool // it has DKIM-Signature fields, as its manifest says
	header mail.Header
	wire   []byte
}

func (s *specimen) signatures() (all []string) {
	for _, f := range s.header {
		if strings.EqualFold(f.Name, "DKIM-Signature") {
			all = append(all, f.Value)
		}
	}
	return all
}

func readCorpus() ([]*specimen, error) {
	dir, err := harness.Shared("corpus")
	if err != nil {
		return nil, err
	}
	truth, err := os.ReadFile(filepath.Join(dir, "truth.jsonl"))
	if err != nil {
		return nil, err
	}
	manifest, err := os.ReadFile(filepath.Join(dir, "manifest.tsv"))
	if err != nil {
		return nil, err
	}
	signed := make(map[string]bool)
	for line := range strings.Lines(string(manifest)) {
		if columns := strings.Split(line, "\t"); len(columns) > 6 {
			signed[columns[0]] = slices.Contains(strings.Split(columns[6], ";"), "dkim")
		}
	}
	var all []*specimen
	for line := range bytes.Lines(truth) {
		var t struct{ ID string }
		if err := json.Unmarshal(line, &t); err != nil {
			return nil, err
		}
		text, err := os.ReadFile(filepath.Join(dir, t.ID+".eml"))
		if err != nil {
			return nil, err
		}
		s := handed(text)
		s.id, s.dkim = t.ID, signed[t.ID]
		all = append(all, s)
	}
	return all, nil
}

// handed is a message as it comes from the stash: Postfix shows the milter
// fields and a body of whole lines.
func handed(text []byte) *specimen {
	header, body := mail.SplitMessage(crlf(text))
	var b bytes.Buffer
	for _, f := range header {
		b.WriteString(f.Name + ":")
		b.Write(crlf([]byte(f.Value)))
		b.WriteString("\r\n")
	}
	b.WriteString("\r\n")
	b.Write(body)
	if len(body) > 0 && !bytes.HasSuffix(body, []byte("\r\n")) {
		b.WriteString("\r\n")
	}
	return &specimen{header: header, wire: b.Bytes()}
}

// crlf makes line ends CRLF; a CR elsewhere stays.
func crlf(b []byte) []byte {
	b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))
}

// corpus skips a test where there is none, but never in CI.
func corpus(t *testing.T) []*specimen {
	t.Helper()
	all, err := readCorpus()
	if errors.Is(err, fs.ErrNotExist) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var signer = regexp.MustCompile(`(?i)[\s;]d=\s*([a-z0-9.-]+)`)

// signers are the domains that signed messages.
func signers(all []*specimen) (domains []string) {
	for _, s := range all {
		for _, value := range s.signatures() {
			if found := signer.FindStringSubmatch(value); found != nil {
				domains = append(domains, strings.ToLower(found[1]))
			}
		}
	}
	return domains
}

// asking is a resolver that asks one server.
func asking(t testing.TB, server string, try time.Duration) *dnscheck.Resolver {
	t.Helper()
	r, err := dnscheck.New(dnscheck.Config{Servers: []string{server}, Try: try})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// judged is what we say of messages.
func judged(t testing.TB, r *dnscheck.Resolver, texts [][]byte) [][]string {
	t.Helper()
	all := make([][]string, len(texts))
	var wg sync.WaitGroup
	next := make(chan int)
	for range 16 {
		wg.Go(func() {
			for i := range next {
				found, err := mailauth.VerifyDKIM(t.Context(), budget.Proportional(t.Context(), math.MaxInt64), bytes.NewReader(texts[i]), r.LookupTXT)
				if err != nil {
					t.Error(err)
				}
				all[i] = resultsOf(found)
			}
		})
	}
	for i := range texts {
		next <- i
	}
	close(next)
	wg.Wait()
	return all
}

func resultsOf(all []mailauth.Signature) (texts []string) {
	for _, s := range all {
		texts = append(texts, string(s.Result))
	}
	return texts
}

func wires(all []*specimen) (texts [][]byte) {
	for _, s := range all {
		texts = append(texts, s.wire)
	}
	return texts
}
