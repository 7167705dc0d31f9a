package test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/test/harness"
	"github.com/tollgate-mail/tollgate/test/script"
)

// daemon is one that a case can do harm to.
type daemon interface {
	Start() error
	Stop() error
	Freeze() error
	Thaw() error
}

// with starts what a case says it needs, "with clamd StreamMaxLength=100000",
// and what its files call it by.
func (g *gateway) with(t *testing.T, dir, arg string) {
	t.Helper()
	name, setting, _ := strings.Cut(arg, " ")
	var d daemon
	var err error
	addr := ""
	switch name {
	case "clamd":
		var c harness.ClamdConfig
		if limit, ok := strings.CutPrefix(setting, "StreamMaxLength="); ok {
			if c.StreamMaxLength, err = strconv.ParseInt(limit, 10, 64); err != nil {
				t.Fatal(err)
			}
		}
		var clamd *harness.Clamd
		if clamd, err = g.box.Clamd(c); err == nil {
			d, addr = clamd, "unix:"+clamd.Socket
		}
	case "rspamd":
		var rspamd *harness.Rspamd
		if rspamd, err = g.box.Rspamd(harness.RspamdConfig{}); err == nil {
			d, addr = rspamd, rspamd.URL
		}
	case "spamd":
		var spamd *harness.Spamd
		if spamd, err = g.box.Spamd(harness.SpamdConfig{}); err == nil {
			d, addr = spamd, "unix:"+spamd.Socket
		}
	case "scanner":
		var scanner *harness.Scanner
		if scanner, err = g.box.Scanner(); err == nil {
			d, addr = scanner, scanner.URL
		}
	case "dns":
		var zone []byte
		if zone, err = os.ReadFile(filepath.Join(dir, "dns.zone")); err != nil {
			break
		}
		var nsd *harness.NSD
		if nsd, err = g.box.NSD(map[string]string{".": string(zone)}); err == nil {
			d, addr = nsd, nsd.Addr
		}
	default:
		err = fmt.Errorf("with: there is no %q", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(g.words) == 0 {
		if g.words, err = specimens(); err != nil {
			t.Fatal(err)
		}
	}
	if g.daemons == nil {
		g.daemons = make(map[string]daemon)
	}
	g.daemons[name] = d
	g.words = append(g.words, "{{"+name+"}}", addr)
}

// harm does to a daemon what a step says: "clamd freeze".
func (s *session) harm(step script.Step) error {
	d, ok := s.daemons[step.Verb]
	if !ok {
		return fmt.Errorf("the case does not begin with \"with %s\"", step.Verb)
	}
	switch step.Arg {
	case "start":
		return d.Start()
	case "stop":
		return d.Stop()
	case "freeze":
		return d.Freeze()
	case "thaw":
		return d.Thaw()
	}
	return fmt.Errorf("want start, stop, freeze or thaw")
}

// specimens are the test file of all virus scanners in the forms that mail has
// it in, and the line of all spam filters; they do not stand in this repository,
// where such programs would find them.
func specimens() ([]string, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("report.com")
	if err == nil {
		_, err = w.Write([]byte(harness.EICAR()))
	}
	if err == nil {
		err = z.Close()
	}
	encode := base64.StdEncoding.EncodeToString
	return []string{
		"{{gtube}}", harness.GTUBE(),
		"{{eicar}}", harness.EICAR(),
		"{{eicar base64}}", encode([]byte(harness.EICAR())),
		"{{eicar zip base64}}", lines76(encode(b.Bytes())),
	}, err
}

// lines76 cuts base64 into lines (RFC 2045 §6.8).
func lines76(s string) string {
	var b strings.Builder
	for len(s) > 76 {
		b.WriteString(s[:76] + "\n")
		s = s[76:]
	}
	return b.String() + s
}
