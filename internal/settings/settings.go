// Package settings has keys of the policy fill the fields of a struct: what an
// inspector or a source of clients is told is a plain struct of its own package,
// and whoever reads a policy knows neither.
//
// A field with a tag as `key:"url"` is a key of the policy, one that must be there
// with `key:"url,required"`. It is a string, a bool, or one of the types of this
// package. A field of type StateDir has no key.
package settings

import (
	"fmt"
	"reflect"
	"strings"
)

// What is read for a field besides its value.
type (
	// Secret is the only line of the file that the key names, "" for none.
	Secret string
	// Certificates are what is in the file that the key names, PEM; "" for none.
	Certificates string
	// Path is the path that the key names, resolved against the folder of the file
	// of the policy that names it; nobody has looked whether there is one. "" for
	// none.
	Path string
	// StateDir is the gateway's folder.
	StateDir string
)

// ClientFile is a file with clients that is read with the policy, and kept with it.
type ClientFile struct {
	Path string // as Path
	Text string
}

// KeyError is what is wrong with the value of one key.
type KeyError struct {
	Key string
	Err error
}

func (e *KeyError) Error() string { return fmt.Sprintf("%s: %v", e.Key, e.Err) }

func (e *KeyError) Unwrap() error { return e.Err }

// Key is a field of settings.
type Key struct {
	Name     string // "" of one that the policy does not say
	Required bool
	Into     any // the pointer to the field
}

// Keys are the fields of the settings that p points to.
func Keys(p any) []Key {
	s := reflect.ValueOf(p).Elem()
	keys := make([]Key, s.NumField())
	for i := range keys {
		name, more, _ := strings.Cut(s.Type().Field(i).Tag.Get("key"), ",")
		keys[i] = Key{Name: name, Required: more == "required", Into: s.Field(i).Addr().Interface()}
	}
	return keys
}

// Copy is a pointer to a copy of a struct of settings, for Keys to fill, and what
// it points to by then.
func Copy[S any](defaults S) (into any, now func() S) {
	p := reflect.New(reflect.TypeOf(defaults))
	p.Elem().Set(reflect.ValueOf(defaults))
	return p.Interface(), func() S { return p.Elem().Interface().(S) }
}
