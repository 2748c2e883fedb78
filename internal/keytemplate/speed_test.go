package keytemplate

import "testing"

// BenchmarkKeys tells what the target of a source, and the source of a target,
// cost in a set of three pairs.
func BenchmarkKeys(b *testing.B) {
	var pairs []Pair
	for from, to := range map[string]string{
		"<t:[^:{}]+>":                       "{<t>}:tenant",
		"<t:[^:{}]+>:destinations":          "{<t>}:destinations",
		"<t:[^:{}]+>:destination:<d:[^:]+>": "{<t>}:destination:<d>",
	} {
		p, err := NewPair(from, to)
		if err != nil {
			b.Fatal(err)
		}
		pairs = append(pairs, p)
	}
	set, err := NewSet(pairs, nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("target", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, ok, err := set.Target("t0000001:destination:des_0000001_0"); !ok || err != nil {
				b.Fatal(ok, err)
			}
		}
	})
	b.Run("source", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, ok, err := set.Source("{t0000001}:destination:des_0000001_0"); !ok || err != nil {
				b.Fatal(ok, err)
			}
		}
	})
}
