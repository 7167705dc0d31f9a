package config

import (
	"path/filepath"
	"strings"
	"testing"
)

// A difference to UTC is not taken for UTC, and a city is found by its name.
func TestHintsOfTimezone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy.toml")
	for zone, want := range map[string]string{
		"UTC+3": "Etc/GMT-3 ", "GMT-05:00": "Etc/GMT+5 ", "Moscow": "did you mean Europe/Moscow?", "new york": "did you mean America/New_York?", "MSK": "Europe/Moscow", "Europe/Moskow": "did you mean Europe/Moscow?",
	} {
		write(t, path, "[accounting]\ntimezone = \""+zone+"\"\n")
		_, problems := Load(path)
		if err := problems.Err(); err == nil || !strings.Contains(err.Error(), "policy.toml:2: timezone: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", zone, err)
		}
	}
}
