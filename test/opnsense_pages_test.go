package test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// The plugin's pages in a browser, driven as a person would, beside a stand-in for
// OPNsense that asks the commands of a running tollgate.
func TestOPNsensePages(t *testing.T) {
	t.Parallel()
	g := prepare(t, false)
	b := newBrowser(t, g.box)
	page := g.pages(t, b, "en")

	// Settings: what cannot be is told at its field, what can be is saved.
	b.open(page("index"))
	b.write(`[id="tollgate.recipients.domains"]`, `a"b`)
	b.click("#reconfigureAct")
	b.shows(`[data-for="tollgate.recipients.domains"]`, "Enter domains")
	b.write(`[id="tollgate.recipients.domains"]`, "example.org")
	b.click(`[id="tollgate.general.enabled"]`)
	b.click("#reconfigureAct")
	b.shows("#applied", "ok")
	if text := b.script("document.querySelector('#check').innerText"); text != "" {
		t.Errorf("a good policy is told off: %s", text)
	}

	// A rule with a pattern that is none: tollgate says so below the page.
	b.open(page("rules"))
	b.click("#gridRule .add")
	b.write(`[id="rule.name"]`, "lottery")
	b.choose(`[id="rule.stage"]`, "headers")
	b.choose(`[id="rule.field"]`, "subject")
	b.write(`[id="rule.pattern"]`, "lotter(y")
	b.write(`[id="rule.weight"]`, "3.5")
	b.click("#DialogRule .save")
	b.shows("#gridRule tbody", "lottery")
	b.click("#reconfigureAct")
	b.shows("#check", "error")
	b.click("#gridRule .edit")
	b.write(`[id="rule.pattern"]`, "лотере|lotter(y|ies)")
	b.click("#DialogRule .save")
	b.shows("#gridRule tbody", "лотере")
	b.click("#reconfigureAct")
	b.until("no errors", func() bool {
		return b.script("document.querySelector('#check').classList.contains('hidden')") == "true"
	})

	// A list, a zone, a client.
	b.click(`a[href="#lists"]`)
	b.click("#gridList .add")
	b.write(`[id="list.name"]`, "partners")
	b.write(`[id="list.entries"]`, "192.0.2.0/24")
	b.click("#DialogList .save")
	b.shows("#gridList tbody", "partners")
	b.open(page("clients"))
	b.click(`a[href="#tariffs"]`)
	b.click("#gridTariff .add")
	b.write(`[id="tariff.name"]`, "basic")
	b.write(`[id="tariff.currency"]`, "EUR")
	b.write(`[id="tariff.per_mib"]`, "0,05")
	b.click("#DialogTariff .save")
	b.shows(`[data-for="tariff.per_mib"]`, "Enter a sum")
	b.write(`[id="tariff.per_mib"]`, "0.05")
	b.click("#DialogTariff .save")
	b.shows("#gridTariff tbody", "basic")
	b.click(`a[href="#clients"]`)
	b.click("#gridClient .add")
	b.write(`[id="client.id"]`, "Sales")
	b.click("#DialogClient .save")
	b.shows(`[data-for="client.id"]`, "Small letters")
	b.write(`[id="client.id"]`, "sales")
	b.write(`[id="client.addresses"]`, "ivan@example.org")
	b.script(`$('[id="client.tariff"] option:last').prop('selected', true).text()`)
	b.click("#DialogClient .save")
	b.shows("#gridClient tbody", "sales")
	b.click("#reconfigureAct")
	b.shows("#applied", "ok")

	// Where is my mail? Its Subject is markup, and is shown as text.
	b.open(page("journal"))
	b.write("#recipient", "ivan@example.org")
	b.click("#search button")
	b.shows("#rows tbody", "<img src=x onerror=")
	if b.script("window.touched") != "undefined" {
		t.Error("a Subject was run")
	}
	b.click("#rows tbody button")
	b.shows("#story", "anna@example.com")
	b.write("#recipient", "nobody@example.org")
	b.click("#search button")
	b.shows("#none", "Nothing found.")

	b.open(page("report"))
	b.shows("#rows tbody", "acme")
	b.shows("#rows tbody", "Acme <b>Ltd</b>")
	b.choose("#by", "client,tariff")
	b.click("#search button")
	b.shows("#legend", "office")
	b.shows("#rows tbody", "0.50")
	b.shows("#rows tbody", "EUR")
	b.shows("#chart", "Acme <b>Ltd</b>")
	b.choose("#what", "cost")
	if title := b.script("document.querySelector('#chart .part').title"); title != "office 0.50" {
		t.Errorf("the bar says %q", title)
	}
	b.open(page("status"))
	b.shows("#details", "gateway")
	b.open(page("history"))
	b.shows("#rows tbody", "start")

	// Held mail is deleted once it was asked about.
	b.open(page("hold"))
	b.shows("#rows tbody", "wait@example.com")
	b.click("#rows tbody .btn-danger")
	b.click(".confirm .no")
	b.shows("#rows tbody", "wait@example.com")
	b.click("#rows tbody .btn-danger")
	b.click(".confirm .yes")
	b.shows("#none", "Nothing found.")
}

// The same pages in Russian.
func TestOPNsensePagesInRussian(t *testing.T) {
	t.Parallel()
	g := prepare(t, false)
	b := newBrowser(t, g.box)
	page := g.pages(t, b, "ru")
	for name, want := range map[string]string{
		"index": "Местные домены", "rules": "Правила", "clients": "Адреса", "report": "Начислено", "journal": "Найти", "hold": "Отправитель", "history": "Кем",
	} {
		b.open(page(name))
		b.shows("body", want)
		b.shows("h1", "Фильтр почтового шлюза")
	}
	b.open(page("index"))
	b.write(`[id="tollgate.recipients.domains"]`, "пример.рф")
	b.click(`[id="tollgate.general.enabled"]`)
	b.click("#reconfigureAct")
	b.shows("#applied", "ok")
	b.open(page("index"))
	b.until("it was kept", func() bool {
		return b.script(`document.getElementById('tollgate.recipients.domains').value`) == "пример.рф"
	})
}

// Pictures for docs/opnsense.md: "make screenshots", and never by a test run.
func TestOPNsenseScreenshots(t *testing.T) {
	folder := os.Getenv("TOLLGATE_SCREENSHOTS")
	if folder == "" {
		t.Skip("make screenshots makes them (TOLLGATE_SCREENSHOTS)")
	}
	for _, language := range []string{"en", "ru"} {
		g := prepare(t, false)
		b := newBrowser(t, g.box)
		page := g.pagesOf(t, b, language, "Acme", "Order 4711")
		shot := func(name, from string) {
			b.until("loaded", func() bool { return b.script("document.readyState === 'complete' && jQuery.active === 0") == "true" })
			b.picture(filepath.Join(folder, fmt.Sprintf("opnsense-%s-%s.png", name, language)), from)
		}
		b.open(page("index"))
		b.write(`[id="tollgate.recipients.domains"]`, "example.org")
		b.click(`[id="tollgate.general.enabled"]`)
		b.click("#reconfigureAct")
		b.shows("#applied", "ok")
		shot("settings", "body")

		b.open(page("rules"))
		b.click("#gridRule .add")
		b.write(`[id="rule.name"]`, "lottery")
		b.choose(`[id="rule.stage"]`, "headers")
		b.choose(`[id="rule.field"]`, "subject")
		b.write(`[id="rule.pattern"]`, "лотере\nlotter(y|ies)")
		b.write(`[id="rule.weight"]`, "3.5")
		shot("rule", "#DialogRule")
		b.click("#DialogRule .save")
		b.shows("#gridRule tbody", "lottery")

		b.open(page("report"))
		b.choose("#by", "client,tariff")
		b.click("#search button")
		b.shows("#legend", "office")
		shot("report", "body")

		b.open(page("journal"))
		b.click("#search button")
		b.click("#rows tbody button")
		b.shows("#story", "example.com")
		shot("journal", "body")
	}
}

// pages starts the gateway, sends what the pages are to show, and serves them.
func (g *gateway) pages(t *testing.T, b *browser, language string) func(page string) string {
	t.Helper()
	return g.pagesOf(t, b, language, "Acme <b>Ltd</b>", `<img src=x onerror="window.touched=1">`)
}

// pagesOf is pages with a client of a name and mail of a Subject.
func (g *gateway) pagesOf(t *testing.T, b *browser, language, name, subject string) func(page string) string {
	t.Helper()
	g.write(t, "policy/policy.toml", `
[recipients]
mode    = "domains"
domains = ["example.org"]

[[tariff]]
name         = "office"
currency     = "EUR"
per_delivery = "0.25"

[[client]]
id        = "acme"
name      = "`+name+`"
addresses = ["ivan@example.org"]
tariff    = "office"

[[rule]]
name   = "wait"
stage  = "mailfrom"
match  = { sender = "wait@example.com" }
action = "hold"
`)
	g.start(t)
	for _, from := range []string{"anna@example.com", "wait@example.com"} {
		c, err := harness.Dial(g.postfix.Addr)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Reply()
		for _, line := range []string{"EHLO mail.example.com", "MAIL FROM:<" + from + ">", "RCPT TO:<ivan@example.org>"} {
			if err == nil {
				err = expect(250)(c.Cmd(line))
			}
		}
		if err == nil {
			err = expect(250)(c.Data([]byte("From: " + from + "\r\nSubject: " + subject + "\r\n\r\ntext\r\n")))
		}
		c.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
	// The commands of the pages name no policy.
	wrapper := g.box.Path("tollgate-here")
	text := fmt.Sprintf("#!/bin/sh\ncase \" $* \" in *' --policy '*) exec '%s' \"$@\" ;; esac\nexec '%s' \"$@\" --policy '%s'\n", binary, binary, g.gate.Policy)
	if err := os.WriteFile(wrapper, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	port, err := g.box.Port()
	if err != nil {
		t.Fatal(err)
	}
	work := g.box.Path("pages")
	if err := os.Mkdir(work, 0o755); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	c := exec.Command("/usr/bin/python3", "contrib/opnsense/test/pages.py", "--port", fmt.Sprint(port), "--work", work, "--tollgate", wrapper, "--language", language)
	c.Dir, c.Stderr = moduleRoot(t), &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
		if t.Failed() {
			t.Log(said.String())
		}
	})
	base := "http://" + harness.Loopback(port)
	b.until("pages", func() bool {
		answer, err := http.Get(base + "/standin.js")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	return func(page string) string { return base + "/ui/tollgate/index/" + page }
}
