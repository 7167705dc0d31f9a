package replay

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/trial"
)

// outcome is what stands in the summary.
func outcome(o *trial.Outcome) Outcome {
	e := trial.Explain(o)
	var tags []string
	for _, c := range e.Header {
		// The report names a reference, which is another each time.
		if c.Op == "+" && !strings.Contains(c.Value, "; ref=") && !slices.Contains(tags, c.Name) && !strings.EqualFold(c.Name, "Subject") {
			tags = append(tags, c.Name)
		}
	}
	out := Outcome{Verdict: e.Verdict, Weight: e.Weight, Subject: e.Subject, Tags: strings.Join(tags, " "), Rule: e.Rule}
	for _, rec := range e.Records {
		out.Charged += rec.Charged
	}
	return out
}

// keep copies a message into a folder, under a name made of its path.
func keep(dir string, s Stored) error {
	name := strings.NewReplacer("/", "_", "#", "_", `\`, "_").Replace(strings.TrimLeft(s.Path, "./"))
	if !strings.HasSuffix(name, ".eml") {
		name += ".eml"
	}
	return os.WriteFile(filepath.Join(dir, name), s.Text, 0o600)
}
