package files

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
)

// TestDeepFilesAreRefused keeps files out on which the parser would take all
// memory.
func TestDeepFilesAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"brackets": "stores: " + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000),
		"braces":   "stores: " + strings.Repeat("{a: ", 50_000) + strings.Repeat("}", 50_000),
		"dashes":   "stores:\n  " + strings.Repeat("- ", 50_000) + "a",
		"long":     "application: " + strings.Repeat("a", longestFile),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(fstest.MapFS{"stopover.yaml": {Data: []byte(text)}}, "stopover.yaml")
			var problems *Problems
			if !errors.As(err, &problems) || !strings.Contains(err.Error(), "stopover.yaml") || len(err.Error()) > 300 {
				t.Errorf("got %.200v", err)
			}
		})
	}
}

func TestHonestFilesAreNotDeep(t *testing.T) {
	text := "stores:\n" + strings.Repeat("  a: {b: [1, 2]}\n", 5000)
	if line := tooDeep([]byte(text)); line != 0 {
		t.Errorf("line %d", line)
	}
}
