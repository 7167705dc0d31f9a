package main

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// completion prints what a shell needs to complete our words.
func (a *app) completion(root *cobra.Command) *cobra.Command {
	shells := []string{"bash", "fish", "powershell", "zsh"}
	plain := false
	c := &cobra.Command{
		Use:   "completion bash|fish|powershell|zsh",
		Short: "print what a shell needs to complete commands, names and flags",
		Long: `Completion prints a script for a shell: it completes commands and flags, the
words that a flag knows, the names of rules, clients, and messages on hold.`,
		Example: `  tollgate completion bash > /etc/bash_completion.d/tollgate
  tollgate completion zsh > /usr/local/share/zsh/site-functions/_tollgate
  tollgate completion fish > /etc/fish/completions/tollgate.fish`,
		ValidArgs: shells,
		Args:      counted(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case args[0] == "bash":
				return away(root.GenBashCompletionV2(a.out, !plain))
			case args[0] == "fish":
				return away(root.GenFishCompletion(a.out, !plain))
			case args[0] == "zsh" && plain:
				return away(root.GenZshCompletionNoDesc(a.out))
			case args[0] == "zsh":
				return away(root.GenZshCompletion(a.out))
			case args[0] == "powershell" && plain:
				return away(root.GenPowerShellCompletion(a.out))
			case args[0] == "powershell":
				return away(root.GenPowerShellCompletionWithDesc(a.out))
			}
			return usagef("%q: there are %s", args[0], strings.Join(shells, ", "))
		},
	}
	c.Flags().BoolVar(&plain, "no-descriptions", false, "without what each word means")
	return c
}

// completeFor is how long a key may wait for an answer.
const completeFor = 3 * time.Second

// names completes arguments with what there is, each once.
func (a *app) names(of func(context.Context) []string) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(contextOf(c)), completeFor)
		defer cancel()
		var left []string
		named := " " + strings.Join(args, " ") + " "
		for _, name := range of(ctx) {
			if word, _, _ := strings.Cut(name, "\t"); !strings.Contains(named, " "+word+" ") {
				left = append(left, name)
			}
		}
		return left, cobra.ShellCompDirectiveNoFileComp
	}
}

func contextOf(c *cobra.Command) context.Context {
	if ctx := c.Context(); ctx != nil {
		return ctx
	}
	return context.Background()
}

// firstIs completes the first argument alone.
func (a *app) firstIs(of func(context.Context) []string) cobra.CompletionFunc {
	all := a.names(of)
	return func(c *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return all(c, args, word)
	}
}

// clientIDs are those that the daemon knows; none where it cannot be asked.
func (a *app) clientIDs(ctx context.Context) []string {
	rows, err := a.clientRowsOf(ctx, "")
	if err != nil {
		return nil
	}
	var ids []string
	for _, r := range rows {
		id := r.ID
		if r.Name != "" {
			id += "\t" + visible(r.Name)
		}
		ids = append(ids, id)
	}
	return ids
}

// heldRefs are the messages on hold, by what names them.
func (a *app) heldRefs(ctx context.Context) []string {
	quiet := *a
	quiet.err = io.Discard
	_, held, _, err := quiet.held(ctx)
	if err != nil {
		return nil
	}
	var refs []string
	for _, h := range ours(held) {
		refs = append(refs, h.entry.Ref+"\t"+visible(h.Sender))
	}
	return refs
}
