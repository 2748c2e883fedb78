package demo

import (
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"testing"
)

// The shop ends when its standard input does, as it does when the demo dies,
// and what it acknowledged until then is in the store.
func TestTheShopEndsWithItsInput(t *testing.T) {
	db, p := closedShop(t)
	in, hold := io.Pipe()
	out, acknowledge := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := trade(t.Context(), filepath.Join(p.folder, database), "1.2", in, acknowledge)
		ended <- errors.Join(err, acknowledge.Close())
	}()
	kinds := map[deal]int{}
	decoder := json.NewDecoder(out)
	for n := 0; ; n++ {
		var w write
		if err := decoder.Decode(&w); err != nil {
			break
		}
		kinds[w.What]++
		if err := p.model.add(w); err != nil {
			t.Fatal(err)
		}
		if n == 60 {
			_ = hold.Close()
		}
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if kinds[placed] == 0 || kinds[amended] == 0 || kinds[moved] == 0 {
		t.Errorf("the shop wrote %v, want some of each kind", kinds)
	}
	orders, err := readOrders(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	customers, err := readCustomers(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	if n := differing(p.model.orders, orders) + differing(p.model.customers, customers); n > 0 {
		t.Errorf("%d records differ from what was acknowledged", n)
	}
}

func TestUnknownWritesAreNotOverlooked(t *testing.T) {
	if err := past(10).add(write{What: "burnt"}); err == nil {
		t.Error("an unknown kind of write was taken over")
	}
}

func TestTotal(t *testing.T) {
	for cents, text := range map[int64]string{5: "0.05 EUR", 1250: "12.50 EUR", 100_000: "1000.00 EUR"} {
		if got := total(cents, "EUR"); got != text {
			t.Errorf("total(%d) = %q, want %q", cents, got, text)
		}
		if got, currency, err := parseTotal(text); err != nil || got != cents || currency != "EUR" {
			t.Errorf("parseTotal(%q) = %d, %q, %v", text, got, currency, err)
		}
	}
	for _, text := range []string{"", "12 EUR", "12.5 EUR", "12.50", "12.50 EURO", "1x.50 EUR"} {
		if _, _, err := parseTotal(text); err == nil {
			t.Errorf("parseTotal(%q) found an amount", text)
		}
	}
}
