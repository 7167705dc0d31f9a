package policyschema

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/tollgate-mail/tollgate/rules"
)

// beside are attributes that the grid of rules of the OPNsense plugin does not offer:
// who wants them writes a file of the policy beside it.
var beside = []string{
	"tls_version", "reply_to_domain", "raw_header", "header_count", "date_skew", "dkim_domain", "dmarc_policy", "attachment_count", "attachment_size", "module", "rule",
}

// The plugin offers each attribute by its name, or leaves it to files beside it; and
// it knows of each from which stage on it is known.
func TestPluginAttributes(t *testing.T) {
	t.Parallel()
	const src = "../../contrib/opnsense/mail/tollgate/src/opnsense/"
	found := func(path, block, item string) map[string]string {
		text, err := os.ReadFile(filepath.FromSlash(src + path))
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]string{}
		for _, part := range regexp.MustCompile(block).FindAllSubmatch(text, -1) {
			for _, m := range regexp.MustCompile(item).FindAllSubmatch(part[1], -1) {
				all[string(m[1])] = string(m[len(m)-1])
			}
		}
		if len(all) == 0 {
			t.Fatalf("nothing in %s", path)
		}
		return all
	}
	offered := found("mvc/app/models/OPNsense/Tollgate/Tollgate.xml", `(?s)<OptionValues>(\s*<client_ip>.*?)</OptionValues>`, `<(\w+)>`)
	known := found("mvc/app/models/OPNsense/Tollgate/Tollgate.php", `(?s)KNOWN_FROM = \[(.*?)\];`, `'(\w+)' => '(\w+)'`)
	imported := found("scripts/OPNsense/Tollgate/import.py", `(?s)\n(?:FIELDS|FLAGS) = \{(.*?)\}`, `'(\w+)'`)
	imported["header"] = "header" // read apart, with the name of a field

	want := map[string]string{}
	for _, row := range rules.Catalogue() {
		if !slices.Contains(beside, row.Name) {
			want[row.Name] = row.Stage.String()
		}
	}
	if !maps.Equal(known, want) {
		t.Errorf("Tollgate.php knows attributes from\n%v, the catalogue has\n%v (or name one in beside)", known, want)
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if _, ok := offered[name]; !ok {
			t.Errorf("Tollgate.xml does not offer %s: do so, or name it in beside", name)
		}
		if _, ok := imported[name]; !ok {
			t.Errorf("import.py does not take %s", name)
		}
	}
	for name := range offered {
		if _, ok := want[name]; !ok {
			t.Errorf("Tollgate.xml offers %s, which is no attribute", name)
		}
	}
}
