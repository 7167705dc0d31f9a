package test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/test/harness"
)

const module = "github.com/tollgate-mail/tollgate/"

// floors is where each room of the house stands. A room imports only rooms of
// lower floors; docs/HACKING.md says what lives in each.
var floors = map[string]int{
	"rules":         0,
	"internal/mail": 0,
	"accounting":    0,

	"accounting/spool":     1,
	"accounting/redis":     1,
	"accounting/embedded":  1,
	"accounting/report":    1,
	"accounting/storetest": 1,
	"internal/directory":   1,
	"internal/journal":     1,
	"internal/control":     1,
	"internal/mailauth":    1,
	"internal/holdqueue":   1,
	"internal/module":      1,
	"internal/dnscheck":    1,
	"internal/state":       1,

	"internal/module/webclient": 1,

	"internal/module/attachment":   2,
	"internal/module/clamav":       2,
	"internal/module/http":         2,
	"internal/module/moduletest":   2,
	"internal/module/rspamd":       2,
	"internal/module/spamassassin": 2,

	"internal/state/embedded":  2,
	"internal/state/redis":     2,
	"internal/state/statetest": 2,

	"internal/gate": 2,

	"milter":          3,
	"internal/config": 3,

	"cmd/tollgate": 4,

	// What tests and shows the house stands outside of it, and may look
	// into every room.
	"test/harness": 5,
	"test/script":  5,
	"test":         6,
	"test/demo":    6,
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

func TestFloors(t *testing.T) {
	t.Parallel()
	root, err := harness.Root()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var packages []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	for _, problem := range breaches(packages) {
		t.Error(problem)
	}
	for room := range floors {
		if !strings.Contains(string(out), `"`+module+room+`"`) {
			t.Errorf("%s is in the table and not in the house", room)
		}
	}
}

// breaches are the packages without a floor and the imports that do not go
// down.
func breaches(packages []goPackage) []string {
	var problems []string
	for _, p := range packages {
		room := strings.TrimPrefix(p.ImportPath, module)
		floor, ok := floors[room]
		if !ok {
			problems = append(problems, room+" stands on no floor: give it one in floors_test.go")
			continue
		}
		for _, path := range p.Imports {
			other, ours := strings.CutPrefix(path, module)
			if below, ok := floors[other]; ours && ok && below >= floor {
				problems = append(problems, room+" imports "+other+", which does not stand below it")
			}
			if room != "milter" && strings.HasPrefix(path, "github.com/d--j/go-milter") {
				problems = append(problems, room+" imports go-milter, which is milter's alone")
			}
		}
	}
	return problems
}

// The test of floors can fail.
func TestBreaches(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]goPackage{
		"up":       {module + "rules", []string{module + "internal/gate"}},
		"sideways": {module + "milter", []string{module + "internal/config"}},
		"no floor": {module + "internal/attic", nil},
		"library":  {module + "internal/gate", []string{"github.com/d--j/go-milter"}},
	} {
		if len(breaches([]goPackage{p})) != 1 {
			t.Errorf("%s: %q", name, breaches([]goPackage{p}))
		}
	}
	if p := breaches([]goPackage{{module + "milter", []string{module + "internal/gate", "fmt", "github.com/d--j/go-milter"}}}); len(p) != 0 {
		t.Errorf("%q", p)
	}
}
