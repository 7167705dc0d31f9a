package postfix

import (
	"context"
	"strings"
)

// Settings are parameters as Postfix takes them, $names expanded. One that this
// Postfix does not know is missing.
func (i Instance) Settings(ctx context.Context, names ...string) (map[string]string, error) {
	out, err := i.run(ctx, "postconf", append([]string{"-c", i.Config, "-x"}, names...)...)
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for line := range strings.Lines(out) {
		if name, value, ok := strings.Cut(line, "="); ok {
			all[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return all, nil
}

// Options are what master.cf sets for single services, by service as "smtp/inet"
// and by parameter, $names expanded.
func (i Instance) Options(ctx context.Context) (map[string]map[string]string, error) {
	out, err := i.run(ctx, "postconf", "-c", i.Config, "-x", "-P")
	if err != nil {
		return nil, err
	}
	all := map[string]map[string]string{}
	for line := range strings.Lines(out) {
		where, value, ok := strings.Cut(line, "=")
		cut := strings.LastIndexByte(where, '/')
		if !ok || cut < 0 {
			continue
		}
		service, name := strings.TrimSpace(where[:cut]), strings.TrimSpace(where[cut+1:])
		if all[service] == nil {
			all[service] = map[string]string{}
		}
		all[service][name] = strings.TrimSpace(value)
	}
	return all, nil
}

// Milter is an entry of a list of milters.
type Milter struct {
	Address string            // "unix:tollgate/milter.sock"
	Options map[string]string // of its own: default_action and the like
}

// Milters reads a list of milters whose $names are expanded.
func Milters(list string) []Milter {
	all := []Milter{}
	for _, m := range milters(list) {
		one := Milter{Address: endpoint(m), Options: map[string]string{}}
		inner, braced := strings.CutPrefix(m, "{")
		if words := milters(strings.TrimSuffix(inner, "}")); braced && len(words) > 1 {
			// Blanks may stand around the sign (postconf(5), smtpd_milters).
			for _, option := range strings.Split(strings.Join(words[1:], ","), ",") {
				if name, value, ok := strings.Cut(option, "="); ok {
					one.Options[strings.TrimSpace(name)] = strings.TrimSpace(value)
				}
			}
		}
		all = append(all, one)
	}
	return all
}

// Is tells whether a milter of main.cf is tollgate.
func (r Reach) Is(address string) bool { return r.same(address) }
