package test

import (
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// spoken are texts of pages and of PHP.
var spoken = regexp.MustCompile(`(?:lang\._|gettext)\('((?:[^'\\]|\\.)*)'\)`)

// Every text of the plugin (pages, forms, menu, privileges, model, PHP) has its
// Russian, and the catalogue has nothing else.
func TestOPNsenseRussian(t *testing.T) {
	t.Parallel()
	root := moduleRoot(t)
	source := filepath.Join(root, plugin, "src")
	texts := map[string]string{} // to where it stands
	err := filepath.WalkDir(source, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		switch filepath.Ext(path) {
		case ".volt", ".php", ".inc":
			for _, m := range spoken.FindAllSubmatch(b, -1) {
				texts[strings.NewReplacer(`\'`, `'`, `\\`, `\`).Replace(string(m[1]))] = path
			}
		case ".xml":
			return xmlTexts(b, func(text string) { texts[text] = path })
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(texts) < 200 {
		t.Errorf("only %d texts were found", len(texts))
	}
	russian := catalogue(t, filepath.Join(source, "share/tollgate/ru_RU.po"))
	for text, path := range texts {
		if russian[text] == "" {
			t.Errorf("%s: no Russian for %q", filepath.Base(path), text)
		}
	}
	cyrillic := regexp.MustCompile(`\p{Cyrillic}`)
	same := []string{"DNS", "HELO", "2027-01-31", "Europe/Moscow", "Mo-Fr 08:00-20:00"} // examples and names
	for text, translated := range russian {
		if text != "" && texts[text] == "" {
			t.Errorf("nothing says %q any more", text)
		}
		if text != "" && !cyrillic.MatchString(translated) && !slices.Contains(same, text) {
			t.Errorf("%q is no Russian", translated)
		}
	}
	run(t, root, "msgfmt", "--check", "-o", os.DevNull, filepath.Join(source, "share/tollgate/ru_RU.po"))
}

// xmlTexts are what forms, menus, privileges and models show.
func xmlTexts(b []byte, found func(string)) error {
	d := xml.NewDecoder(strings.NewReader(string(b)))
	var path []string
	shown := []string{"label", "help", "hint", "ValidationMessage", "name", "description"}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch e := token.(type) {
		case xml.StartElement:
			path = append(path, e.Name.Local)
			if path[0] != "menu" || len(path) < 3 {
				continue
			}
			name := e.Name.Local
			for _, a := range e.Attr {
				if a.Name.Local == "VisibleName" {
					name = a.Value
				}
			}
			found(name)
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			text, at := strings.TrimSpace(string(e)), len(path)-1
			if text == "" || at < 1 {
				continue
			}
			switch last := path[at]; {
			case path[0] == "model" && path[1] == "description": // told to nobody
			case path[0] == "acl" && (last == "name" || last == "description"),
				path[0] == "model" && (last == "ValidationMessage" || path[at-1] == "OptionValues"),
				path[0] == "form" && slices.Contains(shown[:3], last):
				found(text)
			}
		}
	}
}

// catalogue reads a .po file whose texts stand in one line each.
func catalogue(t *testing.T, path string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all, id := map[string]string{}, ""
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if quoted, ok := strings.CutPrefix(line, "msgid "); ok {
			if id, err = strconv.Unquote(quoted); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
		} else if quoted, ok := strings.CutPrefix(line, "msgstr "); ok {
			if all[id], err = strconv.Unquote(quoted); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
		}
	}
	return all
}

// Our texts come into core's catalogue, those of core stay as they are, and a
// second time changes nothing.
func TestOPNsenseTranslate(t *testing.T) {
	t.Parallel()
	root, dir := moduleRoot(t), t.TempDir()
	at := filepath.Join(dir, "locale/ru_RU/LC_MESSAGES")
	if err := errors.Join(os.MkdirAll(at, 0o755), os.MkdirAll(filepath.Join(dir, "tollgate"), 0o755)); err != nil {
		t.Fatal(err)
	}
	core := "msgid \"\"\nmsgstr \"Content-Type: text/plain; charset=UTF-8\\n\"\n\nmsgid \"Search\"\nmsgstr \"Поиск\"\n\nmsgid \"Reboot\"\nmsgstr \"Перезагрузить\"\n"
	if err := os.WriteFile(filepath.Join(dir, "core.po"), []byte(core), 0o644); err != nil {
		t.Fatal(err)
	}
	mo := filepath.Join(at, "OPNsense.mo")
	run(t, dir, "msgfmt", "-o", mo, "core.po")
	run(t, root, "cp", filepath.Join(plugin, "src/share/tollgate/ru_RU.po"), filepath.Join(dir, "tollgate"))
	for range 2 {
		c := exec.Command("sh", filepath.Join(root, plugin, "src/opnsense/scripts/OPNsense/Tollgate/translate.sh"))
		c.Env = append(os.Environ(), "LOCALEBASE="+dir)
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		run(t, dir, "msgunfmt", "-o", "all.po", "--no-wrap", mo)
		got := catalogue(t, filepath.Join(dir, "all.po"))
		if got["Search"] != "Поиск" || got["Reboot"] != "Перезагрузить" || got["Held Mail"] != "Задержанная почта" {
			t.Errorf("%q %q %q", got["Search"], got["Reboot"], got["Held Mail"])
		}
	}
}

// The model's own checks, under PHPUnit with a stub of core.
func TestOPNsensePHPUnit(t *testing.T) {
	t.Parallel()
	run(t, moduleRoot(t), "phpunit", "--no-configuration", "--do-not-cache-result", "contrib/opnsense/test/php/ModelTest.php")
}
