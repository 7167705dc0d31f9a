package milter

// Commands of the milter protocol, version 6 (libmilter's mfdef.h).
const (
	cmdAbort     = 'A' // SMFIC_ABORT
	cmdBody      = 'B' // SMFIC_BODY
	cmdConnect   = 'C' // SMFIC_CONNECT
	cmdMacro     = 'D' // SMFIC_MACRO
	cmdEnd       = 'E' // SMFIC_BODYEOB: the end of the message
	cmdHelo      = 'H' // SMFIC_HELO
	cmdQuitNew   = 'K' // SMFIC_QUIT_NC: this SMTP session is over, another follows
	cmdHeader    = 'L' // SMFIC_HEADER
	cmdMail      = 'M' // SMFIC_MAIL
	cmdEndHeader = 'N' // SMFIC_EOH
	cmdNegotiate = 'O' // SMFIC_OPTNEG
	cmdQuit      = 'Q' // SMFIC_QUIT
	cmdRcpt      = 'R' // SMFIC_RCPT
	cmdData      = 'T' // SMFIC_DATA
	cmdUnknown   = 'U' // SMFIC_UNKNOWN
)

const (
	// maxFrame bounds a header field and a chunk of the body. Postfix sends
	// fields up to header_size_limit (102400 by default) and chunks of 64 KiB.
	maxFrame = 1<<20 + 1<<12
	// maxCommand bounds every other frame: Postfix takes no SMTP command over
	// line_length_limit (2048 by default), and macros are short.
	maxCommand = 64 << 10
)

// command is what the guard knows of a command.
type command struct {
	name  string // "" for one that does not exist
	limit int    // octets of its frame, the letter included
}

var commands = [256]command{
	cmdAbort:     {"abort", maxCommand},
	cmdBody:      {"body", maxFrame},
	cmdConnect:   {"connect", maxCommand},
	cmdMacro:     {"macro", maxCommand},
	cmdEnd:       {"end of message", maxFrame},
	cmdHelo:      {"helo", maxCommand},
	cmdQuitNew:   {"quit, new connection", maxCommand},
	cmdHeader:    {"header", maxFrame},
	cmdMail:      {"mail", maxCommand},
	cmdEndHeader: {"end of header", maxCommand},
	cmdNegotiate: {"negotiation", maxCommand},
	cmdQuit:      {"quit", maxCommand},
	cmdRcpt:      {"rcpt", maxCommand},
	cmdData:      {"data", maxCommand},
	cmdUnknown:   {"unknown command", maxCommand},
}
