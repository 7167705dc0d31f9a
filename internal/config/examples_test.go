package config

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/tollgate-mail/tollgate/internal/module/types"
	"github.com/tollgate-mail/tollgate/internal/settings"
	"github.com/tollgate-mail/tollgate/rules"
)

// repo is where the documents are.
const repo = "../.."

// The example that operators begin with has nothing to complain of.
func TestExamplePolicy(t *testing.T) {
	cfg, problems := Load(filepath.Join(repo, "contrib/policy.toml"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if len(cfg.Gate.Rules.Rules()) == 0 || len(cfg.Gate.Directory.Clients()) == 0 || cfg.Lists == 0 {
		t.Errorf("it shows too little: %s", describe(cfg))
	}
}

// The policy that is installed names the one line to edit, and has nothing to
// complain of once that is done.
func TestStarterPolicy(t *testing.T) {
	path := filepath.Join(repo, "contrib/starter.toml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, problems := Load(path)
	if len(problems) != 1 || problems.Err() == nil || !strings.Contains(problems[0].Msg, "domains") {
		t.Fatalf("untouched: %v", problems)
	}
	lines := strings.Split(string(text), "\n")
	at := problems[0].Pos.Line - 1
	if !strings.Contains(lines[at], "EDIT THIS LINE") {
		t.Errorf("the message names another line: %s", lines[at])
	}
	lines[at] = `domains = ["example.org", ".example.org"]`
	edited := filepath.Join(t.TempDir(), "policy.toml")
	if err := os.WriteFile(edited, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, problems := Load(edited); len(problems) > 0 {
		t.Errorf("edited: %v", problems)
	}
}

// block is a piece of TOML in a document.
type block struct {
	file string
	line int
	text string
}

func (b block) String() string { return fmt.Sprintf("%s:%d", b.file, b.line) }

// documents are the pages with examples of policies.
func documents(t *testing.T) []string {
	t.Helper()
	files := []string{filepath.Join(repo, "README.md")}
	if _, err := os.Stat(files[0]); err != nil {
		t.Error(err)
		files = nil
	}
	for _, dir := range []string{"docs", "contrib"} {
		err := filepath.WalkDir(filepath.Join(repo, dir), func(path string, e fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".md") {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func blocks(t *testing.T, file string) []block {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var found []block
	var inside *block
	for i, line := range strings.Split(string(text), "\n") {
		fence := strings.TrimSpace(line)
		switch {
		case inside == nil && fence == "```toml":
			inside = &block{file: file, line: i + 1}
		case inside != nil && fence == "```":
			found = append(found, *inside)
			inside = nil
		case inside != nil:
			inside.text += line + "\n"
		}
	}
	if inside != nil {
		t.Errorf("%s is not closed", inside)
	}
	return found
}

// Every block of TOML in the documents is a policy, or a part of one.
func TestDocumentedPolicies(t *testing.T) {
	count := 0
	for _, file := range documents(t) {
		for _, b := range blocks(t, file) {
			count++
			t.Run(b.String(), func(t *testing.T) { checkBlock(t, b.text) })
		}
	}
	if count < 5 {
		t.Errorf("only %d blocks of TOML in the documents", count)
	}
}

// checkBlock loads a piece of a policy, in a folder with the files of contrib,
// together with what it may leave to the rest of a policy.
func checkBlock(t *testing.T, text string) {
	var values map[string]any
	if _, err := toml.Decode(text, &values); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"clients.toml", "partners.txt"} {
		content, err := os.ReadFile(filepath.Join(repo, "contrib", name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), string(content))
	}
	if values["include"] == nil {
		write(t, filepath.Join(dir, "base.toml"), base(values))
		text = `include = ["base.toml"]` + "\n" + text
	}
	path := filepath.Join(dir, "policy.toml")
	write(t, path, text)
	if _, problems := Load(path); problems.Err() != nil {
		t.Error(problems)
	}
}

// base has what a piece of a policy may leave out: a name of the gateway that
// does not depend on the host, and the lists of contrib/policy.toml.
func base(values map[string]any) string {
	var b strings.Builder
	if g, _ := values["gateway"].(map[string]any); g["name"] == nil {
		b.WriteString("[gateway]\nname = \"mx1.example.org\"\n")
	}
	b.WriteString("[lists]\n")
	lists, _ := values["lists"].(map[string]any)
	for _, name := range []string{"partners", "freemail", "traps", "vip"} {
		if lists[name] == nil {
			b.WriteString(name + " = [\"partner.example\"]\n")
		}
	}
	return b.String()
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The manual has each key that the decoder takes, under its section, and no
// other; and each attribute that rules know.
func TestManualNamesEveryKey(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(repo, "docs/man/policy.toml.5"))
	if err != nil {
		t.Fatal(err)
	}
	manual := string(text)
	d := newDecoder()
	inText := map[string]string{"trace": "[journal]", "a list": "[lists]"} // where their keys are told of
	for name, fields := range d.schema() {
		want := map[string]bool{}
		for _, f := range fields {
			if f.Read != nil {
				want[f.Key] = true
			}
		}
		if section, ok := inText[name]; ok {
			for key := range want {
				if !strings.Contains(part(t, manual, section), ".Ic "+key+"\n") {
					t.Errorf("%s in %s is not in the manual", key, name)
				}
			}
			continue
		}
		got := items(part(t, manual, name))
		for key := range want {
			if !got[key] {
				t.Errorf("%s in %s is not in the manual", key, name)
			}
		}
		for key := range got {
			if !want[key] {
				t.Errorf("%s in %s is in the manual only", key, name)
			}
		}
	}
	for _, s := range d.sections() {
		if s.read != nil {
			part(t, manual, s.String())
		}
	}

	var attributes []string
	for _, a := range rules.Catalogue() {
		attributes = append(attributes, a.Attr.String())
	}
	slices.Sort(attributes)
	_, after, _ := strings.Cut(manual, ".Sh ATTRIBUTES\n")
	if got := slices.Sorted(maps.Keys(items(after))); !slices.Equal(got, attributes) {
		t.Errorf("attributes in the manual: %q, in the catalogue: %q", got, attributes)
	}
}

// Each attribute has a row in a table of docs/policy.md, and a case in which a real
// message meets it.
func TestAttributesAreToldOf(t *testing.T) {
	guide, cases := texts(t, "docs/policy.md"), texts(t, "test/cases/*/policy*.toml")
	for _, a := range rules.Catalogue() {
		name := a.Name
		if a.Member != "" {
			name = a.Member
		}
		if !regexp.MustCompile("(?m)^\\|[^|]*[`.]" + name + "[.`]").MatchString(guide) {
			t.Errorf("%s has no row in docs/policy.md", a.Attr)
		}
		if !regexp.MustCompile(`\b` + name + `\b`).MatchString(cases) {
			t.Errorf("%s is in no case below test/cases", a.Attr)
		}
	}
}

// texts are those of all files of a pattern, which has some.
func texts(t *testing.T, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(repo, pattern))
	if err != nil || len(files) == 0 {
		t.Fatal(pattern, err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

// Each type of modules is told of: in the manual, with its keys; in
// docs/policy.md; and by a case in which a real message meets it.
func TestModuleTypesAreToldOf(t *testing.T) {
	manual := part(t, texts(t, "docs/man/policy.toml.5"), "[[module]]")
	guide, cases := texts(t, "docs/policy.md"), texts(t, "test/cases/*/policy*.toml")
	for _, kind := range types.Modules() {
		said := regexp.MustCompile(`(?m)^\s*type\s*=\s*"` + kind.Name + `"`)
		if !strings.Contains(manual, ".Ql "+kind.Name) {
			t.Errorf("type %q is not in policy.toml(5)", kind.Name)
		}
		if !said.MatchString(guide) {
			t.Errorf("type %q is in no example of docs/policy.md", kind.Name)
		}
		if !said.MatchString(cases) {
			t.Errorf("type %q is in no case below test/cases", kind.Name)
		}
		into, _ := kind.Settings()
		for _, k := range settings.Keys(into) {
			_, item, found := strings.Cut(manual, ".It Ic "+k.Name+"\n")
			item, _, _ = strings.Cut(item, ".It Ic ")
			if k.Name != "" && (!found || !strings.Contains(item, ".Ql "+kind.Name)) {
				t.Errorf("policy.toml(5) does not say of %s that type %q has it", k.Name, kind.Name)
			}
		}
	}
}

// Each source of clients is told of in docs/policy.md, in a line on [clients], and has
// a case in which a real message is for a client of it. Its keys in the manual are
// those of TestManualNamesEveryKey.
func TestClientSourcesAreToldOf(t *testing.T) {
	guide, cases := texts(t, "docs/policy.md"), texts(t, "test/cases/*/policy*.toml")
	for _, s := range newClientSources() {
		key := s.keys[0].Name
		if !regexp.MustCompile("(?m)`\\[clients\\] " + key + " = ").MatchString(guide) {
			t.Errorf("docs/policy.md has no `[clients] %s = …`", key)
		}
		if !regexp.MustCompile(`(?m)^\[clients\]\n(.+\n)*` + key + ` *= `).MatchString(cases) {
			t.Errorf("no case below test/cases has %s in [clients]", key)
		}
	}
}

// part is the subsection of a section in the manual.
func part(t *testing.T, manual, name string) string {
	t.Helper()
	_, after, ok := strings.Cut(manual, ".Ss "+name+"\\&\n")
	if !ok {
		t.Fatalf("%s is not in the manual", name)
	}
	end := regexp.MustCompile(`(?m)^\.S[sh] `).FindStringIndex(after)
	return after[:end[0]]
}

// items are the keys that a part of the manual tells of.
func items(text string) map[string]bool {
	found := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\.It Ic (\S+)`).FindAllStringSubmatch(text, -1) {
		found[m[1]] = true
	}
	return found
}
