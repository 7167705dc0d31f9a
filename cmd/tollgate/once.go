package main

import (
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// once is a flag that is a condition: given twice, or without a value, it would say
// less than who typed it means.
type once struct {
	pflag.Value
	given *bool
}

// conditions makes the flags of c with a value of one word such.
func conditions(c *cobra.Command) {
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if kind := f.Value.Type(); kind == "string" || kind == "int" {
			f.Value = once{f.Value, new(bool)}
		}
	})
}

// Set takes the value of the command line.
func (o once) Set(text string) error {
	switch {
	case text == "":
		return errors.New("it is empty; leave the flag out where nothing is asked")
	case *o.given:
		return errors.New("it is there twice, and all conditions hold for one message")
	}
	*o.given = true
	return o.Value.Set(text)
}
