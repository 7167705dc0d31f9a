package history

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/policyfile/source"
)

// judging are the sections of a policy that decide about mail, and whom it is charged
// to. The others name services, and files that may be gone.
var judging = []string{
	"gateway", "recipients", "outbound", "clients", "client", "accounting", "tariff", "lists", "rule", "threshold", "greylist", "correspondents", "antivirus", "module", "replies",
}

// decidesNothing tells of a key of those sections that it decides about no mail.
func decidesNothing(section, key string) bool {
	return section == "accounting" && key == "follow_maillog"
}

// Load has a policy of the history as it would judge, of its canonical form and
// the files that are kept with it. It names no store and no journal.
func (s *Store) Load(e Entry) (*config.Config, error) {
	text, err := s.Content(e.Canonical)
	if err != nil {
		return nil, fmt.Errorf("policy %d: %w", e.Number, err)
	}
	var sections map[string]any
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&sections); err != nil {
		return nil, fmt.Errorf("policy %d: %w", e.Number, err)
	}
	dir, err := os.MkdirTemp("", "tollgate-policy-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := s.unpack(e, sections, dir); err != nil {
		return nil, fmt.Errorf("policy %d: %w", e.Number, err)
	}
	var b bytes.Buffer
	for _, name := range judging {
		if v, ok := sections[name]; ok {
			if table, ok := v.(map[string]any); ok {
				maps.DeleteFunc(table, func(key string, _ any) bool { return decidesNothing(name, key) })
			}
			b.WriteString(name + " = ")
			writeTOML(&b, v, name == "client" || name == "tariff")
			b.WriteByte('\n')
		}
	}
	path := filepath.Join(dir, "policy.toml")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		return nil, err
	}
	cfg, problems := config.Load(path)
	if err := problems.Err(); err != nil {
		return nil, fmt.Errorf("policy %d cannot be read by this version of tollgate: %w", e.Number, err)
	}
	cfg.Gate.Version = e.Version
	return cfg, nil
}

// unpack writes the files of a policy to a folder, and has the policy name them
// there.
func (s *Store) unpack(e Entry, sections map[string]any, dir string) error {
	lists, _ := sections["lists"].(map[string]any)
	for n, f := range e.Files {
		var at map[string]any
		key := "file"
		switch f.Role {
		case source.List:
			at, _ = lists[f.Name].(map[string]any)
		case source.Clients:
			at, _ = sections["clients"].(map[string]any)
			delete(at, "redis") // not of the history
		case source.Domains:
			at, _ = sections["recipients"].(map[string]any)
			key = "domains_file"
		}
		if at == nil {
			continue
		}
		content, err := s.Content(f.Kept)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
		path := filepath.Join(dir, fmt.Sprintf("%d%s", n, filepath.Ext(f.Path)))
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return err
		}
		at[key] = path
	}
	return nil
}

var day = regexp.MustCompile(`^\d{4}-\d\d-\d\d(T[0-9:.]+(Z|[+-]\d\d:\d\d))?$`)

// writeTOML writes a value of the canonical form in one line. JSON has no dates:
// with dates, texts that read like one are.
func writeTOML(b *bytes.Buffer, v any, dates bool) {
	switch v := v.(type) {
	case map[string]any:
		b.WriteByte('{')
		for i, key := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b.WriteByte(',')
			}
			writeTOML(b, key, false)
			b.WriteByte('=')
			writeTOML(b, v[key], dates && key != "id" && key != "name")
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, one := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			writeTOML(b, one, dates)
		}
		b.WriteByte(']')
	case string:
		if dates && day.MatchString(v) {
			b.WriteString(v)
			return
		}
		writeText(b, v)
	default:
		fmt.Fprint(b, v) // true, false, and numbers as they were written
	}
}

// writeText writes a basic string. What JSON leaves as it is TOML does, but for
// DEL.
func writeText(b *bytes.Buffer, s string) {
	text, _ := json.Marshal(s) // a text has no error
	b.Write(bytes.ReplaceAll(text, []byte{0x7f}, []byte(`\u007f`)))
}
