package mail

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	maxList = 1 << 20 // octets in a NameList
	// maxRest is what a full NameList takes still: the ends of names that have
	// an extension that none before had.
	maxRest  = 64 << 10
	maxShort = 64
)

// NameList gathers texts, each once, within a bound for all of them. What is
// beyond the bound is not kept, but for one name of each extension.
type NameList struct {
	Names []string
	seen  map[string]struct{}
	size  int
	full  bool

	extensions map[string]struct{}
	rest       int
}

// Add appends a name that is not there yet. The error wraps ErrComplex: there
// are too many, and this one may not be kept. What else there is can be added
// all the same.
func (l *NameList) Add(name string) error {
	if _, ok := l.seen[name]; ok {
		return nil
	}
	if l.seen == nil {
		l.seen = make(map[string]struct{})
		l.extensions = make(map[string]struct{})
	}
	extension := strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])
	if len(extension) > maxShort {
		extension = ""
	}
	if !l.full && l.size+len(name) > maxList {
		l.full = true
	}
	if !l.full {
		l.size += len(name)
		l.seen[name] = struct{}{}
		l.extensions[extension] = struct{}{}
		l.Names = append(l.Names, name)
		return nil
	}
	if _, ok := l.extensions[extension]; !ok && l.rest < maxRest {
		short := name[max(0, len(name)-maxShort):]
		for short != "" && !utf8.RuneStart(short[0]) {
			short = short[1:]
		}
		l.rest += maxShort
		l.extensions[extension] = struct{}{}
		l.Names = append(l.Names, short)
	}
	return fmt.Errorf("names of more than %d octets: %w", maxList, ErrComplex)
}
