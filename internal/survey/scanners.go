package survey

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/doctor"
	"github.com/tollgate-mail/tollgate/internal/module/clamav"
	"github.com/tollgate-mail/tollgate/internal/module/rspamd"
)

// clamdFiles are where systems have clamd's settings.
var clamdFiles = [...]string{"/etc/clamav/clamd.conf", "/usr/local/etc/clamd.conf", "/etc/clamd.d/scan.conf", "/etc/clamd.conf"}

func askClamd(ctx context.Context, c *config.Config) *doctor.Clamd {
	if c.Antivirus == nil {
		return nil
	}
	settings, ok := c.Antivirus.Settings.(clamav.Settings)
	if !ok {
		return nil
	}
	d := &doctor.Clamd{Address: settings.Addr, MaxSize: c.Antivirus.MaxSize, AtOnce: c.Antivirus.Limits.Parallel}
	said, err := clamdVersion(ctx, settings.Addr)
	if err != nil {
		d.Error = err.Error()
	}
	// "ClamAV 1.0.9/27831/Fri Nov 27 09:33:01 2026"; without a database only the first.
	parts := strings.SplitN(said, "/", 3)
	d.Version = strings.TrimPrefix(parts[0], "ClamAV ")
	if len(parts) == 3 {
		d.Count, _ = strconv.Atoi(parts[1])
		d.Signatures, _ = time.ParseInLocation(time.ANSIC, parts[2], time.Local)
	}
	if strings.HasPrefix(settings.Addr, "unix:") || loopback(strings.TrimPrefix(settings.Addr, "tcp:")) {
		for _, path := range clamdFiles {
			b, err := os.ReadFile(path)
			if err != nil {
				continue
			}
			if s := pairs(string(b)); listensAt(s, settings.Addr) {
				d.File, d.Settings = path, s
				break
			}
		}
	}
	return d
}

// listensAt tells whether a clamd with these settings is the one at an address: several
// may run, and advice on the file of another one helps nobody.
func listensAt(settings map[string]string, addr string) bool {
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		run := func(p string) string { return strings.Replace(p, "/var/run/", "/run/", 1) }
		return run(settings["LocalSocket"]) == run(path)
	}
	_, port, err := net.SplitHostPort(strings.TrimPrefix(addr, "tcp:"))
	return err == nil && settings["TCPSocket"] == port
}

// ClamdAnswers tells whether a clamd is at an address of [antivirus].
func ClamdAnswers(ctx context.Context, addr string) error {
	_, err := clamdVersion(ctx, addr)
	return err
}

func clamdVersion(ctx context.Context, addr string) (string, error) {
	network, place, ok := strings.Cut(addr, ":")
	if !ok {
		return "", fmt.Errorf("%q is no address", addr)
	}
	d := net.Dialer{Timeout: patience}
	conn, err := d.DialContext(ctx, network, place)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	if _, err := conn.Write([]byte("zVERSION\x00")); err != nil {
		return "", err
	}
	b, err := io.ReadAll(io.LimitReader(conn, 1000))
	said := strings.Trim(string(b), "\x00\n")
	if err == nil && !strings.HasPrefix(said, "ClamAV ") {
		err = fmt.Errorf("an answer that is not clamd's: %q", said)
	}
	return said, err
}

// pairs reads lines of a name and a value; of a name that comes twice the first.
func pairs(text string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 2 || strings.HasPrefix(f[0], "#") {
			continue
		}
		if _, twice := all[f[0]]; !twice {
			all[f[0]] = strings.Trim(strings.Join(f[1:], " "), `"`)
		}
	}
	return all
}

// loopback tells whether an address of host and port stays on this machine.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return strings.HasPrefix(addr, "/")
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func askRspamd(ctx context.Context, c *config.Config) *doctor.Rspamd {
	for _, m := range c.Modules {
		settings, ok := m.Settings.(rspamd.Settings)
		if !ok {
			continue
		}
		r := &doctor.Rspamd{Address: settings.URL, MaxSize: m.Limits.MaxSize}
		version, err := pingRspamd(ctx, settings.URL)
		if err != nil {
			r.Error = err.Error()
		}
		r.Version = version
		if at, err := url.Parse(settings.URL); err == nil && loopback(at.Host) {
			r.Greylist, r.Limit = rspamdConfig(ctx)
		}
		return r
	}
	return nil
}

func pingRspamd(ctx context.Context, base string) (version string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(base, "/")+"/ping", nil)
	if err != nil {
		return "", err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(io.LimitReader(answer.Body, 1000))
	if err == nil && !strings.HasPrefix(string(b), "pong") {
		err = errors.New("an answer that is not rspamd's")
	}
	return strings.TrimPrefix(answer.Header.Get("Server"), "rspamd/"), err
}

// rspamdConfig asks rspamadm(1), where it is at hand.
func rspamdConfig(ctx context.Context) (greylists bool, maxMessage int64) {
	dump := func(section string, into any) bool {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		out, err := exec.CommandContext(ctx, "rspamadm", "configdump", "-j", section).Output()
		return err == nil && json.Unmarshal(out, into) == nil
	}
	// Its greylisting is on by default, once it has a Redis.
	greylist := struct {
		Enabled *bool `json:"enabled"`
		Servers any   `json:"servers"`
	}{}
	server := struct {
		Servers any `json:"servers"`
	}{}
	if dump("greylist", &greylist) && (greylist.Enabled == nil || *greylist.Enabled) {
		greylists = greylist.Servers != nil || dump("redis", &server) && server.Servers != nil
	}
	options := struct {
		MaxMessage float64 `json:"max_message"`
	}{}
	if dump("options", &options) {
		maxMessage = int64(options.MaxMessage)
	}
	return greylists, maxMessage
}
