package trial

import (
	"fmt"
	"os"

	"github.com/BurntSushi/toml"
)

// mostAnswers bounds a file of answers, in octets.
const mostAnswers = 32 << 20

// ReadAnswers reads a file with the table [dns]: what is answered to look-ups,
// as in cases of policy tests. What does not stand there does not exist.
func ReadAnswers(path string) (*Answers, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > mostAnswers {
		return nil, fmt.Errorf("%s: larger than %d MiB", path, mostAnswers>>20)
	}
	var f struct {
		DNS map[string]any `toml:"dns"`
	}
	md, err := toml.DecodeFile(path, &f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if unknown := md.Undecoded(); len(unknown) > 0 {
		return nil, fmt.Errorf("%s: unknown key %s; there is the table [dns]", path, unknown[0])
	}
	a := &Answers{Records: make(map[string][]string, len(f.DNS))}
	for key, v := range f.DNS {
		switch v := v.(type) {
		case string:
			a.Records[key] = []string{v}
		case []any:
			a.Records[key] = []string{}
			for _, one := range v {
				s, ok := one.(string)
				if !ok {
					return nil, fmt.Errorf("%s: %q has something besides texts in its array", path, key)
				}
				a.Records[key] = append(a.Records[key], s)
			}
		default:
			return nil, fmt.Errorf("%s: %q must be a text or an array of texts", path, key)
		}
	}
	return a, nil
}
