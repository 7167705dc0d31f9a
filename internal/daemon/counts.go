package daemon

import (
	"fmt"
	"math"

	"github.com/tollgate-mail/tollgate/internal/config"
)

// Counts are how large a policy is.
type Counts struct {
	Rules      int `json:"rules"` // the enabled ones
	Thresholds int `json:"thresholds"`
	Lists      int `json:"lists"`
	Clients    int `json:"clients"`
}

// CountsOf a policy.
func CountsOf(cfg *config.Config) Counts {
	return Counts{
		Rules:      len(cfg.Gate.Rules.Rules()),
		Thresholds: len(cfg.Gate.Rules.Thresholds(math.MaxInt64)),
		Lists:      cfg.Lists,
		Clients:    len(cfg.Gate.Directory.Clients()),
	}
}

func (c Counts) String() string {
	return fmt.Sprintf("%s, %s, %s, %s", Plural(c.Rules, "rule"), Plural(c.Thresholds, "threshold"), Plural(c.Lists, "list"), Plural(c.Clients, "client"))
}

// Plural is so many of something, in words.
func Plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
