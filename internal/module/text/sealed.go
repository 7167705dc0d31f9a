package text

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/archive"
	"github.com/tollgate-mail/tollgate/internal/mail"
)

// The bounds of what has a signature around it.
const (
	maxSigned   = 8         // within each other
	maxUnpacked = 256 << 20 // octets of a message, as module attachment has it
)

// encrypted tells of a part that programs show as a message to who can decrypt it:
// OpenPGP (RFC 3156 §4), and what Outlook protects with rights.
func encrypted(p *mail.Part) bool {
	return isOf(p, "multipart/encrypted", "application/pgp-encrypted", "application/x-microsoft-rpmsg-message") || hasExtension(p, ".rpmsg")
}

// signed tells of a part that programs open by themselves and show the message in it
// (RFC 8551 §3.2.1), whatever its Content-Disposition is.
func signed(p *mail.Part) bool {
	return isOf(p, "application/pkcs7-mime", "application/x-pkcs7-mime") || hasExtension(p, ".p7m")
}

func isOf(p *mail.Part, types ...string) bool {
	return slices.Contains(types, p.Type) || slices.ContainsFunc(p.Others, func(t string) bool { return slices.Contains(types, t) })
}

func hasExtension(p *mail.Part, extension string) bool {
	return slices.ContainsFunc(p.Names, func(name string) bool { return strings.EqualFold(path.Ext(name), extension) })
}

// beginsPGP begins a message of OpenPGP within a text (RFC 9580 §6.2).
const beginsPGP = "-----BEGIN PGP MESSAGE-----"

// bothWays reads a part that is a text by one of its types, and a message in a signature
// by another or by a name.
func (in *inspection) bothWays(p *mail.Part, forms []form) error {
	octets, err := in.octets(p.Body)
	if err != nil {
		return err
	}
	if err := in.open(p, strings.NewReader(octets)); err != nil || p.Disposition == "attachment" {
		return err
	}
	return in.read(p, forms, octets)
}

// open reads the message that a signature is around, or that is compressed.
func (in *inspection) open(p *mail.Part, content io.Reader) error {
	if in.signed >= maxSigned {
		in.found(SymbolLimit)
		return nil
	}
	in.signed++
	defer func() { in.signed-- }()
	if in.lister == nil {
		in.lister = &archive.Lister{Budget: in.budget, Unpacked: maxUnpacked, Dir: in.dir}
	}
	err := in.lister.Signed("smime", content, func(content io.Reader) error { return in.message(content, isFile(p)) })
	switch {
	case errors.Is(err, archive.ErrEncrypted):
		in.found(SymbolEncrypted)
	case errors.Is(err, archive.ErrUnreadable):
		if !onlyCertificates(p) {
			in.found(SymbolUnreadable)
		}
	case errors.Is(err, archive.ErrLimit), errors.Is(err, mail.ErrComplex):
		in.found(SymbolLimit)
	default:
		return err
	}
	return nil
}

// onlyCertificates tells of what is said to have no content (RFC 8551 §3.8).
func onlyCertificates(p *mail.Part) bool {
	said, _ := p.Content.Get("Content-Type")
	return strings.Contains(strings.ToLower(said), "certs-only")
}

// message reads the content of such a part. Programs that sign a text without a header
// are read as if it had one; that of a file (contract.pdf.p7m) is nothing that anybody
// is shown.
func (in *inspection) message(content io.Reader, file bool) error {
	const looked = 512
	r := bufio.NewReaderSize(content, looked)
	head, err := r.Peek(looked)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return err
	case beginsMessage(head):
		return mail.ReadParts(in.budget, r, in.part)
	case file:
		return nil
	}
	return mail.ReadParts(in.budget, io.MultiReader(strings.NewReader("\r\n"), r), in.part)
}

// isFile tells whether the name of such a part is that of a file within: of a kind that is
// signed so. Any other may stand for a message, whatever points it has.
func isFile(p *mail.Part) bool {
	return len(p.Names) > 0 && !slices.ContainsFunc(p.Names, func(name string) bool {
		name = strings.ToLower(name)
		for strings.HasSuffix(name, ".p7m") {
			name = strings.TrimSuffix(name, ".p7m")
		}
		switch path.Ext(strings.TrimRight(name, " ")) {
		case ".pdf", ".xml", ".doc", ".docx", ".docm", ".xls", ".xlsx", ".xlsm", ".ppt", ".pptx", ".odt", ".ods", ".odp", ".rtf", ".csv", ".zip", ".7z", ".rar", ".gz",
			".jpg", ".jpeg", ".png", ".gif", ".tif", ".tiff", ".bmp", ".svg", ".dwg", ".dwf", ".dxf", ".json", ".exe", ".bin", ".iso":
			return false
		}
		return true
	})
}

// beginsMessage tells whether the first line is blank, or a field.
func beginsMessage(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	name, _, field := bytes.Cut(line, []byte(":"))
	name = bytes.TrimRight(name, " \t")
	return len(bytes.TrimSpace(line)) == 0 || field && len(name) > 0 && bytes.IndexFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}
