package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// colour is how a line is shown on a terminal (ECMA-48, SGR).
type colour string

const (
	plainLine colour = ""
	good      colour = "\x1b[32m"
	bad       colour = "\x1b[31m"
	strong    colour = "\x1b[1m"
	noColour         = "\x1b[0m"
)

// colours tells whether to use them: on a terminal, where nobody said not to
// (https://no-color.org).
func (a *app) colours() bool {
	f, ok := a.out.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(f.Fd())
}

func isTerminal(fd uintptr) bool {
	_, err := unix.IoctlGetWinsize(int(fd), unix.TIOCGWINSZ)
	return err == nil
}

func (a *app) printer() *printer { return &printer{out: a.out, coloured: a.colours()} }
