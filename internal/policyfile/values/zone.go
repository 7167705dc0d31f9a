package values

import (
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"time"
	_ "time/tzdata" // zones must load where the system has none

	"github.com/tollgate-mail/tollgate/internal/diag"
	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
)

// zoneDir is where Linux and FreeBSD keep the time zone database.
const zoneDir = "/usr/share/zoneinfo"

// ZoneNames are the zones this system knows by name; none where it has none.
func ZoneNames() []string {
	var names []string
	// A folder that cannot be read only makes the list shorter.
	_ = fs.WalkDir(os.DirFS(zoneDir), ".", func(path string, e fs.DirEntry, err error) error {
		first := path[0]
		switch {
		case err != nil:
			return nil
		case e.IsDir() && path != "." && (first < 'A' || first > 'Z'): // posix, right
			return fs.SkipDir
		case !e.IsDir() && first >= 'A' && first <= 'Z' && !strings.Contains(path, "."):
			names = append(names, path)
		}
		return nil
	})
	return names
}

// ZoneName reads a name of the time zone database.
func (r *Reader) ZoneName(n *document.Node) (string, bool) {
	s, ok := r.ReadString(n)
	if !ok {
		return "", false
	}
	// "Local" and "" mean something to Go, but not the same on each gateway.
	if _, err := time.LoadLocation(s); err == nil && s != "" && s != "Local" {
		return s, true
	}
	near := ""
	if s == "MSK" || s == "MSD" {
		near = "; Moscow's is Europe/Moscow"
	} else if m := offset.FindStringSubmatch(s); m != nil {
		// The signs of the database are those of POSIX: west is positive.
		sign := "-"
		if m[1] == "-" {
			sign = "+"
		}
		near = fmt.Sprintf("; it has names of places, such as Europe/Moscow, and for a fixed difference Etc/GMT%s%s (the sign is the other way round)", sign, m[2])
	} else if z := nearZone(s); z != "" {
		near = fmt.Sprintf("; did you mean %s?", z)
	}
	r.Errorf(n, "timezone: %q is not in the time zone database%s", s, near)
	return "", false
}

// offset is a difference to UTC in whole hours, as people write it.
var offset = regexp.MustCompile(`(?i)^(?:UTC|GMT) ?([+-])0?([1-9]|1[0-4])(?::?00)?$`)

// nearZone is the zone of a city that is named alone, or one of a similar name.
func nearZone(s string) string {
	names := ZoneNames()
	for _, name := range names {
		if _, city, ok := strings.Cut(name, "/"); ok && strings.EqualFold(city, strings.ReplaceAll(s, " ", "_")) {
			return name
		}
	}
	return diag.Nearest(s, names)
}
