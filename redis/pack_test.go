package redis

import (
	"fmt"
	"strings"
	"testing"
)

// TestScriptsReadWhatIsPacked has a server read lists and texts of every length at
// which the format changes.
func TestScriptsReadWhatIsPacked(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		var p packed
		lengths := []int{0, 1, 31, 32, 255, 256, 1<<16 - 1, 1 << 16}
		p = p.list(2*len(lengths) + 2)
		for _, n := range lengths {
			p = p.text(strings.Repeat("\xff", n)).number(n)
		}
		p = p.absent().texts([]string{"a", "b"})
		const lua = `local list = cmsgpack.unpack(ARGV[1])
local words = {}
for i = 1, #list - 2, 2 do words[#words + 1] = #list[i] .. '=' .. list[i + 1] end
return {table.concat(words, ' '), tostring(list[#list - 1]), list[#list]}`
		got := fmt.Sprint(f.raw("EVAL", lua, 1, f.Store.books, []byte(p)))
		if want := "[0=0 1=1 31=31 32=32 255=255 256=256 65535=65535 65536=65536 false [a b]]"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if got := f.raw("EVAL", "return #cmsgpack.unpack(ARGV[1])", 1, f.Store.books, []byte(packed(nil).texts(make([]string, 15)))); got != int64(15) {
			t.Errorf("%v of 15 texts", got)
		}
	})
}
