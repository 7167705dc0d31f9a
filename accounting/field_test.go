package accounting

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Every field of Record stands in the table, under its JSON name, and nothing
// else does.
func TestFieldsAreTheRecord(t *testing.T) {
	kind := reflect.TypeFor[Record]()
	if kind.NumField() != len(fields) {
		t.Fatalf("%d fields of the record, %d in the table", kind.NumField(), len(fields))
	}
	for i, f := range fields {
		name, options, _ := strings.Cut(kind.Field(i).Tag.Get("json"), ",")
		if name != f.name || (options == "omitempty") != f.sparse {
			t.Errorf("field %d is %q %q, in the table %q, sparse: %v", i, name, options, f.name, f.sparse)
		}
		var r Record
		if !reflect.DeepEqual(f.empty(&r), f.clock == nil) {
			t.Errorf("%s of the empty record is there", f.name)
		}
		v := reflect.ValueOf(&r).Elem().Field(i)
		switch v.Kind() {
		case reflect.String:
			v.SetString("x")
		case reflect.Int, reflect.Int64:
			v.SetInt(7)
		case reflect.Slice:
			v.Set(reflect.ValueOf([]string{"x"}))
		default:
			v.Set(reflect.ValueOf(time.Unix(1, 0)))
		}
		if f.empty(&r) {
			t.Errorf("%s reads another field of the record", f.name)
		}
	}
}

// What goes into a stream comes back.
func TestParseFieldsReadsThemBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, r := range Charge(message(), rapid.Int64Range(0, 1<<60).Draw(t, "size"), payersOf(t), Sharing{}) {
			values := map[string]string{}
			list := r.AppendFields(nil)
			for i := 0; i < len(list); i += 2 {
				values[list[i].(string)] = fmt.Sprint(list[i+1])
			}
			got, err := ParseFields(func(name string) (string, bool) { v, ok := values[name]; return v, ok })
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(r, got); d != "" {
				t.Fatal(d)
			}
		}
	})
	_, err := ParseFields(func(name string) (string, bool) { return "x", name != "weight" })
	for _, want := range []string{`no field "weight"`, `field "size"`, `field "time"`, `field "share_count"`, `field "rules"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: not %s", err, want)
		}
	}
}
