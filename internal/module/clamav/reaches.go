package clamav

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
)

var (
	// ErrScanLimit: clamd does not look at what is larger than its MaxFileSize
	// or MaxScanSize, but says OK unseen, or calls it a virus where its
	// AlertExceedsMax is set.
	ErrScanLimit = errors.New("larger than clamd's MaxFileSize or MaxScanSize, beyond which it does not look")
	// ErrNoEICAR: clamd's signatures do not know the EICAR test file.
	ErrNoEICAR = errors.New("does not know EICAR")
)

// Reaches tells whether clamd looks at all of a message of size octets: it is
// shown EICAR in a short message, and at the end of one of that size. clamd
// reports them like any virus, in its log and to its VirusEvent, so this is
// for an operator who asks, not for every start. ErrScanLimit means that clamd
// does not look at such messages, ErrStreamLimit that it does not take
// them at all; any other error, that it could not be found out.
func (s *Scanner) Reaches(ctx context.Context, size int64) error {
	if err := s.Accepts(ctx, size); err != nil {
		return err
	}
	for _, n := range []int64{0, size} {
		virus, err := s.scan(ctx, func(context.Context) io.Reader { return infected(n) })
		switch {
		case err != nil:
			return s.wrap(err)
		case virus != "":
			continue
		case n == 0:
			return s.wrap(ErrNoEICAR)
		}
		return s.wrap(fmt.Errorf("a message of %d octets is %w", n, ErrScanLimit))
	}
	return nil
}

// infected is a message of size octets, or as few as possible, with EICAR in
// its last part.
func infected(size int64) io.Reader {
	const (
		head = "From: tollgate\r\nSubject: EICAR test\r\nMIME-Version: 1.0\r\n" +
			"Content-Type: multipart/mixed; boundary=part\r\n\r\n--part\r\n\r\n"
		part = "\r\n--part\r\nContent-Type: application/octet-stream\r\n" +
			"Content-Transfer-Encoding: base64\r\n\r\n"
		end = "\r\n--part--\r\n"
	)
	// In pieces, so that no scanner finds it in the program.
	eicar := strings.Join([]string{`X5O!P%@AP[4\PZX54(P^)7CC)7}`, `EICAR-STANDARD-ANTIVIRUS-TEST-FILE!`, `H+H*`}, "$")
	tail := part + base64.StdEncoding.EncodeToString([]byte(eicar)) + end
	room := max(0, size-int64(len(head)+len(tail)))
	lines := &repeated{text: strings.Repeat(strings.Repeat("harmless ", 8)+"\r\n", 64)}
	return io.MultiReader(strings.NewReader(head), io.LimitReader(lines, room), strings.NewReader(tail))
}
