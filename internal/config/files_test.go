package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/internal/policyfile/values"
	"github.com/tollgate-mail/tollgate/rules"
)

// minimal is a policy that needs nothing more.
const minimal = `[gateway]
name = "mx1.example.org"
[recipients]
mode = "domains"
domains = ["example.org"]
`

// loadText loads a text, in a folder with other files.
func loadText(t *testing.T, text string, files map[string]string) (*Config, rules.Problems, string) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		write(t, filepath.Join(dir, name), content)
	}
	path := filepath.Join(dir, "policy.toml")
	write(t, path, text)
	cfg, problems := Load(path)
	return cfg, problems, dir
}

// wantProblem checks that there is one problem, which has a text in it.
func wantProblem(t *testing.T, problems rules.Problems, line int, text string) {
	t.Helper()
	if len(problems) != 1 || problems[0].Pos.Line != line || !strings.Contains(problems[0].Msg, text) {
		t.Errorf("problems %q, want one at line %d with %q", problems, line, text)
	}
}

func TestUnreadablePolicy(t *testing.T) {
	dir := t.TempDir()
	_, problems := Load(filepath.Join(dir, "none.toml"))
	wantProblem(t, problems, 0, "no such file")
	_, problems = Load(dir)
	wantProblem(t, problems, 0, "it is a directory, not a file")
	_, problems = Load(filepath.Join(dir, "a\x00b"))
	wantProblem(t, problems, 0, "invalid argument")
}

func TestOversizedPolicy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy.toml")
	write(t, path, minimal)
	if err := os.Truncate(path, 50<<20); err != nil {
		t.Fatal(err)
	}
	_, problems := Load(path)
	wantProblem(t, problems, 0, "the file is larger than 32 MiB")
}

// What is no policy at all is told of to an end.
func TestManyProblems(t *testing.T) {
	_, problems, _ := loadText(t, minimal+"[outbound]\nnetworks = ["+strings.Repeat("1,", 2*values.MaxProblems)+"]\n", nil)
	wantProblem(t, problems[values.MaxProblems:], 7, "and 10000 more errors")
}

// A list has an end.
func TestListOfADevice(t *testing.T) {
	_, problems, _ := loadText(t, minimal+"[lists]\nendless = { file = \"/dev/zero\" }\n", nil)
	wantProblem(t, problems, 7, "it is a device, pipe or socket, not a file")
}

// A folder of include that cannot be read is not one without files.
func TestIncludeFolderUnreadable(t *testing.T) {
	long := strings.Repeat("x", 300) // stands for what the system refuses, for root as well
	for _, pattern := range []string{long + "/*.toml", long + "/*/a.toml", long + "/a.toml"} {
		_, problems, _ := loadText(t, "include = [\""+pattern+"\"]\n"+minimal, map[string]string{"d/1.toml": ""})
		wantProblem(t, problems, 1, "what it includes cannot be read")
	}
}

func TestSocketPath(t *testing.T) {
	short := "/" + strings.Repeat("x", maxSocketPath-1)
	text := strings.Replace(minimal, "\n", "\nlisten = [%q]\n", 1)
	cfg, problems, _ := loadText(t, fmt.Sprintf(text, "unix:"+short), nil)
	if len(problems) > 0 || cfg.Listen[0] != "unix:"+short {
		t.Error(problems)
	}
	_, problems, _ = loadText(t, fmt.Sprintf(text, "unix:"+short+"x"), nil)
	wantProblem(t, problems, 2, "the path of a socket has at most")
}

func TestRelativePaths(t *testing.T) {
	cfg, problems, dir := loadText(t, `include = ["sub/a.toml"]
[gateway]
name = "mx1.example.org"
listen = ["unix:run/a", "unix:/run/b"]
state_dir = "../state"
[recipients]
mode = "domains"
domains = ["example.org"]
`, map[string]string{
		"sub/a.toml":       "[journal]\ndir = \"journal\"\n[lists]\nl = { file = \"../lists/l\" }\n[clients]\nfile = \"clients.toml\"\n",
		"lists/l":          "example.com\n",
		"sub/clients.toml": "[[client]]\nid = \"a\"\naddresses = [\"a@example.org\"]\n",
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	got := []string{cfg.Listen[0], cfg.Listen[1], cfg.StateDir, cfg.JournalDir}
	want := []string{"unix:" + dir + "/run/a", "unix:/run/b", filepath.Dir(dir) + "/state", dir + "/sub/journal"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if cfg.Lists != 1 || cfg.Gate.Directory.Client("a") == nil {
		t.Error("the list or the client was not read")
	}
}

// Where the policy gives no name, the host's is taken, or it is a problem.
func TestHostName(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	cfg, problems, _ := loadText(t, "[recipients]\nmode = \"domains\"\ndomains = [\"example.org\"]\n", nil)
	if isGatewayName(host) {
		if cfg == nil || cfg.Gate.Gateway != host {
			t.Errorf("%q: %v", host, problems)
		}
		return
	}
	wantProblem(t, problems, 1, "[gateway] has no name")
}

func TestPasswordFile(t *testing.T) {
	const policy = minimal + "[redis]\naddrs = [\"127.0.0.1:6379\"]\npassword_file = \"password\"\n"
	root := os.Geteuid() == 0
	for _, c := range []struct {
		content string
		mode    os.FileMode
		owner   int // where we can choose
		want    string
		problem string
	}{
		{"secret", 0o600, 0, "secret", ""},
		{"secret\n", 0o400, 1, "secret", ""},
		{"se cret \r\n\n", 0o600, 0, "se cret ", ""},
		{"secret\n", 0o644, 0, "secret", "others can read"},
		{"secret\n", 0o604, 1, "secret", "others can read"},
		{"secret\n", 0o640, 1, "secret", "others can read"},
		{"secret\n", 0o660, 0, "secret", "others can read"},
		{"secret\n", 0o640, 0, "secret", ""},
		{"", 0o600, 0, "", "its only line"},
		{"\n", 0o600, 0, "", "its only line"},
		{"one\ntwo\n", 0o600, 0, "", "its only line"},
	} {
		if c.mode&0o077 == 0o040 && c.owner == 0 && !root {
			continue // needs a file of root
		}
		dir := t.TempDir()
		write(t, filepath.Join(dir, "password"), c.content)
		if err := os.Chmod(filepath.Join(dir, "password"), c.mode); err != nil {
			t.Fatal(err)
		}
		if root {
			if err := os.Chown(filepath.Join(dir, "password"), c.owner, -1); err != nil {
				t.Fatal(err)
			}
		}
		path := filepath.Join(dir, "policy.toml")
		write(t, path, policy)
		cfg, problems := Load(path)
		if c.problem != "" {
			wantProblem(t, problems, 8, c.problem)
		} else if len(problems) > 0 {
			t.Errorf("%q %o: %v", c.content, c.mode, problems)
		}
		if cfg != nil && cfg.Redis.Password != c.want {
			t.Errorf("%q, want %q", cfg.Redis.Password, c.want)
		}
	}
}

func TestRedisCertificates(t *testing.T) {
	cert, key := certificate(t)
	policy := minimal + "[redis]\naddrs = [\"redis.example.org:6379\"]\ntls = true\nca_file = \"cert.pem\"\ncert_file = \"cert.pem\"\nkey_file = \"key.pem\"\n"
	cfg, problems, dir := loadText(t, policy, map[string]string{"cert.pem": cert, "key.pem": key})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := Redis{
		Addr: "redis.example.org:6379", Addrs: []string{"redis.example.org:6379"}, TLS: true, Prefix: "tg:",
		CAFile: filepath.Join(dir, "cert.pem"), CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem"),
	}
	if !reflect.DeepEqual(*cfg.Redis, want) {
		t.Errorf("%+v", cfg.Redis)
	}
	_, other := certificate(t)
	_, problems, _ = loadText(t, policy, map[string]string{"cert.pem": cert, "key.pem": other})
	wantProblem(t, problems, 10, "private key does not match")
}

func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
}

func TestTimeZoneHint(t *testing.T) {
	if len(values.ZoneNames()) == 0 {
		t.Skip("this system has no time zone database to take names from")
	}
	_, problems, _ := loadText(t, minimal+"[accounting]\ntimezone = \"Europe/Moskow\"\n", nil)
	wantProblem(t, problems, 7, "did you mean Europe/Moscow?")
}

func TestDomainsFile(t *testing.T) {
	dir := t.TempDir()
	path, list := filepath.Join(dir, "policy.toml"), filepath.Join(dir, "domains")
	write(t, path, "[recipients]\nmode = \"domains\"\ndomains = [\"example.org\"]\ndomains_file = \"domains\"\n")
	write(t, list, "\ufeff# ours\n.example.net  # and theirs\n\n  тест.рф\n")
	cfg, problems := Load(path)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for addr, want := range map[string]bool{"a@example.org": true, "a@x.example.net": true, "a@example.net": false, "a@xn--e1aybc.xn--p1ai": true, "a@example.com": false} {
		if got := cfg.Gate.Directory.Lookup(addr).Standing == directory.Ours; got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
	write(t, list, "example.com\nexample.org\n")
	_, problems = Load(path)
	wantProblem(t, problems, 2, "stands there twice")
	write(t, list, "example.com\n\nnot a domain\n")
	_, problems = Load(path)
	wantProblem(t, problems, 3, "not a domain")
	write(t, list, "# none\n")
	_, problems = Load(path)
	wantProblem(t, problems, 4, "no domain in it")
	if err := os.Remove(list); err != nil {
		t.Fatal(err)
	}
	_, problems = Load(path)
	wantProblem(t, problems, 4, "cannot read the domains")
}

func TestPlaces(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "policy.toml")
	write(t, path, "include = [\"j.toml\"]\n[gateway]\nname = 1\nstate_dir = \"state\"\npostfix_config = \"pf\"\nlisten = [\"unix:m.sock\"]\n[[rule]]\n[oops]\n")
	write(t, filepath.Join(dir, "j.toml"), "[journal]\ndir = \"/var/journal\"\n")
	places, problems := LoadPlaces(path)
	if want := (Places{filepath.Join(dir, "state"), filepath.Join(dir, "pf"), "/var/journal", []string{"unix:" + filepath.Join(dir, "m.sock")}, time.UTC}); problems.Err() != nil || !reflect.DeepEqual(places, want) {
		t.Errorf("%+v, %v", places, problems)
	}

	write(t, path, "[gateway]\nstate_dir = 1\n[journal]\n")
	_, problems = LoadPlaces(path)
	wantProblem(t, problems, 2, "state_dir must be a string")

	write(t, path, "")
	places, problems = LoadPlaces(path)
	if want := (Places{defaultStateDir, defaultPostfixConfig, defaultJournalDir, []string{defaultListen}, time.UTC}); problems.Err() != nil || !reflect.DeepEqual(places, want) {
		t.Errorf("%+v, %v", places, problems)
	}
}

// A text that is no TOML hides none of the places that can still be read.
func TestPlacesOfABrokenPolicy(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "policy.toml")
	const good = "[gateway]\nstate_dir = \"state\" # here\nlisten = [\n  \"inet:127.0.0.1:1\",\n]\n[journal]\ndir = 'logs'\n"
	for _, text := range []string{
		good + "bad = \n",
		"bad = \n" + good,
		good + "[[rule]]\nname = \"no end\n",
		"[oops\n" + good,
		good + "[x]\ntext = \"\"\"without end\n",
		"x = \xff\n" + good,
		good + "[gateway]\nstate_dir = \"other\"\n",
		"gateway.state_dir = \"state\"\ngateway = { listen = [\"inet:127.0.0.1:1\"] }\n\"journal\" . dir = \"logs\"\nbad =",
		"include = [\"good.toml\"]\nbad = \n",
		"include = [\n \"bad.toml\" ]\n",
	} {
		write(t, path, text)
		write(t, filepath.Join(dir, "good.toml"), good)
		write(t, filepath.Join(dir, "bad.toml"), good+"=\n")
		places, problems := FindPlaces(path)
		want := Places{filepath.Join(dir, "state"), defaultPostfixConfig, filepath.Join(dir, "logs"), []string{"inet:127.0.0.1:1"}, time.UTC}
		if problems.Err() != nil || len(problems) == 0 || !reflect.DeepEqual(places, want) {
			t.Errorf("%q: %+v, %v", text, places, problems)
			continue
		}
		if msg := problems[0].String(); !strings.Contains(msg, want.StateDir+" (") || !strings.Contains(msg, want.JournalDir+" (") {
			t.Errorf("%q: it is not said what is taken: %s", text, msg)
		}
	}
	write(t, path, "[gateway\n")
	places, problems := FindPlaces(path)
	if problems.Err() != nil || places.StateDir != defaultStateDir || !strings.Contains(problems.Error(), "the default") {
		t.Errorf("%+v, %v", places, problems)
	}
	// Who changes something has it whole or not at all.
	if _, problems := LoadPlaces(path); problems.Err() == nil {
		t.Errorf("LoadPlaces: %v", problems)
	}
	// A place that can be read and is none stays an error.
	write(t, path, "[gateway]\nstate_dir = 1\nbad =\n")
	_, problems = FindPlaces(path)
	wantProblem(t, problems, 2, "state_dir must be a string")
}
