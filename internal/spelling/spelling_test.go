package spelling

import "testing"

func TestMeant(t *testing.T) {
	known := []string{"from", "to", "over", "unconvertible"}
	for word, want := range map[string]string{
		"form": ", did you mean from?", "TO": ", did you mean to?", "unconvertable": ", did you mean unconvertible?",
		"quarantine": " (known: from, to, over, unconvertible)",
	} {
		if got := Meant(word, known); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
	if got := Meant("x", nil); got != "" {
		t.Errorf("nothing is known: %q", got)
	}
}
