package clamav

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// attachment is a message of about 20 MB, nearly all of it base64 of what
// cannot be compressed.
func attachment() []byte {
	data := make([]byte, 20_000_000/78*57)
	rand.NewChaCha8([32]byte{}).Read(data)
	return []byte(strings.ReplaceAll("From: a@example.com\nSubject: x\n"+part("base64", wrapped(data)), "\n", "\r\n"))
}

// What the client's chunks of 1 KiB cost: the same message through the scanner
// and through clamdscan, which sends large ones; one at a time, and eight.
func BenchmarkScan(b *testing.B) {
	// Without its memory of what was clean, or it would not look again.
	d, err := box.Clamd(harness.ClamdConfig{MaxThreads: 4, More: []string{"DisableCache yes"}})
	if err != nil {
		b.Fatal(err)
	}
	text := attachment()
	path := filepath.Join(b.TempDir(), "message.eml")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		b.Fatal(err)
	}
	ways := map[string]func() error{"clamdscan": func() error {
		out, err := exec.Command("clamdscan", "--config-file="+d.Config(), "--stream", "--no-summary", path).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}}
	for network, s := range scanners(b, d) {
		ways[network] = func() error {
			virus, err := s.scan(b.Context(), func(context.Context) io.Reader { return bytes.NewReader(text) })
			if virus != "" {
				return fmt.Errorf("found %q", virus)
			}
			return err
		}
	}
	for _, way := range []string{"unix", "tcp", "clamdscan"} {
		b.Run(way, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if err := ways[way](); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(way+"/eight", func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.SetParallelism(max(1, 8/runtime.GOMAXPROCS(0)))
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := ways[way](); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
