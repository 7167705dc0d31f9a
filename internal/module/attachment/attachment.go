// Package attachment inspects the parts of a message by themselves, without a
// service: the file names and media types of all MIME parts, the names within
// archives, and symbols for what is suspicious about them.
package attachment

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/tollgate-mail/tollgate/internal/mail"
	"github.com/tollgate-mail/tollgate/internal/module"
)

// Archives is what becomes of attached archives.
type Archives uint8

const (
	// ListArchives gives the names within archives as "archive.zip/inner.exe":
	// of zip (and what is one: office documents, jar, apk), tar, gzip, bzip2,
	// both of these around a tar, rar and 7z. An archive within an archive is
	// a name as others are; it is never opened.
	ListArchives Archives = iota
	// SkipArchives takes an archive as any other file.
	SkipArchives
)

// What stands for the zeros of a Config.
const (
	DefaultMaxNames    = 1000
	DefaultMaxUnpacked = 256 << 20 // which takes about a second
)

// Config of an inspector; its zero value is useful.
type Config struct {
	Archives Archives
	// MaxNames is how many names within archives are listed of one message;
	// 0 stands for DefaultMaxNames. More are told by SymbolArchiveLimit.
	MaxNames int
	// MaxUnpacked is how many octets of a gzip are unpacked in search of the
	// names of a tar within; of a bzip2, an eighth of them. 0 stands for
	// DefaultMaxUnpacked. More are told by SymbolArchiveLimit.
	MaxUnpacked int64
	// Dir is for archives that are too long for memory, "" for the folder for
	// temporary files. The files have no name while they are in use.
	Dir string
}

// Inspector looks into parts. It implements module.Inspector.
type Inspector struct {
	config Config
}

var _ module.Inspector = (*Inspector)(nil)

// New makes an inspector.
func New(c Config) *Inspector {
	if c.MaxNames <= 0 {
		c.MaxNames = DefaultMaxNames
	}
	if c.MaxUnpacked <= 0 {
		c.MaxUnpacked = DefaultMaxUnpacked
	}
	return &Inspector{config: c}
}

// Inspect gives names, types and symbols. An archive that cannot be read is a
// symbol, not an error, and so is a structure of the message that is beyond what
// is read: Finding has what was seen until then.
func (i *Inspector) Inspect(ctx context.Context, m *module.Message) (module.Finding, error) {
	return i.inspect(ctx, m.Stash.Open(ctx))
}

// Ping has nobody to ask.
func (i *Inspector) Ping(context.Context) error { return nil }

// Close has nothing to release.
func (i *Inspector) Close() error { return nil }

func (i *Inspector) inspect(ctx context.Context, message io.Reader) (module.Finding, error) {
	in := &inspection{ctx: ctx, config: &i.config, left: i.config.MaxNames}
	err := mail.ReadParts(message, in.part)
	if errors.Is(err, mail.ErrComplex) {
		in.found(SymbolComplex)
		err = nil
	}
	slices.Sort(in.symbols)
	return module.Finding{Symbols: in.symbols, Names: in.names.Names, Types: in.types.Names}, err
}

// inspection is that of one message.
type inspection struct {
	ctx     context.Context
	config  *Config
	names   mail.NameList
	types   mail.NameList
	symbols []string
	left    int // names within archives that may still be listed
}

// found adds a symbol once.
func (in *inspection) found(symbol string) {
	if !slices.Contains(in.symbols, symbol) {
		in.symbols = append(in.symbols, symbol)
	}
}

// part looks at one part.
func (in *inspection) part(p *mail.Part) error {
	if err := in.ctx.Err(); err != nil {
		return err
	}
	if err := in.types.Add(p.Type); err != nil {
		return err
	}
	for _, name := range p.Names {
		if err := in.names.Add(name); err != nil {
			return err
		}
		if executable(name) {
			in.found(SymbolExecutable)
		}
		if doubleExtension(name) {
			in.found(SymbolDoubleExtension)
		}
	}
	if p.Bidi {
		in.found(SymbolRTLOName)
	}
	if len(p.Names) == 0 && (p.Type == "text/plain" || p.Type == "text/html") {
		return nil // what is read as a text by those who see it
	}
	return in.content(p)
}
