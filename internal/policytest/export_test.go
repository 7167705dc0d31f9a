package policytest

// Begins is begins, for tests from outside.
func Begins(reply, want string) bool { return begins(reply, want) }
