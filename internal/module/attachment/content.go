package attachment

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/archive"
	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/mail"
)

// maxMessages is how many messages that are files are read within each other.
const maxMessages = 8

// attached looks at what a part has in it.
func (in *inspection) attached(p *mail.Part) error {
	head, kind, err := in.look(p.Body, archive.Head)
	if err != nil {
		return err
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
	name := "unnamed"
	if len(p.Names) > 0 {
		name = p.Names[0]
	}
	return in.list(p, name, kind, head, p.Body)
}

// inner looks at what a file within an archive has in it; r is nil when that
// cannot be unpacked.
func (in *inspection) inner(archived string, names []string, r io.Reader) error {
	p := &mail.Part{Names: names, Body: r}
	name := "unnamed"
	if len(names) > 0 {
		name = names[0]
	}
	path, around := archived+"/"+name, in.file
	in.file = in.within + path
	defer func() { in.file = around }()
	contains := claims(p)
	if r == nil {
		if contains {
			in.found(SymbolArchiveNested, in.file)
		}
		return nil
	}
	want := archive.HeadDocument
	if contains {
		want = archive.Head
	}
	in.level++
	defer func() { in.level-- }()
	head, kind, err := in.look(r, want)
	if err != nil {
		return in.listed(err)
	}
	switch {
	case kind == archive.Executable:
		in.found(SymbolArchiveExecutable, in.file)
		return nil
	case kind == archive.Other && !contains && !message(head):
		return nil // what stands behind the first octets of other files is not looked for
	case kind != archive.Other && slices.ContainsFunc(names, macroDocument):
		in.found(SymbolOfficeMacro, in.file)
	}
	return in.listed(in.list(p, path, kind, head, r))
}

// claims tells whether a name, or a type, is that of something with files in it.
func claims(p *mail.Part) bool {
	return slices.ContainsFunc(p.Names, isArchive) || slices.ContainsFunc(p.Names, tnefFile) || slices.ContainsFunc(p.Names, messageFile) || signed(p)
}

// look reads the beginning of what is looked at, and tells what it is by that: as
// much as is wanted where the first octets do not tell.
func (in *inspection) look(r io.Reader, want int) (head []byte, kind archive.Kind, err error) {
	for len(in.heads) <= in.level {
		in.heads = append(in.heads, nil)
	}
	if len(in.heads[in.level]) < want {
		in.heads[in.level] = make([]byte, want)
	}
	head = in.heads[in.level]
	n, err := io.ReadFull(r, head[:archive.HeadShort])
	kind = archive.KindOf(head[:n])
	if err == nil && (kind == archive.Other || kind == archive.PDF) && want > n {
		var more int
		more, err = io.ReadFull(r, head[n:want])
		n += more
		kind = archive.KindOf(head[:n])
	}
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, archive.Other, err
	}
	return head[:n], kind, in.budget.Octets(n)
}

// list lists what a part, or a file within an archive, has in it.
func (in *inspection) list(p *mail.Part, name string, kind archive.Kind, head []byte, r io.Reader) error {
	contains := kind != archive.Other && kind != archive.Executable
	if !contains && (slices.ContainsFunc(p.Names, messageFile) || message(head) && (len(p.Names) == 0 || slices.ContainsFunc(p.Names, notPassive))) {
		return in.message(io.MultiReader(bytes.NewReader(head), r))
	}
	r = io.MultiReader(bytes.NewReader(head), r)
	if in.depth >= maxDepth {
		if contains || claims(p) {
			in.found(SymbolArchiveNested, in.file)
		}
		return nil
	}
	in.depth++
	defer func() { in.depth-- }()
	switch {
	case kind == archive.PDF:
		return in.lister.PDF(name, claimOf(p.Names), r)
	case contains:
		if err := in.unpackedNames(kind, p.Names); err != nil {
			return err
		}
		return in.lister.List(kind, name, r)
	case signed(p):
		return in.lister.Signed(name, r, in.message)
	}
	return in.lister.Search(name, claimOf(p.Names), r)
}

// unpackedNames takes the names of a file that is packed by itself and has
// several: each program makes one of that which it knows.
func (in *inspection) unpackedNames(kind archive.Kind, names []string) error {
	if len(names) < 2 || kind != archive.Gzip && kind != archive.Bzip2 && kind != archive.XZ {
		return nil
	}
	for _, name := range names {
		if unpacked := archive.UnpackedName(name); unpacked != "" {
			if err := in.inside(name, unpacked); err != nil {
				return err
			}
		}
	}
	return nil
}

// message reads a message that is a file.
func (in *inspection) message(r io.Reader) error {
	if in.messages++; in.messages > maxMessages {
		in.found(SymbolComplex, in.file)
		return nil
	}
	// Those of the part that is read meanwhile.
	file, within := in.file, in.within
	in.level, in.within = in.level+1, file+"/"
	defer func() { in.messages, in.level, in.file, in.within = in.messages-1, in.level-1, file, within }()
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
	case errors.Is(err, archive.ErrHidden):
		in.found(SymbolArchiveEncrypted, in.file)
		in.found(SymbolNamesHidden, in.file)
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
		archive.Encrypted: SymbolArchiveEncrypted, archive.Macro: SymbolOfficeMacro,
		archive.Damaged: SymbolArchiveUnreadable, archive.Bidi: SymbolRTLOName, archive.Remote: SymbolOfficeRemote,
		archive.Script: SymbolPDFScript, archive.Locked: SymbolPDFEncrypted,
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
	if err := in.names.Add(path); err != nil {
		return archive.ErrLimit
	}
	return nil
}

// mismatched tells whether a picture, a text or a document is none of a kind.
func mismatched(k archive.Kind) bool {
	return k != archive.Other && k != archive.Tar && !k.Holds()
}

func notPassive(name string) bool { return !passive.of(name) }

func messageFile(name string) bool {
	return slices.Contains([]string{"eml", "mbox", "mht", "mhtml", "msg", "nws"}, extension(name))
}

// message tells whether a file begins as a message does, whatever it is called:
// office programs open those of web archives.
func message(head []byte) bool {
	const most = 2 << 10
	head = bytes.ToLower(head[:min(len(head), most)])
	name, _, ok := bytes.Cut(head, []byte(":"))
	if !ok || !slices.Contains([]string{"mime-version", "received", "return-path", "delivered-to", "from", "date", "message-id", "subject", "content-type"}, string(name)) {
		return false
	}
	return bytes.HasPrefix(head, []byte("content-type:")) || bytes.Contains(head, []byte("\ncontent-type:"))
}

func tnefFile(name string) bool {
	return strings.EqualFold(base(name), "winmail.dat") || extension(name) == "tnef"
}

// signed tells whether a part is a signature around its content (RFC 8551
// §3.2.1).
func signed(p *mail.Part) bool {
	return p.Type == "application/pkcs7-mime" || p.Type == "application/x-pkcs7-mime" ||
		slices.ContainsFunc(p.Names, func(name string) bool { return extension(name) == "p7m" })
}
