// Package spelling finds the word that a misspelled one was most likely meant
// to be.
package spelling

import "strings"

// Nearest finds the known word that a misspelled one was most likely meant to
// be; "" where none is near.
func Nearest(word string, known []string) string {
	best, least := "", len(word)/3+2
	if least > 4 {
		least = 4
	}
	for _, k := range known {
		if d := Distance(strings.ToLower(word), k); d < least {
			best, least = k, d
		}
	}
	return best
}

// Meant gives `, did you mean X?` or, where no word is near, the words known.
func Meant(word string, known []string) string {
	if k := Nearest(word, known); k != "" {
		return ", did you mean " + k + "?"
	}
	if len(known) == 0 {
		return ""
	}
	return " (known: " + strings.Join(known, ", ") + ")"
}

// Distance counts the letters to be put in, taken out, replaced or swapped
// with their neighbour to make one word of the other.
func Distance(a, b string) int {
	var older, old, row []int
	old = make([]int, len(b)+1)
	for j := range old {
		old[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row = make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(old[j]+1, row[j-1]+1, old[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], older[j-2]+1)
			}
		}
		older, old = old, row
	}
	return old[len(b)]
}
