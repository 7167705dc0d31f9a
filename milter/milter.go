// Package milter is the conversation with the MTA: what Postfix says over the
// milter protocol becomes stage events of the gate, and what the gate decides
// becomes replies and edits. It is the only importer of go-milter.
//
// # Who speaks
//
// A loop of our own (dialogue). The library github.com/d--j/go-milter gives the
// protocol's vocabulary, formats replies, and is the client of the tests; its
// server loop ends the process on a malformed frame, allocates on a frame's word,
// makes two system calls a packet, and costs a goroutine and a server more for each
// connection and forty allocations more for each message. A differential test
// (library_test.go) keeps that loop, behind the same guard, as what ours has to
// answer like.
//
//   - one read serves many frames, and one write carries all that is due;
//   - a malformed frame closes the connection, with one line in the log, and
//     nothing else;
//   - a frame's buffer grows as its octets really arrive;
//   - macros, header fields, the end of the header and the body, nine in ten of
//     all frames, go to the session directly: none of them ever has an answer but
//     "go on".
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
