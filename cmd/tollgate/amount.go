package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// negative is a sum below nothing, as people type it: no flag is a digit.
var negative = regexp.MustCompile(`^-[0-9.][0-9.,]*$`)

// takesAmount marks a command of which an argument may be such a sum.
const takesAmount = "amount"

// amounts lets the commands that take a sum have one below nothing as it stands:
// what looks like a flag and is a number goes behind "--", where it is an argument.
func amounts(root *cobra.Command, args []string) []string {
	c, _, err := root.Find(args)
	if err != nil || c.Annotations[takesAmount] == "" {
		return args
	}
	end := slices.Index(args, "--")
	if end < 0 {
		end = len(args)
	}
	var before, sums []string
	for i := 0; i < end; i++ {
		switch {
		case negative.MatchString(args[i]):
			sums = append(sums, args[i])
			continue
		case takesValue(c, args[i]) && i+1 < end:
			before = append(before, args[i]) // whatever follows is its value
			i++
		}
		before = append(before, args[i])
	}
	if len(sums) == 0 {
		return args
	}
	return slices.Concat(before, []string{"--"}, sums, args[min(end+1, len(args)):])
}

// takesValue tells of a flag whose value is the next word.
func takesValue(c *cobra.Command, word string) bool {
	name, ok := strings.CutPrefix(word, "--")
	if !ok || strings.Contains(name, "=") {
		return false
	}
	f := c.Flag(name)
	return f != nil && f.NoOptDefVal == ""
}
