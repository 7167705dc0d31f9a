package dataurl

import "testing"

func TestRead(t *testing.T) {
	for text, want := range map[string][2]string{
		"data:text/html,<b>x":                {"text/html", "<b>x"},
		" DATA:Text/HTML;charset=utf-8,%3Cb": {"text/html", "<b"},
		"data:text/css;base64,eHk=":          {"text/css", "xy"},
		"data:text/css; base64 ,eHk=":        {"text/css", "xy"},
		"data:text/css;base64,eH%6b":         {"text/css", "xy"},
		"data:;base64,eHk":                   {"", "xy"},
		"data:,100%,a#b":                     {"", "100%,a"},
		"data:,%":                            {"", "%"},
		"data:,%zz%41":                       {"", "%zzA"},
	} {
		mediaType, content, ok := Read(text)
		if !ok || mediaType != want[0] || content != want[1] {
			t.Errorf("%s: %q, %q, %v", text, mediaType, content, ok)
		}
	}
	for _, text := range []string{"", "data:", "data:x", "http://x,y"} {
		if _, _, ok := Read(text); ok {
			t.Error(text)
		}
	}
}
