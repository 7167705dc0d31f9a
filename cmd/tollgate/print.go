package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// visible makes outsiders' text safe to be shown: what a terminal would act
// upon, and what would turn the direction of writing, is replaced.
func visible(s string) string {
	if printable(s) == len(s) {
		return s // nearly all that is shown
	}
	return strings.Map(func(r rune) rune {
		if r == ' ' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, strings.ToValidUTF8(s, string(unicode.ReplacementChar)))
}

// shorten bounds a text to n characters.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	i := 0
	for at := range s {
		if i++; i > n {
			return s[:at] + "..."
		}
	}
	return s
}

// bytesize is a number of bytes for eyes.
func bytesize(n int64) string {
	units := []string{"KiB", "MiB", "GiB", "TiB"}
	if n < 1024 {
		return strconv.FormatInt(n, 10) + " B"
	}
	v, i := float64(n)/1024, 0
	for v >= 1024 && i < len(units)-1 {
		v, i = v/1024, i+1
	}
	return fmt.Sprintf("%.1f %s", v, units[i])
}

// local is a time in the zone of who reads it.
func local(t time.Time) string { return t.Local().Format(time.DateTime) }

// span is how long something has lasted, in whole seconds.
func span(d time.Duration) string { return d.Round(time.Second).String() }

func printJSON(w io.Writer, v any) error {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(harmless(text.Bytes()))
	return away(err)
}

// absolute is a path that means the same wherever it is read.
func absolute(path string) string {
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return path
}
