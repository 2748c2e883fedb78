package importer

import "testing"

func TestParseSpan(t *testing.T) {
	tests := []struct {
		text string
		want span
		ok   bool
	}{
		{"< 1672749980", span{high: "1672749980", highOpen: true}, true},
		{">= 1565", span{low: "1565"}, true},
		{">=1.5, <1.7", span{low: "1.5", high: "1.7", highOpen: true}, true},
		{">= 1.5 and <= 1.7", span{low: "1.5", high: "1.7"}, true},
		{"> 3", span{low: "3", lowOpen: true}, true},
		{"≥ 3", span{low: "3"}, true},
		{"3 - 7", span{low: "3", high: "7"}, true},
		{"3..7", span{low: "3", high: "7"}, true},
		{"1.4..1.7", span{low: "1.4", high: "1.7"}, true},
		{"0001_a..0004_d", span{low: "0001_a", high: "0004_d"}, true},
		{"2026-05-01 to 2026-06-01", span{low: "2026-05-01", high: "2026-06-01"}, true},
		{"1.6.0-rc.1", span{low: "1.6.0-rc.1", high: "1.6.0-rc.1"}, true},
		{"1.5+", span{low: "1.5"}, true},
		{"v1.5", span{low: "1.5", high: "1.5"}, true},
		{"5", span{low: "5", high: "5"}, true},
		{"any", span{}, true},
		{"", span{}, true},
		{"5 6", span{}, false},
		{">= 5 >= 6", span{}, false},
		{"newer", span{}, false},
		{"<", span{}, false},
	}
	for _, test := range tests {
		got, ok := parseSpan(test.text)
		if ok != test.ok || ok && got != test.want {
			t.Errorf("%q: %+v %t, want %+v %t", test.text, got, ok, test.want, test.ok)
		}
	}
}
