package test

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// privilege is one of ACL.xml.
type privilege struct {
	XMLName  xml.Name
	Patterns []string `xml:"patterns>pattern"`
}

// allows is how OPNsense's core asks a pattern: a star is anything, all else stands for
// itself, and letters of both cases differ.
func (p privilege) allows(url string) bool {
	return slices.ContainsFunc(p.Patterns, func(pattern string) bool {
		mask := strings.NewReplacer(".", `\.`, "*", ".*", "?", `\?`).Replace(pattern)
		return regexp.MustCompile("^/" + mask + "$").MatchString(url)
	})
}

const (
	mayChange = "page-services-tollgate"
	mayRead   = "page-services-tollgate-read"
	mayMail   = "page-services-tollgate-mail"
	mayLog    = "page-services-tollgate-log"
)

// whoMay has a row for every end of the API: which privileges open it. A controller's
// action without a row fails the test.
var whoMay = map[string][]string{
	"report/search": {mayChange, mayRead}, "history/search": {mayChange, mayRead},
	"service/details": {mayChange, mayRead}, "service/status": {mayChange, mayRead},
	"service/reconfigure": {mayChange}, "service/check": {mayChange}, "service/start": {mayChange}, "service/stop": {mayChange}, "service/restart": {mayChange},
	"settings/get": {mayChange}, "settings/set": {mayChange},
	"journal/search": {mayMail}, "journal/story": {mayMail},
	"hold/search": {mayMail}, "hold/release": {mayMail}, "hold/delete": {mayMail},
}

// whoMaySee has who may open a page.
var whoMaySee = map[string][]string{
	"ui/tollgate/": {mayChange}, "ui/tollgate/index/rules": {mayChange}, "ui/tollgate/index/clients": {mayChange},
	"ui/tollgate/index/report": {mayChange, mayRead}, "ui/tollgate/index/status": {mayChange, mayRead}, "ui/tollgate/index/history": {mayChange, mayRead},
	"ui/tollgate/index/journal": {mayMail}, "ui/tollgate/index/hold": {mayMail},
	"ui/diagnostics/log/core/tollgate": {mayLog},
}

// Each end of the plugin's API and each page under each privilege: what opens mail of
// others opens nothing else, and who only reads changes nothing.
func TestOPNsensePrivileges(t *testing.T) {
	t.Parallel()
	app := filepath.Join(moduleRoot(t), "contrib/opnsense/mail/tollgate/src/opnsense/mvc/app")
	var acl struct {
		All []privilege `xml:",any"`
	}
	read := func(path string) string {
		text, err := os.ReadFile(filepath.Join(app, path))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if err := xml.Unmarshal([]byte(read("models/OPNsense/Tollgate/ACL/ACL.xml")), &acl); err != nil {
		t.Fatal(err)
	}
	granted := func(url string) (all []string) {
		for _, p := range acl.All {
			if p.allows(url) {
				all = append(all, p.XMLName.Local)
			}
		}
		return all
	}
	same := func(url string, want []string) {
		if got := granted(url); !slices.Equal(got, want) {
			t.Errorf("%s is open to %q, want %q", url, got, want)
		}
	}
	for end, want := range whoMay {
		same("/api/tollgate/"+end, want)
		// What comes after an action is its parameters.
		if len(want) == 1 {
			same("/api/tollgate/"+end+"/x", want)
		}
		// No other way of writing it opens it to somebody else.
		for _, odd := range []string{strings.ToUpper(end), "/" + end, "x/" + end} {
			for _, p := range granted("/api/tollgate/" + odd) {
				if !slices.Contains(want, p) {
					t.Errorf("%s is open to %s", odd, p)
				}
			}
		}
	}

	action := regexp.MustCompile(`public function (\w+)Action\(`)
	controllers, err := filepath.Glob(filepath.Join(app, "controllers/OPNsense/Tollgate/Api/*Controller.php"))
	if err != nil || len(controllers) < 6 {
		t.Fatal(controllers, err)
	}
	for _, path := range controllers {
		name := strings.ToLower(strings.TrimSuffix(filepath.Base(path), "Controller.php"))
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range action.FindAllStringSubmatch(string(text), -1) {
			end := name + "/" + found[1]
			if name == "settings" {
				same("/api/tollgate/"+end, []string{mayChange})
			} else if whoMay[end] == nil {
				t.Errorf("%s: who may call %s?", filepath.Base(path), end)
			}
		}
	}
	// What changes something by itself, without core's own check, is for POST alone.
	for _, name := range []string{"release", "delete"} {
		body := read("controllers/OPNsense/Tollgate/Api/HoldController.php")
		if !regexp.MustCompile(`function ` + name + `Action\(\)\s*\{\s*return \$this->request->isPost\(\) \?`).MatchString(body) {
			t.Errorf("hold/%s answers a GET", name)
		}
	}

	// Who may open a page may call what it calls; what the menu has can be opened.
	call := regexp.MustCompile(`/api/tollgate/([a-z]+/[a-zA-Z_]*)`)
	for page, want := range whoMaySee {
		same("/"+page, want)
		view := filepath.Base(page) + ".volt"
		switch page {
		case "ui/tollgate/":
			view = "index.volt"
		case "ui/diagnostics/log/core/tollgate":
			same("/api/diagnostics/log/core/tollgate/search", want)
			continue
		}
		for _, found := range call.FindAllStringSubmatch(read("views/OPNsense/Tollgate/"+view), -1) {
			for _, p := range granted("/" + page) {
				if !slices.Contains(granted("/api/tollgate/"+found[1]), p) {
					t.Errorf("%s may open %s and not call %s", p, page, found[1])
				}
			}
		}
	}
	for _, found := range regexp.MustCompile(`url="/([^"]+)"`).FindAllStringSubmatch(read("models/OPNsense/Tollgate/Menu/Menu.xml"), -1) {
		if whoMaySee[found[1]] == nil || len(granted("/"+found[1])) == 0 {
			t.Errorf("the menu leads to %s, which nobody may open", found[1])
		}
	}
}
