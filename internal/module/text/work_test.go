package text

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/budget"
)

// workedOn are the packages whose statements are counted.
const workedOn = "./internal/css,./internal/markup,./internal/rtf,./internal/module/text"

const (
	envPage, envSteps = "TOLLGATE_WORK_PAGE", "TOLLGATE_WORK_STEPS"
	// envAll has all pages tried, and told of each.
	envAll = "TOLLGATE_WORK_ALL"
	// perCharge is how many statements a step, or an octet of a page, may be.
	perCharge = 60
)

// TestOneWork reads one page, for TestWorkIsCharged.
func TestOneWork(t *testing.T) {
	page, err := os.ReadFile(os.Getenv(envPage))
	if os.Getenv(envPage) == "" {
		t.Skip("it is a part of TestWorkIsCharged")
	}
	if err != nil {
		t.Fatal(err)
	}
	b := budget.New(context.Background(), math.MaxInt64, math.MaxInt64)
	in := &inspection{budget: b, desk: new(desk)}
	if err := in.html(string(page)); err != nil {
		t.Fatal(err)
	}
	steps, _ := b.Spent()
	if err := os.WriteFile(os.Getenv(envSteps), []byte(strconv.FormatInt(steps, 10)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestWorkIsCharged: whatever a page repeats, the statements that are run for it are no
// more than so many for each step that is charged: as a binary counts them that is made
// for it, so that it is the same on every machine.
func TestWorkIsCharged(t *testing.T) {
	dir := t.TempDir()
	bin := filepath.Join(dir, "text.test")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-covermode=count", "-coverpkg="+workedOn, "-o", bin, "./internal/module/text")
	build.Dir = "../../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, page := range dearPages() {
		work, steps := workOf(t, bin, dir, page)
		each := float64(work) / float64(steps+int64(len(page)))
		if os.Getenv(envAll) != "" {
			t.Logf("%6.1f %9d %9d %8d %.70s", each, work, steps, len(page), name)
		}
		if each > perCharge {
			t.Errorf("%s: %d statements, %d steps, %d octets", name, work, steps, len(page))
		}
	}
}

// dearPages are pages that repeat something, behind something else or not.
func dearPages() map[string]string {
	const octets = 16 << 10
	all := make(map[string]string)
	var sheet strings.Builder
	for n := range 300 {
		fmt.Fprintf(&sheet, "b.c%d>i,i:not(.a%d),b+i:nth-child(%dn){opacity:1;font-size:9px}", n, n, n+2)
	}
	befores := map[string]string{
		"": "", "worlds ": worldSheet + `<b class="h wide any dark"><i style="color:white;left:-999px;max-height:0">x</i></b>`, "rules ": "<style>" + sheet.String() + "</style>",
		"deep ": strings.Repeat("<b class=c1><i>", 300), "deep head ": strings.Repeat("<head>", 500), "made ": "<style>i:before{content:'xy'}b:after{content:attr(class)}p::first-letter{font-size:0}</style>",
	}
	for i, before := range slices.Sorted(maps.Keys(befores)) {
		for n, unit := range append(units(), dearUnits()...) {
			if n%len(befores) == i || os.Getenv(envAll) != "" {
				all[before+unit] = befores[before] + strings.Repeat(unit, octets/len(unit))
			}
		}
	}
	return all
}

// dearUnits are pieces that are dear behind others.
func dearUnits() []string {
	return []string{
		"<style>.h{opacity:0}</style>", "<style>i:is(.a,.b,:not(.c)){opacity:0}</style>", "<style>.a,.b,.c,.d{.a,.b,.c,.d{opacity:0}}</style>", "<style>i{&{&{&{&{opacity:0}}}}}</style>", "<style>i{a{", "<style>i{content:'{'}</style>",
		"<b class=c1><i></i></b>", "<i class=c1></i>", "<b class=c1>", "<p>x", "<i>x</i>", "<i style='font-size:calc(1px*(0 + 1) - 1px)'>x</i>", "<i style='display:var(--x)'>x</i>", "<dialog>x</dialog>", "<i class='h wide any dark mono tv sup sib nth tab two both'>x</i>",
		"<i class=c1 style='color:white;left:-99px;unicode-bidi:bidi-override;direction:rtl;max-height:0;mso-hide:all'>x</i>", "<head>", "<html>", "<title>x</title>", "<rp>x", "<table><tr><td>x", "<p hidden><table>x",
	}
}

// workOf is how many statements reading a page runs, and what is charged for it.
func workOf(t *testing.T, bin, dir, page string) (work, steps int64) {
	t.Helper()
	in, out, profile := filepath.Join(dir, "page"), filepath.Join(dir, "steps"), filepath.Join(dir, "profile")
	if err := os.WriteFile(in, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), bin, "-test.run=^TestOneWork$", "-test.coverprofile="+profile)
	run.Env = append(os.Environ(), envPage+"="+in, envSteps+"="+out)
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	told, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if steps, err = strconv.ParseInt(string(told), 10, 64); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(profile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		// file:from,to statements count
		if fields := strings.Fields(lines.Text()); len(fields) == 3 {
			n, _ := strconv.ParseInt(fields[1], 10, 64)
			times, _ := strconv.ParseInt(fields[2], 10, 64)
			work += n * times
		}
	}
	return work, steps
}
