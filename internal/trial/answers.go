package trial

import (
	"fmt"
	"os"

	"github.com/tollgate-mail/tollgate/internal/dnscheck"
	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
	reading "github.com/tollgate-mail/tollgate/internal/policyfile/values"
)

// ReadAnswers reads a file with the table [dns]: what is answered to look-ups,
// as in cases of policy tests. What does not stand there does not exist. Its error
// names every place where something is wrong, one a line.
func ReadAnswers(path string) (*Answers, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > document.MaxFile {
		return nil, fmt.Errorf("%s: larger than %d MiB", path, document.MaxFile>>20)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	a := &Answers{Records: map[string][]string{}}
	var r reading.Reader
	root, problem := document.Parse(path, string(text), nil)
	if problem != nil {
		r.Problems = append(r.Problems, *problem)
	}
	if root != nil {
		r.Read(root, "a file of answers", []reading.Field{{Key: "dns", Read: func(n *document.Node) {
			if r.Is(n, document.Table) {
				for _, c := range n.Children {
					if records, ok := ReadRecords(&r, c); ok {
						a.Records[c.Key] = records
					}
				}
			}
		}}})
	}
	if err := r.Finish().Err(); err != nil {
		return nil, err
	}
	return a, nil
}

// ReadRecords reads what stands under "NAME TYPE": one record, or an array of them.
func ReadRecords(r *reading.Reader, n *document.Node) (records []string, ok bool) {
	if records, ok = r.OneOrMore(n); !ok {
		return nil, false
	}
	if err := dnscheck.CheckStatic(n.Key, records); err != nil {
		r.Errorf(n, "dns: %v", err)
		return nil, false
	}
	return records, true
}
