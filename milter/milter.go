// Package milter is the conversation with the MTA: what Postfix says over the
// milter protocol becomes stage events of the gate, and what the gate decides
// becomes replies and edits. It is the only importer of go-milter.
//
// # Who speaks
//
// The library github.com/d--j/go-milter keeps the negotiation and the
// commands that are answered: CONNECT, HELO, MAIL, RCPT, the end of a message,
// ABORT and QUIT. In front of it stands a guarded connection (conn), because
// the library ends the process on a malformed frame, allocates on a frame's
// word and makes two system calls a packet:
//
//   - one read serves many frames, and one write carries all that is due;
//   - a frame that the library would stumble over closes the connection, with
//     one line in the log, and nothing else;
//   - a frame's buffer grows as its octets really arrive;
//   - macros, header fields, the end of the header and the body, nine in ten of
//     all frames, go to the session directly. To the library each of them costs
//     eight allocations; none of them ever has an answer but "go on".
//
// Reading, judging and answering happen in one goroutine a connection, in the
// order in which the MTA spoke: what does not fit in the socket's buffer
// waits with the MTA.
//
// # Failure
//
// A panic in the gate costs its message what gateway.on_error says, not the
// daemon. An answer to the end of a message that the MTA did not wait for, or
// that could not be written, is told to the gate, which then takes the usage
// records back.
package milter
