package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the release build, which can set nothing but a variable:
// -ldflags "-X main.version=1.0.0".
var version string

// build says which tollgate this is.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision"` // of the source; "" when not known
	Modified bool   `json:"modified"` // the source was changed since
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func thisBuild() build {
	b := build{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if ok {
		if b.Version == "" {
			b.Version = info.Main.Version
		}
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				b.Revision = s.Value
			case "vcs.modified":
				b.Modified = s.Value == "true"
			}
		}
	}
	if b.Version == "" {
		b.Version = "(devel)"
	}
	return b
}

func (b build) String() string {
	s := "tollgate " + b.Version
	if b.Revision != "" {
		s += " " + shortRevision(b.Revision)
		if b.Modified {
			s += "+"
		}
	}
	return s + " (" + b.Go + ", " + b.Platform + ")"
}

func shortRevision(s string) string { return s[:min(len(s), 12)] }

func (a *app) version() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "say which tollgate this is",
		Args:  alone,
		RunE: func(*cobra.Command, []string) error {
			if a.json {
				return printJSON(a.out, thisBuild())
			}
			_, err := fmt.Fprintln(a.out, thisBuild())
			return away(err)
		},
	}
}
