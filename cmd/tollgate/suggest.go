package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/config"
)

// unknownCommand says what there is instead of a word that is no command of c.
func unknownCommand(c *cobra.Command, word string) error {
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() || sub.Name() == "help" {
			names = append(names, sub.Name())
		}
	}
	if near := config.Nearest(word, names); near != "" {
		return usagef("there is no command %q; did you mean %q?", word, near)
	}
	return usagef("there is no command %q; %q lists them", word, c.CommandPath()+" help")
}

// counted is a command's number of arguments; another is answered by how the command
// is written.
func counted(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return fmt.Errorf("it is written %q", strings.TrimSuffix(c.UseLine(), " [flags]"))
		}
		return nil
	}
}

// alone is of commands that take no arguments; of those with subcommands a word that is
// none of them was meant for one.
func alone(c *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case c.HasAvailableSubCommands():
		return unknownCommand(c, args[0])
	}
	return fmt.Errorf("it is written %q, without %q", strings.TrimSuffix(c.UseLine(), " [flags]"), args[0])
}

// commandOf is what a command that only has subcommands does by itself.
func commandOf(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return unknownCommand(c, args[0])
	}
	return usagef("which command? %q lists them", c.CommandPath()+" --help")
}

// oneOf checks a word of the command line against those that there are.
func oneOf(flag, word string, valid []string) error {
	if word == "" || slices.Contains(valid, strings.ToLower(word)) {
		return nil
	}
	if near := config.Nearest(strings.ToLower(word), valid); near != "" {
		return usagef("%s %q: did you mean %q? There are %s", flag, word, near, strings.Join(valid, ", "))
	}
	return usagef("%s %q: there are %s", flag, word, strings.Join(valid, ", "))
}

// values completes a flag with what it may be.
func values(c *cobra.Command, flag string, of func() []string) {
	// The only error is that the flag is not there, which every run would show.
	if err := c.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return of(), cobra.ShellCompDirectiveNoFileComp
	}); err != nil {
		panic(err)
	}
}

// units are where a unit of systemd would stand.
var units = []string{"/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"}

// startHint says how to start the daemon here.
func startHint() string {
	for _, dir := range units {
		if _, err := os.Stat(dir + "/tollgate.service"); err == nil {
			return `start it with "systemctl start tollgate"; "systemctl status tollgate" says why it does not run`
		}
	}
	if _, err := os.Stat("/usr/local/etc/rc.d/tollgate"); err == nil {
		return `start it with "service tollgate start"`
	}
	return `start it with "tollgate serve"`
}
