package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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

// help is the command of that name: of a word that is no command it says so.
func (a *app) help(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "what a command does, and its flags",
		Long:    `Help prints what a command does and which flags it has, as --help after it does.`,
		Example: "  tollgate help journal\n  tollgate help policy rollback",
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			of, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var names []string
			for _, sub := range of.Commands() {
				if sub.IsAvailableCommand() {
					names = append(names, sub.Name()+"\t"+sub.Short)
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			of, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				if of == nil {
					of = root
				}
				return unknownCommand(of, append(rest, args...)[0])
			}
			of.InitDefaultHelpFlag()
			return of.Help()
		},
	}
}

// unknownFlag adds the nearest flag to the error about one that there is not.
func unknownFlag(c *cobra.Command, err error) error {
	var no *pflag.NotExistError
	if !errors.As(err, &no) || len(no.GetSpecifiedName()) < 2 {
		return err
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	c.InheritedFlags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near := config.Nearest(no.GetSpecifiedName(), names); near != "" {
		return fmt.Errorf("%w; did you mean --%s?", err, near)
	}
	return err
}
