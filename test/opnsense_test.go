package test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/test/harness"
)

const (
	plugin    = "contrib/opnsense/mail/tollgate"
	templates = plugin + "/src/opnsense/service/templates"
)

// Every sample configuration renders to a policy that tollgate takes, and to a
// main.cf that differs from the stock one in its milters alone.
func TestOPNsense(t *testing.T) {
	t.Parallel()
	root := moduleRoot(t)
	samples, err := filepath.Glob(filepath.Join(root, "contrib/opnsense/test/samples/*.xml"))
	if err != nil || len(samples) < 12 {
		t.Fatalf("%d samples, %v", len(samples), err)
	}
	for _, sample := range samples {
		t.Run(strings.TrimSuffix(filepath.Base(sample), ".xml"), func(t *testing.T) {
			t.Parallel()
			out := t.TempDir()
			run(t, root, "/usr/bin/python3", "contrib/opnsense/test/render.py", "--config", sample, "--out", out,
				"--templates", "contrib/opnsense/test/stock", "--templates", templates, "OPNsense/Tollgate", "OPNsense/Postfix")
			run(t, root, binary, "check", "--policy", filepath.Join(out, "usr/local/etc/tollgate/policy.toml"))
			stock, ours := mainCF(t, out, "main.cf.os-postfix"), mainCF(t, out, "main.cf")
			want := slices.DeleteFunc(slices.Clone(stock), isMilterLine)
			if got := slices.DeleteFunc(slices.Clone(ours), isMilterLine); !slices.Equal(got, want) {
				t.Errorf("main.cf differs from the stock file in more than its milters:\n%q\n%q", got, want)
			}
			attached := attachedIn(t, sample)
			last := slices.IndexFunc(ours, func(l string) bool {
				return strings.HasPrefix(l, "smtpd_milters = ") && strings.Contains(l, "{ unix:/var/run/tollgate/milter.sock, default_action=") &&
					strings.HasSuffix(l, " }")
			})
			if attached != (last >= 0) {
				t.Errorf("attached: %v, main.cf:\n%s", attached, strings.Join(ours, "\n"))
			}
			if !attached && !slices.Equal(stock, ours) {
				t.Errorf("main.cf is not the stock one:\n%q\n%q", ours, stock)
			}
			run(t, out, "postconf", "-n", "-c", filepath.Join(out, "usr/local/etc/postfix"))
		})
	}
}

// mainCF is a rendered file without its empty lines.
func mainCF(t *testing.T, out, name string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(out, "usr/local/etc/postfix", name))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(strings.Split(string(b), "\n"), func(l string) bool { return strings.TrimSpace(l) == "" })
}

func isMilterLine(l string) bool {
	return strings.HasPrefix(l, "smtpd_milters") || strings.HasPrefix(l, "non_smtpd_milters") ||
		strings.HasPrefix(l, "milter_protocol")
}

// attachedIn reads what a sample says of tollgate and Postfix.
func attachedIn(t *testing.T, sample string) bool {
	t.Helper()
	var config struct {
		OPNsense struct {
			Tollgate struct {
				General struct {
					Enabled string `xml:"enabled"`
					Attach  string `xml:"attach"`
				} `xml:"general"`
			} `xml:"tollgate"`
			Postfix struct {
				General struct {
					Enabled string `xml:"enabled"`
				} `xml:"general"`
			} `xml:"postfix"`
		} `xml:"OPNsense"`
	}
	b, err := os.ReadFile(sample)
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(b, &config); err != nil {
		t.Fatal(err)
	}
	o := config.OPNsense
	return o.Tollgate.General.Enabled == "1" && o.Tollgate.General.Attach != "0" && o.Postfix.General.Enabled == "1"
}

// The files of the plugin are what their own checkers ask for.
func TestOPNsenseLint(t *testing.T) {
	t.Parallel()
	root := moduleRoot(t)
	checks := map[string][][]string{
		".php": {{"php", "-l"}, {"phpcs", "--standard=PSR12", "-q"}},
		".inc": {{"php", "-l"}},
		".xml": {{"xmllint", "--noout"}},
		".py":  {{"pycodestyle", "--max-line-length=120"}},
		".sh":  {{"sh", "-n"}},
	}
	seen := map[string]int{}
	err := filepath.WalkDir(filepath.Join(root, "contrib/opnsense"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		kind := filepath.Ext(path)
		if strings.HasPrefix(e.Name(), "+P") {
			kind = ".sh"
		}
		for _, argv := range checks[kind] {
			run(t, root, argv[0], append(argv[1:], path)...)
		}
		seen[kind]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for kind := range checks {
		if seen[kind] == 0 {
			t.Errorf("no file %s was checked", kind)
		}
	}
}

// Each field of a form, and each that the templates read, is a field of the
// model.
func TestOPNsenseModel(t *testing.T) {
	t.Parallel()
	root := moduleRoot(t)
	app := filepath.Join(root, plugin, "src/opnsense/mvc/app")
	known := modelFields(t, filepath.Join(app, "models/OPNsense/Tollgate/Tollgate.xml"))
	forms, err := filepath.Glob(filepath.Join(app, "controllers/OPNsense/Tollgate/forms/*.xml"))
	if err != nil || len(forms) == 0 {
		t.Fatal(forms, err)
	}
	asked := map[string]bool{}
	for _, name := range forms {
		var form struct {
			Fields []struct {
				ID string `xml:"id"`
			} `xml:"field"`
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := xml.Unmarshal(b, &form); err != nil {
			t.Fatal(err)
		}
		for _, f := range form.Fields {
			if f.ID == "" {
				continue
			}
			id := strings.TrimPrefix(f.ID, "tollgate.")
			if !known[id] {
				t.Errorf("%s: the model has no %s", filepath.Base(name), f.ID)
			}
			asked[id] = true
		}
	}
	for id := range known {
		if !asked[id] {
			t.Errorf("no form asks for %s of the model", id)
		}
	}
}

// modelFields names the fields of a model: "general.enabled", and "rule.name"
// for one of an array's items.
func modelFields(t *testing.T, file string) map[string]bool {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	var path, types []string
	d := xml.NewDecoder(bytes.NewReader(b))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return known
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			kind := ""
			for _, a := range e.Attr {
				if a.Name.Local == "type" {
					kind = a.Value
				}
			}
			path, types = append(path, e.Name.Local), append(types, kind)
			array := slices.Index(types, "ArrayField")
			switch {
			case kind == "" || kind == "ArrayField":
			case array >= 0:
				known[strings.Join(path[array:], ".")] = true
			default:
				known[strings.Join(path[2:], ".")] = true
			}
		case xml.EndElement:
			path, types = path[:len(path)-1], types[:len(types)-1]
		}
	}
}

// What a person types reaches tollgate as values of options, never as options
// or words of a shell.
func TestOPNsenseQuestions(t *testing.T) {
	t.Parallel()
	root := moduleRoot(t)
	echo := filepath.Join(t.TempDir(), "tollgate")
	if err := os.WriteFile(echo, []byte("#!/bin/sh\nfor a; do printf '%s\\n' \"$a\" >> \"$0.args\"; done\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("python3", plugin+"/src/opnsense/scripts/OPNsense/Tollgate/ask.py", "journal",
		"eyJyZWNpcGllbnQiOiAiLS1kaXI9LyAkKGlkKSIsICJzdWJqZWN0IjogIi1uIDEgOyAnXCJgaWRgIn0=")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "TOLLGATE="+echo)
	if out, err := cmd.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != `{"rows": []}` {
		t.Fatalf("%v: %s", err, out)
	}
	got, err := os.ReadFile(echo + ".args")
	if err != nil {
		t.Fatal(err)
	}
	want := "journal\n--json\n--last=500\n--recipient=--dir=/ $(id)\n--subject=-n 1 ; '\"`id`\n"
	if string(got) != want {
		t.Errorf("arguments:\n%s\nwant:\n%s", got, want)
	}
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	root, err := harness.Root()
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
}
