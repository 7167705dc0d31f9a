// Package harness starts the real daemons for tests and for the demo: the
// tollgate binary, a Postfix instance of its own without systemd, a Redis
// server, and a small SMTP server that keeps what Postfix delivers. Everything
// listens on loopback, lives in one folder, is ended by process id, and is
// gone when its Sandbox is closed.
//
// Postfix starts only as root; New says so when it cannot.
package harness
