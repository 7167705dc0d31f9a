package rules

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"runtime"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/rules/expr"
	"github.com/tollgate-mail/tollgate/rules/list"
)

// heapAfter reports how much more of the heap is in use after f than before,
// in octets.
func heapAfter(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f()
	runtime.GC()
	runtime.ReadMemStats(&after)
	return max(after.HeapAlloc, before.HeapAlloc) - before.HeapAlloc
}

var benchWords = [...]string{
	"offer", "prize", "bonus", "parcel", "invoice", "transfer", "account", "winner", "ticket", "payment",
	"выигрыш", "перевод", "посылка", "кредит", "скидка", "договор", "оплата",
}

// benchRules are n rules on the header as operators write them.
func benchRules(n int) Source {
	var src Source
	for i := range n {
		a, b := benchWords[i%len(benchWords)], benchWords[(i/len(benchWords)+i)%len(benchWords)]
		c := Condition{Attr: "subject"}
		var re string
		switch i % 8 {
		case 0:
			re = fmt.Sprintf(`(^|\s)%s\s+(\d+)\s*-?%s%d`, a, b, i)
		case 1:
			re = fmt.Sprintf(`^(?:re|fwd?):.*%s.{0,9}%s n%d`, a, b, i)
		case 2:
			re = fmt.Sprintf(`%s%d.*(?:today|now|сейчас)`, a, i)
		case 3:
			c.Attr, re = "header.From", fmt.Sprintf(`@(?:[a-z0-9-]+\.)*%s%d\.(?:com|example|info)>?$`, a, i)
		case 4:
			c.Attr, re = "header.From", fmt.Sprintf(`<%s[._-]?%s\d*@n%d\.`, a, b, i)
		case 5:
			c.Attr, re = "header.*", fmt.Sprintf(`%s%d\.(?:ru|example|top)`, a, i)
		case 6:
			c.Attr, re = "header.*", fmt.Sprintf(`(?:b[o0]nus|w[i1!]nn[e3]r)[\s_-]*%s%d`, a, i)
		case 7:
			c.Attr, re = "header.X-Mailer", fmt.Sprintf(`^%s mailer\s+v?%d\.\d+`, a, i)
		}
		c.Values = []Operand{{V: re}}
		src.Rules = append(src.Rules, SourceRule{
			Name: fmt.Sprintf("rule-%d", i), Stage: "headers", Weight: 1500, Match: []Condition{c},
		})
	}
	return src
}

// benchFacts is the header of an ordinary message.
type benchFacts struct {
	fields map[string]Value
	work   *budget.Budget
}

func newBenchFacts() benchFacts {
	fields := [][2]string{
		{"From", "Jürgen Müller <juergen.mueller@example.net>"},
		{"To", `"User, First" <user@example.org>`},
		{"Subject", "Quartalsübersicht für die Region Nord, платежи и договоры №42"},
		{"Date", "Mon, 23 Nov 2026 08:00:00 +0000"},
		{"Message-Id", "<cc14e66a.a72d.JavaMail.app@mail.example.net>"},
		{"Content-Type", `multipart/alternative; boundary="----=_Part_10570_3453154520.1700000000000"`},
		{"References", "<e3e1aa8a.1bad@example.org> <8f1acac5.e1a8@example.net> <2b5bc99e.1d08@example.org>"},
		{"X-Mailer", "Microsoft Outlook 16.0"},
		{"List-Unsubscribe", "<mailto:unsubscribe-6e6f47d2@lists.example.net>, <https://lists.example.net/u/05f94b98>"},
	}
	for i := range 4 {
		fields = append(fields, [2]string{"Received", fmt.Sprintf(
			"from relay%d.example.net (relay%d.example.net [192.0.2.1%d]) (using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 "+
				"(256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits)) (No client certificate requested) "+
				"by mx%d.example.org (Postfix) with ESMTPS id 540704a6%d for <user@example.org>; Mon, 23 Nov 2026 08:1%d:00 +0000",
			i, i, i, i, i, i)})
	}
	f := benchFacts{make(map[string]Value), budget.New(context.Background(), math.MaxInt64, math.MaxInt64)}
	var all []string
	for _, h := range fields {
		f.fields[h[0]] = TextValue(h[1])
		all = append(all, h[0]+": "+h[1])
	}
	f.fields["*"] = TextValues(all)
	return f
}

func (f benchFacts) Value(_ context.Context, k Key) (Value, error) {
	if k.Attr == Subject {
		return f.fields["Subject"], nil
	}
	return f.fields[k.Name], nil
}

func (f benchFacts) Work() *budget.Budget { return f.work }

func BenchmarkEvaluate(b *testing.B) {
	facts := newBenchFacts()
	for _, n := range []int{10, 100, 1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p, problems := Compile(benchRules(n))
			if p == nil {
				b.Fatal(problems)
			}
			b.ReportAllocs()
			for b.Loop() {
				if out := p.Evaluate(b.Context(), Headers, facts, nil); len(out.Hits) != 0 {
					b.Fatal(out.Hits[0].Rule.Name)
				}
			}
		})
	}
}

func benchList(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		switch i % 4 {
		case 0:
			fmt.Fprintf(&b, "user%d@mail%d.example.org\n", i, i%1000)
		case 1:
			fmt.Fprintf(&b, "host-%d.example.com  # seen\n", i)
		case 2:
			fmt.Fprintf(&b, ".net%d.example\n", i)
		case 3:
			fmt.Fprintf(&b, "10.%d.%d.%d\n", i>>16&255, i>>8&255, i&255)
		}
	}
	return b.Bytes()
}

// benchNetworks are n different prefixes.
func benchNetworks(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "%d.%d.%d.0/24\n", 1+i>>16&255, i>>8&255, i&255)
	}
	return b.Bytes()
}

func BenchmarkReadList(b *testing.B) {
	for name, text := range map[string][]byte{"names": benchList(1e6), "networks": benchNetworks(1e6)} {
		b.Run(name, func(b *testing.B) {
			var l *list.List
			b.ReportAllocs()
			heap := heapAfter(func() {
				for b.Loop() {
					l, _ = list.Read("bench", bytes.NewReader(text), list.Names, expr.NewCache(expr.DefaultCache))
				}
			})
			b.ReportMetric(float64(heap)/(1<<20), "MiB-held")
			if l.Len() < 900000 {
				b.Fatal(l.Len())
			}
		})
	}
}

func BenchmarkListLookup(b *testing.B) {
	l, _ := list.Read("bench", bytes.NewReader(benchList(1e6)), list.Names, expr.NewCache(expr.DefaultCache))
	for _, s := range []string{"user4@mail4.example.org", "someone@mx.sub.example.net", "host-1.example.com", "[10.0.0.3]"} {
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				l.HasText(s, newBenchFacts().work)
			}
		})
	}
}

// BenchmarkLoad is 10,000 rules and a list of a million entries.
func BenchmarkLoad(b *testing.B) {
	text, src := benchList(1e6), benchRules(10000)
	for i := range src.Rules {
		if i%100 == 0 {
			src.Rules[i].Unless = []Condition{{Attr: "sender", Values: []Operand{{V: "list:big"}}}}
		}
	}
	var p *Policy
	b.ReportAllocs()
	heap := heapAfter(func() {
		for b.Loop() {
			l, problems := list.Read("bench", bytes.NewReader(text), list.Names, expr.NewCache(expr.DefaultCache))
			if problems != nil {
				b.Fatal(problems)
			}
			src.Lists = map[string]*list.List{"big": l}
			if p, problems = Compile(src); p == nil {
				b.Fatal(problems)
			}
		}
	})
	b.ReportMetric(float64(heap)/(1<<20), "MiB-held")
	runtime.KeepAlive(p)
}
