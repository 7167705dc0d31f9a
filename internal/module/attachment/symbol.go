package attachment

// The symbols of a Finding. They say what a part is, and leave it to rules
// what that is worth.
const (
	// SymbolExecutable: a part is a program or script, by the extension of one
	// of its names or by its content (Windows, DOS, ELF, Mach-O, shortcut, a
	// script's first line).
	SymbolExecutable = "EXECUTABLE"
	// SymbolDoubleExtension: the extension of a program follows that of a
	// document, with or without white space, dots and underscores between:
	// "invoice.pdf.exe". Also of names within archives.
	SymbolDoubleExtension = "DOUBLE_EXTENSION"
	// SymbolRTLOName: a name has characters that turn the direction of
	// writing, so that it looks like another. Also of names within archives.
	SymbolRTLOName = "RTLO_NAME"
	// SymbolTypeMismatch: the content is a program or an archive, and every
	// name of the part has the extension of a picture, a text or a document.
	SymbolTypeMismatch = "TYPE_MISMATCH"
	// SymbolArchiveExecutable: a file within an archive is a program or script, by
	// the extension of a name or by its content.
	SymbolArchiveExecutable = "ARCHIVE_EXECUTABLE"
	// SymbolArchiveEncrypted: a file within an archive, the list of them, an
	// office document or a message (S/MIME) is encrypted.
	SymbolArchiveEncrypted = "ARCHIVE_ENCRYPTED"
	// SymbolNamesHidden: the list of names of an archive is encrypted. Only
	// whoever has the password knows what is in it.
	SymbolNamesHidden = "ARCHIVE_NAMES_HIDDEN"
	// SymbolArchiveNested: what is within an archive or a message in an archive is
	// not looked for: it is deeper than four archives in each other, encrypted, or
	// packed in a way that is not unpacked (of a rar what is compressed, all of a 7z
	// and a cab).
	SymbolArchiveNested = "ARCHIVE_NESTED"
	// SymbolArchiveUnreadable: an archive is damaged or of a kind that is
	// recognised and not read (zstd, lz4, ace, arj, lzh, cpio, wim, disks and
	// others), so that not all of its names are listed; or a file that is called one is none.
	SymbolArchiveUnreadable = "ARCHIVE_UNREADABLE"
	// SymbolArchiveLimit: an archive has more names than are listed, unpacks
	// to more octets than are read, or costs more work than it may.
	SymbolArchiveLimit = "ARCHIVE_LIMIT"
	// SymbolOfficeMacro: an office document (or what claims to be one) has
	// macros, or the extension of one that has.
	SymbolOfficeMacro = "OFFICE_MACRO"
	// SymbolOfficeRemote: an office document fetches its template, or a part or an
	// object that is shown as its own, from another host when it is opened.
	SymbolOfficeRemote = "OFFICE_REMOTE"
	// SymbolPDFScript: a document of PDF has JavaScript, or an action that starts a
	// program.
	SymbolPDFScript = "PDF_SCRIPT"
	// SymbolPDFEncrypted: a document of PDF is encrypted, with a password or with one that
	// programs know: what its files are called, and what is in its packed objects, is not
	// known.
	SymbolPDFEncrypted = "PDF_ENCRYPTED"
	// SymbolComplex: the structure of the message is beyond what is read, and not
	// all parts were seen.
	SymbolComplex = "MIME_TOO_COMPLEX"
)

// Symbols are all of them.
func Symbols() []string {
	return []string{
		SymbolExecutable,
		SymbolDoubleExtension,
		SymbolRTLOName,
		SymbolTypeMismatch,
		SymbolArchiveExecutable,
		SymbolArchiveEncrypted,
		SymbolNamesHidden,
		SymbolArchiveNested,
		SymbolArchiveUnreadable,
		SymbolArchiveLimit,
		SymbolOfficeMacro,
		SymbolOfficeRemote,
		SymbolPDFScript,
		SymbolPDFEncrypted,
		SymbolComplex,
	}
}
