// Package document reads a TOML text into values that know where they stand, and
// says what is wrong with a text that is none. It knows no key of a policy.
package document

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/BurntSushi/toml"

	"github.com/tollgate-mail/tollgate/internal/diag"
)

// MaxFile bounds one TOML file, in octets. 200,000 clients fit.
const MaxFile = 32 << 20

// What is not read, as the end of a message that names the file.
var (
	ErrDirectory = errors.New("it is a directory, not a file")
	ErrNoFile    = errors.New("it is a device, pipe or socket, not a file")
)

// Read reads one TOML file: its values with their places, or the problem that
// keeps it from being read or from being used: of that kind there are values,
// too. Many are the names of tables that are written [[name]].
func Read(path string, many []string) (*Node, *diag.Problem) {
	text, err := ReadFile(path, MaxFile)
	if err != nil {
		return nil, &diag.Problem{Pos: diag.Pos{File: path}, Msg: err.Error()}
	}
	return Parse(path, text, many)
}

// Parse is Read of a text; file is what its places call it.
func Parse(file, text string, many []string) (*Node, *diag.Problem) {
	return ParseFolding(file, text, many, "")
}

// ParseFolding is Parse that may leave tables [[folding]] folded of a large text that
// has more of them than of any other: who looks into one opens it ([Node.Open]).
func ParseFolding(file, text string, many []string, folding string) (*Node, *diag.Problem) {
	text = strings.TrimPrefix(text, "\ufeff")
	if line, msg := foreign(text); msg != "" {
		return nil, &diag.Problem{Pos: diag.Pos{File: file, Line: line}, Msg: msg}
	}
	if len(text) < manyOctets || mostWritten(text) != folding {
		folding = "" // and what there is most of is decoded in pieces
	}
	root, heads, deep := scanFolding(file, text, folding)
	if deep > 0 {
		return nil, &diag.Problem{
			Pos: diag.Pos{File: file, Line: deep},
			Msg: fmt.Sprintf("tables and arrays stand more than %d deep in each other", maxDepth),
		}
	}
	if len(text) >= manyOctets && root.fillInPieces(text, heads, piece) {
		return root, nil
	}
	if folding != "" {
		// toml's values need a place each.
		return Parse(file, text, many)
	}
	values, err := decode(text)
	if err != nil {
		if again, problems := doubled(file, text, many); len(problems) > 0 {
			// The rest of the file is told about, too.
			if root, problem := Parse(file, again, many); problem == nil {
				return root, &problems[0]
			}
		}
		pos := diag.Pos{File: file}
		msg := err.Error()
		var syntax toml.ParseError
		if errors.As(err, &syntax) {
			pos.Line = syntaxLine(text, syntax.Position)
			msg = strings.TrimSuffix(syntax.Message, ".") + syntaxHint(syntax.Message, text, pos.Line)
		}
		return nil, &diag.Problem{Pos: pos, Msg: "not TOML: " + msg}
	}
	root.fill(text, values)
	return root, nil
}

// syntaxLine is the line of what toml could not read. A line end that came too
// early counts for the line before, where it is to be corrected.
func syntaxLine(text string, p toml.Position) int {
	last := min(max(p.Start+p.Len-1, 0), len(text))
	return max(min(p.Line, lineOf(text, last)), 1)
}

// decode is toml's reading. Its own mistakes are panics: on a reload one of
// them must not end the daemon.
func decode(text string) (values map[string]any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the text cannot be read: %v", r)
		}
	}()
	_, err = toml.Decode(text, &values)
	return values, err
}

// foreign tells what is wrong with a text that is not UTF-8 (TOML 1.0 asks for
// it), and on which line.
func foreign(text string) (line int, msg string) {
	if strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff") {
		return 1, "the file is UTF-16; save it as UTF-8"
	}
	at := strings.IndexByte(text, 0)
	if at >= 0 {
		return lineOf(text, at), "a NUL octet: this is no text, or not one in UTF-8"
	}
	if utf8.ValidString(text) {
		return 0, ""
	}
	for at = 0; ; {
		r, n := utf8.DecodeRuneInString(text[at:])
		if r == utf8.RuneError && n <= 1 {
			break
		}
		at += n
	}
	return lineOf(text, at), fmt.Sprintf("octet 0x%02x is not UTF-8; save the file as UTF-8", text[at])
}

func lineOf(text string, at int) int { return strings.Count(text[:at], "\n") + 1 }

// ReadFile reads a whole file of up to limit octets, that nobody writes to. Its
// errors do not name the file.
func ReadFile(path string, limit int64) (string, error) {
	f, err := Open(path)
	if err != nil {
		return "", err
	}
	text := ""
	err = Steady(f, func() error {
		text, err = readAll(f, limit)
		return err
	})
	return text, errors.Join(err, f.Close())
}

func readAll(f *os.File, limit int64) (string, error) {
	info, err := f.Stat()
	if err != nil {
		return "", Plain(err)
	}
	var b strings.Builder
	if size := info.Size(); size <= limit {
		b.Grow(int(size) + 1)
	}
	n, err := io.Copy(&b, io.LimitReader(f, limit+1))
	if err != nil {
		return "", Plain(err)
	}
	if n > limit {
		return "", fmt.Errorf("the file is larger than %d MiB; long lists belong in files of [lists]", limit>>20)
	}
	return b.String(), nil
}

// Plain is an error without the path it names: the position names it.
func Plain(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
