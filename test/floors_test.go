package test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/test/harness"
)

const module = "github.com/tollgate-mail/tollgate/"

// floors is where each room of the house stands. A room imports only rooms of
// lower floors, none of its own; docs/HACKING.md says what lives in each.
var floors = map[string]int{
	// Live mail, judged once more.
	"internal/tape":   7,
	"internal/canary": 7,
	"internal/shadow": 8,

	// Below the ground: the account names its clients by addresses, and
	// whatever reads octets of others charges a budget.
	"internal/lexical":  -3,
	"internal/address":  -2,
	"internal/budget":   -2,
	"internal/jsontext": -2,
	"internal/charset":  -1,
	"internal/dataurl":  -1,

	"internal/nettext":             0,
	"internal/took":                0,
	"internal/unixsocket":          0,
	"internal/biff":                0,
	"internal/boltfile":            0,
	"internal/breaker":             0,
	"internal/diag":                0,
	"internal/filenames":           0,
	"internal/results":             0,
	"internal/settings":            0,
	"internal/address/addresstest": 0,
	"rules/expr/exprtest":          0,
	"internal/fieldtext":           0,
	"internal/css":                 0,
	"internal/markup":              0,
	"internal/letterform":          0,
	"internal/officexml":           0,
	"internal/pdf":                 0,
	"internal/rtf":                 0,
	"accounting":                   0,
	"rules/number":                 0,
	"rules/foreign":                0,

	"rules/expr":                   1,
	"rules/keyfile":                1,
	"internal/policyfile/document": 1,
	"internal/policyfile/values":   2,
	"internal/mail":                1,
	"internal/archive":             1,
	"internal/archive/archivetest": 1,
	"internal/control":             1,
	"accounting/price":             1,
	"accounting/recordfile":        1,

	"rules/list":                   2,
	"accounting/spool":             2,
	"accounting/redis":             2,
	"accounting/embedded":          2,
	"accounting/report":            2,
	"accounting/storetest":         2,
	"accounting/archive":           2,
	"internal/journal":             2,
	"internal/journal/journaltest": 3,
	"internal/journal/index":       1,
	"internal/mailauth":            2,
	"internal/maillog":             2,
	"internal/postfix":             2,
	"internal/dnscheck":            2,
	"internal/state":               2,

	"rules":                     3,
	"internal/setup":            1,
	"internal/doctor":           1,
	"internal/correct":          3,
	"internal/holdqueue":        3,
	"accounting/closing":        3,
	"internal/takeover":         3,
	"internal/probe":            3,
	"internal/outcome":          3,
	"internal/simulate":         3,
	"internal/audit":            3,
	"internal/fees":             5,
	"internal/directory":        4,
	"internal/clients":          3,
	"internal/clients/file":     4,
	"internal/clients/redis":    4,
	"internal/clients/types":    5,
	"internal/gate/lookup":      4,
	"internal/gate/header":      4,
	"internal/proof":            4,
	"internal/module":           4,
	"internal/module/webclient": 4,
	"internal/state/embedded":   4,
	"internal/state/redis":      4,
	"internal/state/statetest":  4,

	"internal/module/attachment":   5,
	"internal/module/clamav":       5,
	"internal/module/http":         5,
	"internal/module/moduletest":   5,
	"internal/module/rspamd":       5,
	"internal/module/spamassassin": 5,
	"internal/module/text":         5,

	"internal/gate":         6,
	"internal/module/types": 6,

	"milter":          7,
	"internal/tally":  7,
	"internal/config": 7,

	"internal/assemble":          8,
	"internal/config/configtest": 8,

	"internal/daemon": 9,
	"internal/trial":  9,

	"internal/metrics":    10,
	"internal/survey":     10,
	"internal/policytest": 10,
	"internal/replay":     10,

	"internal/mutation": 11,

	"cmd/tollgate": 12,

	// What keeps, compares and tries policies.
	"internal/durable":           0,
	"internal/confine":           0,
	"internal/policyfile/source": 2,
	"internal/history":           8,
	"internal/policydiff":        8,
	"internal/policyschema":      8,
	"internal/backup":            1,

	// What tests and shows the house stands outside of it, and may look
	// into every room.
	"test/harness": 13,
	"test/script":  13,
	"test":         14,
	"test/demo":    14,

	"test/player":   13,
	"test/account":  14,
	"test/dying":    14,
	"test/compare":  14,
	"test/packages": 14,
	"test/profile":  14,
}

// closed are the rooms that commands do not enter: what lives is assembled below
// them, and they know it by its status alone.
var closed = []string{
	"rules", "milter", "internal/dnscheck", "internal/module", "internal/clients", "internal/state",
	"accounting/redis", "accounting/embedded", "accounting/spool", "internal/gate",
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
			if room == "cmd/tollgate" && slices.ContainsFunc(closed, func(c string) bool { return ours && (other == c || strings.HasPrefix(other, c+"/")) }) {
				problems = append(problems, "cmd/tollgate imports "+other+", which is for assemble and daemon")
			}
			if room != "milter" && strings.HasPrefix(path, "github.com/d--j/go-milter") {
				problems = append(problems, room+" imports go-milter, which is milter's alone")
			}
		}
	}
	return problems
}

// The table of the house in docs/HACKING.md has each room, on its floor: by its path,
// by its last word beside others, or with those below a path.
func TestFloorsAreToldOf(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/HACKING.md")
	if err != nil {
		t.Fatal(err)
	}
	for room, floor := range floors {
		last, above := path.Base(room), path.Dir(room)
		if strings.HasPrefix(room, "test") || strings.HasSuffix(room, "test") {
			continue
		}
		told := false
		for _, row := range regexp.MustCompile(`(?m)^\| ([-0-9, ]+) \|([^|]*)(\|.*)$`).FindAllStringSubmatch(string(text), -1) {
			told = told || slices.Contains(strings.Split(row[1], ", "), strconv.Itoa(floor)) &&
				(strings.Contains(row[2], "`"+room+"`") || strings.Contains(row[2]+row[3], "`"+last+"`") || strings.Contains(row[2], "`"+above+"/…`"))
		}
		if !told {
			t.Errorf("%s, floor %d, has no row in docs/HACKING.md", room, floor)
		}
	}
}

// The test of floors can fail.
func TestBreaches(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]goPackage{
		"up":       {module + "rules", []string{module + "internal/gate"}},
		"sideways": {module + "milter", []string{module + "internal/config"}},
		"command":  {module + "cmd/tollgate", []string{module + "internal/module/clamav"}},
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
