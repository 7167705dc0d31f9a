package test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The port installs what its list of files names and nothing else, its script is
// shell, and the paths are those that the program has built in for FreeBSD.
func TestFreeBSDPort(t *testing.T) {
	t.Parallel()
	root := moduleRoot(t)
	port := filepath.Join(root, "contrib/freebsd/mail/tollgate")
	read := func(name string) string {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(port, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	run(t, root, "sh", "-n", filepath.Join(port, "files/tollgate.in"))

	vars := strings.NewReplacer("${STAGEDIR}${PREFIX}/", "", "${STAGEDIR}${ETCDIR}", "%%ETCDIR%%", "${STAGEDIR}", "")
	var installed []string
	install, _, found := strings.Cut(read("Makefile"), "do-install-DOCS-on:")
	_, install, ok := strings.Cut(install, "do-install:")
	if !found || !ok {
		t.Fatal("no do-install")
	}
	for line := range strings.Lines(install) {
		f := strings.Fields(vars.Replace(line))
		switch {
		case len(f) == 0:
		case f[0] == "@${MKDIR}":
			for _, dir := range f[1:] {
				if strings.HasPrefix(dir, "/var/") {
					installed = append(installed, dir)
				}
			}
		case f[0] == "${INSTALL_MAN}":
			installed = append(installed, f[2]+"/"+filepath.Base(f[1])+".gz")
		default:
			installed = append(installed, f[len(f)-1])
		}
	}
	var listed []string
	for line := range strings.Lines(read("pkg-plist")) {
		f := strings.Fields(line)
		listed = append(listed, f[len(f)-1])
	}
	slices.Sort(installed)
	slices.Sort(listed)
	if !slices.Equal(installed, listed) {
		t.Errorf("installed are\n%q\nlisted are\n%q", installed, listed)
	}

	defaults, err := os.ReadFile(filepath.Join(root, "internal/config/defaults_freebsd.go"))
	if err != nil {
		t.Fatal(err)
	}
	script, log := read("files/tollgate.in"), read("files/newsyslog.conf.in")
	for name, in := range map[string]string{"DefaultPath": script, "defaultStateDir": script, "defaultJournalDir": script + log} {
		m := regexp.MustCompile(name + `\s*= "([^"]*)"`).FindSubmatch(defaults)
		if m == nil || !strings.Contains(in, string(m[1])) {
			t.Errorf("%s of the program is not what the port has: %s", name, m)
		}
	}
	// newsyslog.conf(5): name, owner, mode, count, size, when, flags, pid file, signal.
	for line := range strings.Lines(log) {
		if f := strings.Fields(line); !strings.HasPrefix(line, "#") && (len(f) != 9 || f[6] != "BGZ" || f[7] != "/var/run/tollgate/tollgate.pid") {
			t.Errorf("newsyslog: %q", f)
		}
	}
	if !strings.Contains(script, "${rundir}/tollgate.pid") || !strings.Contains(script, `rundir="/var/run/tollgate"`) {
		t.Error("the script has its pid file elsewhere than newsyslog")
	}
}
