package attachment

import (
	"bytes"
	"errors"
	"io"
	"slices"

	"github.com/tollgate-mail/tollgate/internal/archive"
	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/mail"
)

// maxMessages is how many messages that are files are read within each other.
const maxMessages = 8

// content looks at what a part has in it.
func (in *inspection) content(p *mail.Part) error {
	if in.head == nil {
		in.head = make([]byte, archive.Head)
	}
	n, err := io.ReadFull(p.Body, in.head[:archive.HeadShort])
	kind := archive.KindOf(in.head[:n])
	if err == nil && kind == archive.Other {
		var more int
		more, err = io.ReadFull(p.Body, in.head[n:])
		n += more
		kind = archive.KindOf(in.head[:n])
	}
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	if err := in.budget.Octets(n); err != nil {
		return in.listed(err)
	}
	if kind == archive.Executable {
		in.found(SymbolExecutable, in.file)
	}
	if mismatched(kind) && len(p.Names) > 0 && !slices.ContainsFunc(p.Names, notPassive) {
		in.found(SymbolTypeMismatch, in.file)
	}
	if !in.archives {
		return nil
	}
	if kind != archive.Other && slices.ContainsFunc(p.Names, macroDocument) {
		in.found(SymbolOfficeMacro, in.file)
	}
	return in.listed(in.list(p, kind, io.MultiReader(bytes.NewReader(in.head[:n]), p.Body)))
}

// list lists what a part has in it.
func (in *inspection) list(p *mail.Part, kind archive.Kind, r io.Reader) error {
	name := "unnamed"
	if len(p.Names) > 0 {
		name = p.Names[0]
	}
	switch {
	case kind != archive.Other && kind != archive.Executable:
		return in.lister.List(kind, name, r)
	case slices.ContainsFunc(p.Names, messageFile):
		return in.message(r)
	case signed(p):
		return in.lister.Signed(name, r, in.message)
	}
	return in.lister.Search(name, claimOf(p.Names), r)
}

// message reads a message that is a file.
func (in *inspection) message(r io.Reader) error {
	if in.messages++; in.messages > maxMessages {
		in.found(SymbolComplex, in.file)
		return nil
	}
	// Those of the part that is read meanwhile.
	head, file, within := in.head, in.file, in.within
	in.head, in.within = nil, file+"/"
	defer func() { in.messages, in.head, in.file, in.within = in.messages-1, head, file, within }()
	err := mail.ReadParts(in.budget, r, in.part)
	if errors.Is(err, mail.ErrComplex) {
		in.found(SymbolComplex, file)
		return nil
	}
	return err
}

// listed makes symbols of the errors that are about the archive.
func (in *inspection) listed(err error) error {
	switch {
	case in.ctx.Err() != nil:
		return in.ctx.Err()
	case errors.Is(err, archive.ErrUnreadable):
		in.found(SymbolArchiveUnreadable, in.file)
	case errors.Is(err, archive.ErrEncrypted):
		in.found(SymbolArchiveEncrypted, in.file)
	case errors.Is(err, archive.ErrLimit), errors.Is(err, budget.ErrSpent):
		in.found(SymbolArchiveLimit, in.file)
	default:
		return err
	}
	return nil
}

// sign is told what an archive shows beside names.
func (in *inspection) sign(s archive.Sign) {
	in.found(map[archive.Sign]string{
		archive.Encrypted: SymbolArchiveEncrypted, archive.Macro: SymbolOfficeMacro, archive.Program: SymbolArchiveExecutable,
		archive.Nested: SymbolArchiveNested, archive.Damaged: SymbolArchiveUnreadable, archive.Bidi: SymbolRTLOName,
	}[s], in.file)
}

// inside takes a name within an archive.
func (in *inspection) inside(archived, name string) error {
	path := archived + "/" + name
	if executable(name) {
		in.found(SymbolArchiveExecutable, in.within+path)
	}
	if doubleExtension(name) {
		in.found(SymbolDoubleExtension, in.within+path)
	}
	if isArchive(name) {
		in.found(SymbolArchiveNested, in.within+path)
	}
	if err := in.names.Add(path); err != nil {
		return archive.ErrLimit
	}
	return nil
}

// mismatched tells whether a picture, a text or a document is none of a kind.
func mismatched(k archive.Kind) bool {
	return !slices.Contains([]archive.Kind{archive.Other, archive.Tar, archive.OLE, archive.TNEF}, k)
}

func notPassive(name string) bool {
	_, ok := passive[extension(name)]
	return !ok
}

func messageFile(name string) bool {
	return slices.Contains([]string{"eml", "mht", "mhtml", "nws"}, extension(name))
}

// signed tells whether a part is a signature around its content (RFC 8551
// §3.2.1).
func signed(p *mail.Part) bool {
	return p.Type == "application/pkcs7-mime" || p.Type == "application/x-pkcs7-mime" ||
		slices.ContainsFunc(p.Names, func(name string) bool { return extension(name) == "p7m" })
}
