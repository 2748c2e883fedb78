package demo

import (
	"fmt"
	"strconv"
	"strings"
)

// total writes an amount as release 1.0 of the shop does: "12.50 EUR".
func total(cents int64, currency string) string {
	return fmt.Sprintf("%d.%02d %s", cents/100, cents%100, currency)
}

// parseTotal is the inverse of total.
func parseTotal(text string) (cents int64, currency string, err error) {
	number, currency, found := strings.Cut(text, " ")
	whole, rest, point := strings.Cut(number, ".")
	if !found || !point || len(rest) != 2 || len(currency) != 3 {
		return 0, "", fmt.Errorf("%q is no amount", text)
	}
	cents, err = strconv.ParseInt(whole+rest, 10, 64)
	if err != nil {
		return 0, "", fmt.Errorf("%q is no amount: %w", text, err)
	}
	return cents, currency, nil
}
