//go:build opnsense_core

package test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// core is an OPNsense made of checkouts of its repositories, with the plugin laid over
// them.
type core struct{ root, service, mvc string }

func newCore(t *testing.T) core {
	t.Helper()
	repository, plugins := os.Getenv("OPNSENSE_CORE"), os.Getenv("OPNSENSE_PLUGINS")
	if repository == "" || plugins == "" {
		t.Fatal("OPNSENSE_CORE and OPNSENSE_PLUGINS name checkouts of OPNsense's repositories")
	}
	root, dir := moduleRoot(t), t.TempDir()
	c := core{root, filepath.Join(dir, "service"), filepath.Join(dir, "mvc/app")}
	for _, laid := range [][2]string{
		{filepath.Join(repository, "src/opnsense/service"), c.service},
		{filepath.Join(plugins, "mail/postfix/src/opnsense/service/templates"), filepath.Join(c.service, "templates")},
		{filepath.Join(root, templates), filepath.Join(c.service, "templates")},
		{filepath.Join(repository, "src/opnsense/mvc/app"), c.mvc},
		{filepath.Join(root, plugin, "src/opnsense/mvc/app"), c.mvc},
	} {
		if err := os.MkdirAll(laid[1], 0o755); err != nil {
			t.Fatal(err)
		}
		run(t, root, "cp", "-R", laid[0]+"/.", laid[1])
	}
	return c
}

// render has core's engine write what a config.xml asks for.
func (c core) render(t *testing.T, config string) (out string) {
	t.Helper()
	out = t.TempDir()
	for _, module := range []string{"OPNsense/Tollgate", "OPNsense/Postfix"} {
		said, err := exec.Command("/usr/bin/python3", filepath.Join(c.service, "template_ctl.py"), "-c", config, "-r", out, module).CombinedOutput()
		if err != nil || strings.TrimSpace(string(said)) != "templates...done" {
			t.Fatalf("%s: %v: %s", module, err, said)
		}
	}
	return out
}

func TestOPNsenseCoreTemplates(t *testing.T) {
	t.Parallel()
	c := newCore(t)
	samples, err := filepath.Glob(filepath.Join(c.root, "contrib/opnsense/test/samples/*.xml"))
	if err != nil || len(samples) < 12 {
		t.Fatal(samples, err)
	}
	for _, sample := range samples {
		t.Run(strings.TrimSuffix(filepath.Base(sample), ".xml"), func(t *testing.T) {
			out, mini := c.render(t, sample), t.TempDir()
			run(t, c.root, binary, "check", "--policy", filepath.Join(out, "usr/local/etc/tollgate/policy.toml"))
			run(t, c.root, "/usr/bin/python3", "contrib/opnsense/test/render.py", "--config", sample, "--out", mini, "--templates", templates, "OPNsense/Tollgate")
			for _, name := range []string{"usr/local/etc/tollgate/policy.toml", "etc/rc.conf.d/tollgate"} {
				if got, want := written(t, out, name), written(t, mini, name); !slices.Equal(got, want) {
					t.Errorf("%s: core writes\n%s\nrender.py\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			}
			stock, ours := mainCF(t, out, "main.cf.os-postfix"), mainCF(t, out, "main.cf")
			if got, want := slices.DeleteFunc(slices.Clone(ours), isMilterLine), slices.DeleteFunc(slices.Clone(stock), isMilterLine); !slices.Equal(got, want) {
				t.Errorf("main.cf differs from the stock file in more than its milters:\n%q\n%q", got, want)
			}
			if attached := slices.ContainsFunc(ours, func(l string) bool { return strings.Contains(l, "tollgate/milter.sock") }); attached != attachedIn(t, sample) {
				t.Errorf("attached: %v\n%s", attached, strings.Join(ours, "\n"))
			}
			run(t, out, "postconf", "-n", "-c", filepath.Join(out, "usr/local/etc/postfix"))
		})
	}
}

// written are the lines of a rendered file that have something in them.
func written(t *testing.T, out, name string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(out, name))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(strings.Split(string(b), "\n"), func(l string) bool { return strings.TrimSpace(l) == "" })
}

// model migrates a config.xml, brings a plan onto the pages where there is one, and
// has the result checked and saved by core's model.
func (c core) model(t *testing.T, config string, plan ...string) (saved string) {
	t.Helper()
	dir := t.TempDir()
	saved = filepath.Join(dir, "config.xml")
	if err := os.WriteFile(saved, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"contrib/opnsense/test/php/core.php", filepath.Dir(c.mvc), dir}, plan...)
	cmd := exec.Command("php", args...)
	cmd.Dir = c.root
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%v: %s", err, out)
	}
	return saved
}

func TestOPNsenseCoreMigration(t *testing.T) {
	t.Parallel()
	c := newCore(t)
	before, err := os.ReadFile(filepath.Join(c.root, "contrib/opnsense/test/php/config-1.0.2.xml"))
	if err != nil {
		t.Fatal(err)
	}
	saved := c.model(t, string(before))
	after, err := os.ReadFile(saved)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<tollgate version="1.1.0"`, "<node>\n        <name>mx1.example.org</name>", "<report_header>X-Gate</report_header>", "<pattern>lotter(y|ies)</pattern>"} {
		if !strings.Contains(string(after), want) {
			t.Errorf("there is no %q in\n%s", want, after)
		}
	}
	old := filepath.Join(t.TempDir(), "config.xml")
	if err := os.WriteFile(old, before, 0o644); err != nil {
		t.Fatal(err)
	}
	const policy = "usr/local/etc/tollgate/policy.toml"
	if was, is := written(t, c.render(t, old), policy), written(t, c.render(t, saved), policy); !slices.Equal(was, is) {
		t.Errorf("the migration changed the policy:\n%s\n\n%s", strings.Join(was, "\n"), strings.Join(is, "\n"))
	}
}

func TestOPNsenseCoreImport(t *testing.T) {
	t.Parallel()
	c := newCore(t)
	policies, err := filepath.Glob(filepath.Join(c.root, "contrib/examples/*/policy.toml"))
	if err != nil || len(policies) < 10 {
		t.Fatal(policies, err)
	}
	for _, policy := range append(policies, filepath.Join(c.root, "contrib/policy.toml")) {
		t.Run(filepath.Base(filepath.Dir(policy)), func(t *testing.T) {
			mini := t.TempDir()
			imported := exec.Command("/usr/bin/python3", "contrib/opnsense/test/imported.py", policy, mini)
			imported.Dir, imported.Env = c.root, append(os.Environ(), "TOLLGATE="+binary)
			if out, err := imported.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			fresh := "<opnsense><system><hostname>gw</hostname><domain>example.org</domain></system></opnsense>"
			out := c.render(t, c.model(t, fresh, filepath.Join(mini, "plan.json")))
			const folder = "usr/local/etc/tollgate"
			if err := os.Mkdir(filepath.Join(out, folder, "conf.d"), 0o755); err != nil {
				t.Fatal(err)
			}
			rest, err := os.ReadFile(filepath.Join(mini, folder, "conf.d/imported.toml"))
			if err == nil {
				err = os.WriteFile(filepath.Join(out, folder, "conf.d/imported.toml"), rest, 0o644)
			} else if errors.Is(err, os.ErrNotExist) {
				err = nil
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, difference := range differences(t, policy, filepath.Join(out, folder, "policy.toml")) {
				t.Error(difference)
			}
		})
	}
}
