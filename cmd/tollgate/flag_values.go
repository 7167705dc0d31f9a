package main

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// timeFlag is a duration of the command line, written as those of the policy are.
type timeFlag time.Duration

var errDuration = errors.New(`want a time such as "30s", "5m", "2h", "2d" or "1h30m"`)

// Set reads it (pflag.Value).
func (d *timeFlag) Set(text string) error {
	parsed, err := parseAgo(strings.ToLower(strings.TrimSpace(text)))
	if err != nil || parsed < 0 {
		return errDuration
	}
	*d = timeFlag(parsed)
	return nil
}

// String is what help shows as the default: without the zeros of Go.
func (d *timeFlag) String() string {
	if *d == 0 {
		return "0" // for pflag: none
	}
	text := time.Duration(*d).String()
	for _, zero := range []string{"m0s", "h0m"} {
		if rest, ok := strings.CutSuffix(text, zero); ok {
			text = rest + zero[:1]
		}
	}
	return text
}

// Type names it where a flag has no word of its own.
func (d *timeFlag) Type() string { return "duration" }

// sizeFlag is a size of the command line; below zero: none was given.
type sizeFlag int64

// Set reads it (pflag.Value).
func (o *sizeFlag) Set(text string) error {
	least, _, err := parseSizes("=" + strings.TrimLeft(text, "="))
	if err != nil || text == "" {
		return errors.New(`want a size such as "10 MiB", or bytes`)
	}
	*o = sizeFlag(least)
	return nil
}

// String is what help shows as the default: none.
func (o *sizeFlag) String() string {
	if *o < 0 {
		return ""
	}
	return fmt.Sprint(int64(*o))
}

// Type names it where a flag has no word of its own.
func (o *sizeFlag) Type() string { return "size" }
