package postfix

import "strings"

// Parameter is the parameter of main.cf that holds where tollgate listens and
// how long Postfix waits for it; lists of milters name it.
const Parameter = "tollgate_milter"

const reference = "$" + Parameter

// milters cuts a list of milters: they stand between commas and white space, and
// one with settings of its own in braces (postconf(5), smtpd_milters).
func milters(list string) []string {
	var all []string
	depth, from := 0, -1
	for at := 0; at <= len(list); at++ {
		separates := at == len(list)
		if !separates {
			switch list[at] {
			case '{':
				depth++
			case '}':
				depth--
			case ' ', '\t', '\n', '\r', ',':
				separates = depth <= 0
			}
		}
		switch {
		case separates && from >= 0:
			all = append(all, list[from:at])
			from = -1
		case !separates && from < 0:
			from = at
		}
	}
	return all
}

// endpoint is where a milter of a list listens.
func endpoint(milter string) string {
	inner, braced := strings.CutPrefix(milter, "{")
	if !braced {
		return milter
	}
	if f := milters(strings.TrimSuffix(inner, "}")); len(f) > 0 {
		return f[0]
	}
	return ""
}

// refers tells whether a milter of a list is written as our parameter.
func refers(milter string) bool { return names(milter, Parameter) }

// names tells whether a word is the value of a parameter.
func names(word, parameter string) bool {
	return word == "$"+parameter || word == "${"+parameter+"}" || word == "$("+parameter+")"
}

// without is a list less every mention of tollgate.
func (r Reach) without(list string) string {
	var left []string
	for _, m := range milters(list) {
		if !refers(m) && !r.same(endpoint(m)) {
			left = append(left, m)
		}
	}
	return strings.Join(left, ", ")
}

// compact is a list without white space, which postconf(1) does not take for
// master.cf.
func compact(list string) string {
	all := milters(list)
	for n, m := range all {
		if inner, braced := strings.CutPrefix(m, "{"); braced {
			all[n] = "{" + strings.Join(milters(strings.TrimSuffix(inner, "}")), ",") + "}"
		}
	}
	return strings.Join(all, ",")
}
