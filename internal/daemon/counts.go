package main

import (
	"fmt"
	"math"

	"github.com/tollgate-mail/tollgate/internal/config"
)

// counts are how large a policy is.
type counts struct {
	Rules      int `json:"rules"` // the enabled ones
	Thresholds int `json:"thresholds"`
	Lists      int `json:"lists"`
	Clients    int `json:"clients"`
}

func countsOf(cfg *config.Config) counts {
	return counts{
		Rules:      len(cfg.Gate.Rules.Rules()),
		Thresholds: len(cfg.Gate.Rules.Thresholds(math.MaxInt64)),
		Lists:      cfg.Lists,
		Clients:    len(cfg.Gate.Directory.Clients()),
	}
}

func (c counts) String() string {
	return fmt.Sprintf("%s, %s, %s, %s", plural(c.Rules, "rule"), plural(c.Thresholds, "threshold"), plural(c.Lists, "list"), plural(c.Clients, "client"))
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
