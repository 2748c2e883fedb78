package sqlaction

import (
	"slices"
	"testing"
)

func TestKeyRoundTrip(t *testing.T) {
	for _, values := range [][]string{{}, {""}, {"123", "abc"}, {"it's \"<&>\"\n\u2028", "\uFFFD", "\xff\x00"}} {
		cursor := EncodeKey(values)
		got, err := DecodeKey(cursor)
		if err != nil || !slices.Equal(got, values) {
			t.Errorf("%q: %s gives %q, %v", values, cursor, got, err)
		}
	}
	if got := string(EncodeKey([]string{"123", "abc"})); got != `["123","abc"]` {
		t.Errorf("got %s", got)
	}
}

func TestDecodeKeyRefuses(t *testing.T) {
	for _, cursor := range []string{"", "null", "{}", `[1]`, `[null]`, `["a"`, `[{}]`, `[["a"]]`} {
		if values, err := DecodeKey([]byte(cursor)); err == nil {
			t.Errorf("%q gives %q", cursor, values)
		}
	}
}

func FuzzDecodeKey(f *testing.F) {
	f.Add([]byte(`["1", {"bytes": "AA=="}]`))
	f.Fuzz(func(t *testing.T, cursor []byte) {
		values, err := DecodeKey(cursor)
		if err != nil {
			return
		}
		again, err := DecodeKey(EncodeKey(values))
		if err != nil || !slices.Equal(again, values) {
			t.Fatalf("%q gives %q, %v", values, again, err)
		}
	})
}
