package main

import (
	"os"
	"testing"
	"time"
)

func TestStat(t *testing.T) {
	parent, cpu, err := stat([]byte("7 (a) R (b c) S 3 7 7 0 -1 4194560 1 2 3 4 150 50 9 9 20 0 1 0"))
	if err != nil || parent != 3 || cpu != 2*time.Second {
		t.Errorf("parent %d, %v, %v", parent, cpu, err)
	}
	if _, _, err := stat([]byte("7 (a) S 3")); err == nil {
		t.Error("a short line is read")
	}
}

func TestUsed(t *testing.T) {
	u, err := used(os.Getpid())
	if err != nil || u.kib == 0 {
		t.Errorf("%+v, %v", u, err)
	}
	if _, err := used(1 << 30); err == nil {
		t.Error("a process that is not there has used something")
	}
}
