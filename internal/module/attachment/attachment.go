// Package attachment inspects the parts of a message by themselves, without a
// service: the file names and media types of all MIME parts, the names within
// archives, and symbols for what is suspicious about them.
package attachment

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/tollgate-mail/tollgate/internal/archive"
	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/mail"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/settings"
)

// What one message may cost.
const (
	maxNames    = 4000      // within archives
	maxUnpacked = 256 << 20 // octets, which takes about a second
	maxOctets   = 8 << 30   // read or unpacked
	// maxDepth is how many archives are opened within each other, the attached
	// one included.
	maxDepth = 4
)

// Settings of an inspector.
type Settings struct {
	// Archives has the names within archives given as "archive.zip/inner.exe": of
	// all that package archive reads, and of messages that are files, and so within
	// each other, "archive.zip/inner.zip/innermost.exe". Without it an archive is
	// taken as any other file.
	Archives bool `key:"archives"`
	// Dir is for archives that are too long for memory, "" for the folder for
	// temporary files. The files have no name while they are in use.
	Dir settings.StateDir
}

// Check finds nothing wrong.
func (Settings) Check() error { return nil }

// Inspector looks into parts. It implements module.Inspector.
type Inspector struct {
	settings Settings
}

var _ module.Inspector = (*Inspector)(nil)

// New makes an inspector.
func New(s Settings) *Inspector { return &Inspector{settings: s} }

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
	in := newInspection(ctx, i.settings)
	defer in.budget.Share(ctx)()
	return in.inspect(in.budget.Arriving(message))
}

// inspection is that of one message.
type inspection struct {
	ctx      context.Context
	archives bool // are listed
	budget   *budget.Budget
	lister   *archive.Lister
	names    mail.NameList
	types    mail.NameList
	symbols  []string
	details  map[string]module.Detail
	file     string   // the part under way, or the file within it, as people are told of it
	within   string   // the messages that it is in, which are files themselves
	messages int      // that are files, within each other
	depth    int      // archives within each other, around what is looked at
	heads    [][]byte // of the parts and files under way, the innermost last
	level    int      // of the innermost
}

func newInspection(ctx context.Context, s Settings) *inspection {
	in := &inspection{ctx: ctx, archives: s.Archives, budget: budget.Proportional(ctx, maxOctets)}
	in.lister = &archive.Lister{Budget: in.budget, Names: maxNames, Unpacked: maxUnpacked, Dir: string(s.Dir), Clean: mail.CleanPath, Name: in.inside, Content: in.inner, Sign: in.sign}
	return in
}

func (in *inspection) inspect(message io.Reader) (module.Finding, error) {
	err := mail.ReadParts(in.budget, message, in.part)
	if errors.Is(err, mail.ErrComplex) {
		in.found(SymbolComplex, "")
		err = nil
	}
	slices.Sort(in.symbols)
	return module.Finding{Symbols: in.symbols, Details: in.details, Names: in.names.Names, Types: in.types.Names}, err
}

// found adds a symbol once, and what it is about; "" where that is the message.
func (in *inspection) found(symbol, about string) {
	if !slices.Contains(in.symbols, symbol) {
		in.symbols = append(in.symbols, symbol)
	}
	if about == "" {
		return
	}
	if in.details == nil {
		in.details = map[string]module.Detail{}
	}
	d := in.details[symbol]
	d.Tell(about)
	in.details[symbol] = d
}

// part looks at one part.
func (in *inspection) part(p *mail.Part) error {
	if err := in.ctx.Err(); err != nil {
		return err
	}
	in.file = in.within + fileOf(p)
	if in.types.Add(p.Type) != nil {
		in.found(SymbolComplex, "")
	}
	for _, name := range p.Names {
		if in.names.Add(name) != nil {
			in.found(SymbolComplex, "")
		}
		if executable(name) {
			in.found(SymbolExecutable, in.within+name)
		}
		if doubleExtension(name) {
			in.found(SymbolDoubleExtension, in.within+name)
		}
	}
	if p.Bidi {
		in.found(SymbolRTLOName, in.file)
	}
	if len(p.Names) == 0 && p.Disposition != "attachment" && (p.Type == "text/plain" || p.Type == "text/html") {
		return nil // what is read as a text by those who see it
	}
	return in.listed(in.attached(p))
}

// fileOf is how a part is named to people.
func fileOf(p *mail.Part) string {
	if len(p.Names) > 0 {
		return p.Names[0]
	}
	return "a part of type " + p.Type + " without a name"
}
