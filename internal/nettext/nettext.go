// Package nettext says in words what failed in a network, for people who read it
// in a journal or a status: which address, and what stands in the way.
package nettext

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"strings"
	"syscall"
)

// noAnswer is all that is known when a connection ends too early, by whichever
// side and system call it was noticed.
const noAnswer = "the connection was closed before there was an answer"

// Error is an error in words. It wraps what it was made of.
type Error struct {
	text string
	err  error
}

func (e *Error) Error() string { return e.text }
func (e *Error) Unwrap() error { return e.err }

// Explain has what an error says of connections in words; all else it says stays.
// An error that has none of them, nil too, is returned as it is.
func Explain(err error) error {
	if err == nil {
		return nil
	}
	text := Text(err)
	if text == err.Error() {
		return err
	}
	return &Error{text, err}
}

// Text is what Explain would say. The operation of a package net stands in the text of
// what wraps it, and is replaced there.
func Text(err error) string {
	text := err.Error()
	var op *net.OpError
	if errors.As(err, &op) {
		text = strings.ReplaceAll(text, op.Error(), operation(op))
	}
	var name *net.DNSError
	if errors.As(err, &name) {
		text = strings.ReplaceAll(text, name.Error(), lookup(name))
	}
	for _, ended := range []error{net.ErrClosed, io.ErrClosedPipe} {
		if errors.Is(err, ended) {
			text = strings.ReplaceAll(text, ended.Error(), noAnswer)
		}
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		text = strings.ReplaceAll(text, io.ErrUnexpectedEOF.Error(), "the answer was cut off")
	case errors.Is(err, io.EOF) && strings.HasSuffix(text, "EOF"):
		text = strings.TrimSuffix(text, "EOF") + noAnswer
	}
	// What package net/http says where something else answers at the port.
	text = strings.ReplaceAll(text, "net/http: HTTP/1.x transport connection broken: ", "no HTTP is spoken there: ")
	text = strings.ReplaceAll(text, "http: server closed idle connection", noAnswer)
	return text
}

// operation is one that failed.
func operation(op *net.OpError) string {
	at := "the other side"
	if op.Addr != nil {
		at = op.Addr.String()
	}
	if op.Op != "dial" {
		switch {
		case op.Timeout():
			return "no answer in time"
		case errors.Is(op.Err, syscall.ECONNRESET), errors.Is(op.Err, syscall.EPIPE), errors.Is(op.Err, net.ErrClosed), errors.Is(op.Err, io.EOF):
			return noAnswer
		}
		return "the connection broke: " + cause(op.Err)
	}
	var name *net.DNSError
	switch {
	case errors.As(op.Err, &name):
		return lookup(name)
	case errors.Is(op.Err, syscall.ECONNREFUSED):
		return "connection refused at " + at
	case errors.Is(op.Err, fs.ErrNotExist):
		return "there is no socket " + at
	case errors.Is(op.Err, fs.ErrPermission):
		return "no permission to connect to " + at
	case op.Timeout():
		return "no connection to " + at + " in time"
	case errors.Is(op.Err, syscall.EHOSTUNREACH), errors.Is(op.Err, syscall.ENETUNREACH):
		return "no route to " + at
	}
	return "no connection to " + at + ": " + cause(op.Err)
}

func lookup(e *net.DNSError) string {
	switch {
	case e.IsNotFound:
		return "there is no host name " + e.Name
	case e.IsTimeout:
		return "no answer in time to what the address of " + e.Name + " is"
	}
	return "the address of " + e.Name + " cannot be found: " + e.Err
}

// cause is the innermost error.
func cause(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}
