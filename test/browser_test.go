package test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// driverVariable names chromedriver(1); "make test-packages" sets it. Chromium is
// large, and "make test" does without.
const driverVariable = "TOLLGATE_CHROMEDRIVER"

// browser is a headless Chromium, driven as a person would by WebDriver.
type browser struct {
	t    *testing.T
	base string // of the session
}

func newBrowser(t *testing.T, box *harness.Sandbox) *browser {
	t.Helper()
	driver := os.Getenv(driverVariable)
	if driver == "" {
		t.Skip("no browser here: make test-packages runs this (" + driverVariable + ")")
	}
	port, err := box.Port()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(driver, fmt.Sprintf("--port=%d", port))
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill() // its browser was closed with the session
		_ = c.Wait()
	})
	b := &browser{t: t, base: "http://" + harness.Loopback(port)}
	b.until("chromedriver", func() bool {
		answer, err := http.Get(b.base + "/status")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	var session struct{ SessionID string }
	b.call(http.MethodPost, "/session", map[string]any{"capabilities": map[string]any{"alwaysMatch": map[string]any{
		"browserName": "chrome",
		"goog:chromeOptions": map[string]any{"args": []string{
			"--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--window-size=1200,1600", "--user-data-dir=" + box.Path("chromium"),
		}},
	}}}, &session)
	b.base += "/session/" + session.SessionID
	t.Cleanup(func() { b.call(http.MethodDelete, "", nil, nil) })
	return b
}

// call asks the driver; into is for the answer's value.
func (b *browser) call(method, path string, body, into any) {
	b.t.Helper()
	if err := b.try(method, path, body, into); err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) try(method, path string, body, into any) error {
	text := []byte("{}")
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return err
		}
	}
	request, err := http.NewRequest(method, b.base+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, path, said)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(said, &struct{ Value any }{into})
}

// until waits for a condition.
func (b *browser) until(what string, is func() bool) {
	b.t.Helper()
	for begun := time.Now(); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Since(begun) > harness.Patience {
			b.t.Fatalf("in vain: %s", what)
		}
	}
}

func (b *browser) open(url string) {
	b.t.Helper()
	b.call(http.MethodPost, "/url", map[string]string{"url": url}, nil)
}

// script is the value of a JavaScript expression.
func (b *browser) script(expression string) (value string) {
	b.t.Helper()
	var got any
	b.call(http.MethodPost, "/execute/sync", map[string]any{"script": "return String(" + expression + ")", "args": []any{}}, &got)
	return fmt.Sprint(got)
}

// shows waits until an element's text, as it is seen, has something.
func (b *browser) shows(css, want string) {
	b.t.Helper()
	b.until(css+" shows "+want, func() bool {
		return b.script(fmt.Sprintf("(document.querySelector(%q)||{innerText:''}).innerText.includes(%q)", css, want)) == "true"
	})
}

// element is the driver's name of the first element that is seen.
func (b *browser) element(css string) (id string) {
	b.t.Helper()
	b.until("seen: "+css, func() bool {
		var found map[string]string
		if err := b.try(http.MethodPost, "/element", map[string]string{"using": "css selector", "value": css}, &found); err != nil {
			return false
		}
		for _, v := range found {
			id = v
		}
		seen := false
		return b.try(http.MethodGet, "/element/"+id+"/displayed", nil, &seen) == nil && seen
	})
	return id
}

// on does something to an element that is seen, again where the page has put
// another in its place in between.
func (b *browser) on(css string, do func(element string) error) {
	b.t.Helper()
	b.until("done: "+css, func() bool {
		err := do("/element/" + b.element(css))
		if err != nil && !strings.Contains(err.Error(), "stale element reference") {
			b.t.Fatal(err)
		}
		return err == nil
	})
}

func (b *browser) click(css string) {
	b.t.Helper()
	b.on(css, func(element string) error { return b.try(http.MethodPost, element+"/click", nil, nil) })
}

// write types into a field in place of what it has.
func (b *browser) write(css, text string) {
	b.t.Helper()
	b.on(css, func(element string) error {
		if err := b.try(http.MethodPost, element+"/clear", nil, nil); err != nil {
			return err
		}
		return b.try(http.MethodPost, element+"/value", map[string]string{"text": text}, nil)
	})
}

// choose takes a value of a drop-down list, once it has it.
func (b *browser) choose(css, value string) {
	b.t.Helper()
	b.click(fmt.Sprintf("%s option[value=%q]", css, value))
}

// picture writes a screenshot: what a window shows that begins where an element does.
func (b *browser) picture(path, css string) {
	b.t.Helper()
	top, err := strconv.ParseFloat(b.script(fmt.Sprintf("String(document.querySelector(%q).getBoundingClientRect().top + window.scrollY)", css)), 64)
	if err != nil {
		b.t.Fatal(err)
	}
	var shot struct{ Data string }
	b.call(http.MethodPost, "/goog/cdp/execute", map[string]any{
		"cmd": "Page.captureScreenshot", "params": map[string]any{
			"format": "png", "captureBeyondViewport": true, "clip": map[string]any{"x": 0, "y": top, "width": 1180, "height": 620, "scale": 0.75},
		},
	}, &shot)
	picture, err := base64.StdEncoding.DecodeString(shot.Data)
	if err == nil {
		err = os.WriteFile(path, picture, 0o644)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}
