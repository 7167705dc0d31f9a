package module

import (
	"fmt"
	"reflect"
	"strings"
)

// Settings are what a type of inspectors is told: a struct of plain values, of
// which two that are equal (reflect.DeepEqual) make inspectors that do the same.
//
// A field with a tag as `key:"url"` is a key of the policy, one that must be
// there with `key:"url,required"`. It is a string, a bool, a Secret or
// Certificates. A field of type StateDir has no key.
type Settings interface {
	// Check says what is wrong with the values, so that New of them can fail no
	// more. A *KeyError says with which.
	Check() error
}

// What is read for a field besides its value.
type (
	// Secret is the only line of the file that the key names, "" for none.
	Secret string
	// Certificates are what is in the file that the key names, PEM; "" for none.
	Certificates string
	// StateDir is the gateway's folder, in which an inspector may have files
	// without a name.
	StateDir string
)

// In is the settings with another folder for files without a name.
func In(s Settings, dir StateDir) Settings {
	other := reflect.New(reflect.TypeOf(s))
	other.Elem().Set(reflect.ValueOf(s))
	for _, k := range Keys(other.Interface()) {
		if into, ok := k.Into.(*StateDir); ok {
			*into = dir
		}
	}
	return other.Elem().Interface().(Settings)
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
