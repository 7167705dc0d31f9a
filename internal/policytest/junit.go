package policytest

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// The report of JUnit, as continuous integration reads it.
type (
	suites struct {
		XMLName xml.Name `xml:"testsuites"`
		Suites  []*suite `xml:"testsuite"`
	}
	suite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
		seconds  float64
	}
	junitCase struct {
		Name    string   `xml:"name,attr"`
		Class   string   `xml:"classname,attr"`
		File    string   `xml:"file,attr"`
		Line    int      `xml:"line,attr"`
		Time    string   `xml:"time,attr"`
		Failure *failure `xml:"failure,omitempty"`
		Error   *failure `xml:"error,omitempty"`
	}
	failure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes the results as a report of JUnit, a suite for each file.
func WriteJUnit(w io.Writer, results []Result) error {
	var all suites
	byFile := map[string]*suite{}
	for _, r := range results {
		s := byFile[r.File]
		if s == nil {
			s = &suite{Name: r.File}
			byFile[r.File] = s
			all.Suites = append(all.Suites, s)
		}
		c := junitCase{Name: r.Name, Class: r.File, File: r.File, Line: r.Line, Time: fmt.Sprintf("%.3f", r.DurationMS/1000)}
		switch {
		case r.Error != "":
			s.Errors++
			c.Error = &failure{Message: r.Error}
		case !r.Passed:
			s.Failures++
			var lines []string
			for _, d := range r.Differences {
				lines = append(lines, d.String())
			}
			c.Failure = &failure{Message: lines[0], Text: strings.Join(lines, "\n")}
		}
		s.Tests++
		s.seconds += r.DurationMS / 1000
		s.Time = fmt.Sprintf("%.3f", s.seconds)
		s.Cases = append(s.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (d Difference) String() string { return fmt.Sprintf("%s: want %s, got %s", d.What, d.Want, d.Got) }
