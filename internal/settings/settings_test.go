package settings

import (
	"errors"
	"reflect"
	"testing"
)

type some interface{ is() string }

type own struct {
	URL    string `key:"url,required"`
	On     bool   `key:"on"`
	Folder StateDir
}

func (o own) is() string { return o.URL }

// Through an interface, too: who fills settings does not know their type.
func TestCopy(t *testing.T) {
	t.Parallel()
	var defaults some = own{On: true}
	into, now := Copy(defaults)
	keys := Keys(into)
	want := []Key{{"url", true, keys[0].Into}, {"on", false, keys[1].Into}, {"", false, keys[2].Into}}
	if !reflect.DeepEqual(keys, want) {
		t.Errorf("%+v", keys)
	}
	*keys[0].Into.(*string) = "x"
	*keys[2].Into.(*StateDir) = "/d"
	if got := now(); got != (own{URL: "x", On: true, Folder: "/d"}) || defaults.is() != "" {
		t.Errorf("%+v, defaults %+v", got, defaults)
	}
}

func TestKeyError(t *testing.T) {
	t.Parallel()
	inner := errors.New("is empty")
	err := &KeyError{Key: "url", Err: inner}
	if err.Error() != "url: is empty" || !errors.Is(err, inner) {
		t.Error(err)
	}
}
