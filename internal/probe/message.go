// Package probe sends one message through a running Postfix, as a mail program
// would, and finds out what became of it there.
package probe

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// Kind is what a test message carries.
type Kind string

// The kinds.
const (
	Plain Kind = "plain"
	EICAR Kind = "eicar" // the test file that scanners agree to call a virus
	GTUBE Kind = "gtube" // the line that spam filters agree to call spam
)

// In pieces, so that no scanner finds one in this program.
func eicar() string {
	return strings.Join([]string{`X5O!P%@AP[4\PZX54(P^)7CC)7}`, `EICAR-STANDARD-ANTIVIRUS-TEST-FILE!`, `H+H*`}, "$")
}

func gtube() string {
	return strings.Join([]string{"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE", "STANDARD", "ANTI", "UBE", "TEST", "EMAIL*C.34X"}, "-")
}

// Message is a test message with line ends of the network.
func Message(kind Kind, from, to, id string, now time.Time) []byte {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	line("From: <%s>", from)
	line("To: <%s>", to)
	line("Subject: tollgate test message %s (%s)", id, kind)
	line("Date: %s", now.Format(time.RFC1123Z))
	line("Message-ID: <%s@tollgate.test.invalid>", id)
	line("MIME-Version: 1.0")
	if kind == EICAR {
		line("Content-Type: multipart/mixed; boundary=%q", "part-"+id)
		line("")
		line("--part-%s", id)
	}
	line("Content-Type: text/plain; charset=us-ascii")
	line("")
	line("This is a test of the mail gateway, made by \"tollgate send-test\".")
	switch kind {
	case GTUBE:
		line("%s", gtube())
	case EICAR:
		line("--part-%s", id)
		line("Content-Type: application/octet-stream")
		line("Content-Disposition: attachment; filename=\"eicar.com\"")
		line("Content-Transfer-Encoding: base64")
		line("")
		line("%s", base64.StdEncoding.EncodeToString([]byte(eicar())))
		line("--part-%s--", id)
	}
	return []byte(b.String())
}
