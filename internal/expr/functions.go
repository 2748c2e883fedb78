package expr

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// UnconvertibleError reports a value that an expression cannot take.
type UnconvertibleError struct {
	Field  string // that was to be set, "" if not known
	Reason string
}

func (e *UnconvertibleError) Error() string {
	if e.Field == "" {
		return e.Reason
	}
	return "field " + e.Field + ": " + e.Reason
}

// function is what the language has here besides its own.
type function struct {
	name  string
	do    func(arguments ...any) (any, error)
	types []any // what may be given, as functions
}

// functions take text, as hashes hold it, and give nil for nil and "": what is
// not there stays so. What has been converted already stays as it is, so that a
// step may be repeated.
var functions = []function{
	{"unixms", one(unixMilli), []any{new(func(any) any)}},
	{"unixs", one(unixSeconds), []any{new(func(any) any)}},
	{"rfc3339ms", one(fromMilli), []any{new(func(any) any)}},
	{"number", one(number), []any{new(func(any) any)}},
	{"blank", blank, []any{new(func(any) bool)}},
}

func isFunction(name string) bool {
	for _, f := range functions {
		if f.name == name {
			return true
		}
	}
	return false
}

func names() string {
	all := make([]string, len(functions))
	for i, f := range functions {
		all[i] = f.name
	}
	return strings.Join(all, ", ")
}

// one makes a function of one text.
func one(do func(text string) (any, error)) func(...any) (any, error) {
	return func(arguments ...any) (any, error) {
		switch v := arguments[0].(type) {
		case nil:
			return nil, nil
		case string:
			if v == "" {
				return nil, nil
			}
			return do(v)
		default:
			if text, ok := textOfNumber(v); ok {
				return do(text)
			}
			return nil, &UnconvertibleError{Reason: fmt.Sprintf("%v is a %s, not a text", v, reflect.TypeOf(v))}
		}
	}
}

// blank tells whether a field is missing or empty.
func blank(arguments ...any) (any, error) {
	return arguments[0] == nil || arguments[0] == "", nil
}

// unixMilli makes milliseconds since 1970 of a time as in RFC 3339, cut, not
// rounded. A whole number is taken to be converted already.
func unixMilli(text string) (any, error) {
	return instant(text, func(t time.Time) int64 { return t.UnixMilli() })
}

// unixSeconds is unixMilli in seconds.
func unixSeconds(text string) (any, error) {
	return instant(text, func(t time.Time) int64 { return t.Unix() })
}

func instant(text string, of func(time.Time) int64) (any, error) {
	if len(text) <= len("-9223372036854775808") { // what is longer is no number, and need not be tried
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n, nil
		}
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return nil, &UnconvertibleError{Reason: fmt.Sprintf("%q is neither a time as in RFC 3339 nor a whole number", text)}
	}
	return of(t), nil
}

// fromMilli makes a time as in RFC 3339, in UTC, of milliseconds since 1970. A
// time as in RFC 3339 is taken to be converted already.
func fromMilli(text string) (any, error) {
	if _, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return text, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, &UnconvertibleError{Reason: fmt.Sprintf("%q is neither a whole number nor a time as in RFC 3339", text)}
	}
	return time.UnixMilli(n).UTC().Format(time.RFC3339Nano), nil
}

// number makes a number of a text: a whole one if it is, else one with a
// fraction.
func number(text string) (any, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, &UnconvertibleError{Reason: fmt.Sprintf("%q is no number", text)}
	}
	return f, nil
}
