package demo

// release is how one release of the shop reads and writes. Each knows only the
// columns that its release was written for.
type release struct {
	id     string
	read   string // the amount of order ?: text, or cents
	asText bool   // read gives "12.50 EUR", else whole cents

	place func(w write, day string) (string, []any) // a new order
	amend func(id, cents int64, currency string) (string, []any)
	move  string // customer ?2 gets the address ?1
}

// releases are those that the shop runs, the oldest first.
var releases = []release{
	{
		id: "1.0", read: `SELECT total, '' FROM orders WHERE id = ?`, asText: true,
		place: func(w write, day string) (string, []any) {
			return `INSERT INTO orders (customer, placed, total) VALUES (?, ?, ?)`, []any{w.Customer, day, total(w.Cents, w.Currency)}
		},
		amend: func(id, cents int64, currency string) (string, []any) {
			return `UPDATE orders SET total = ? WHERE id = ?`, []any{total(cents, currency), id}
		},
		move: `UPDATE customers SET mail = ? WHERE id = ?`,
	},
	{
		// The bridge: it reads the old form, which is right until the last 1.0 has
		// ended, and writes both.
		id: "1.1", read: `SELECT total, '' FROM orders WHERE id = ?`, asText: true,
		place: func(w write, day string) (string, []any) {
			return `INSERT INTO orders (customer, placed, total, cents, currency) VALUES (?, ?, ?, ?, ?)`,
				[]any{w.Customer, day, total(w.Cents, w.Currency), w.Cents, w.Currency}
		},
		amend: func(id, cents int64, currency string) (string, []any) {
			return `UPDATE orders SET total = ?, cents = ?, currency = ? WHERE id = ?`, []any{total(cents, currency), cents, currency, id}
		},
		move: `UPDATE customers SET mail = ? WHERE id = ?`,
	},
	{
		id: "1.2", read: `SELECT cents, currency FROM orders WHERE id = ?`,
		place: func(w write, day string) (string, []any) {
			return `INSERT INTO orders (customer, placed, cents, currency) VALUES (?, ?, ?, ?)`, []any{w.Customer, day, w.Cents, w.Currency}
		},
		amend: func(id, cents int64, _ string) (string, []any) {
			return `UPDATE orders SET cents = ? WHERE id = ?`, []any{cents, id}
		},
		move: `UPDATE customers SET email = ? WHERE id = ?`,
	},
}

// releaseOf finds a release and its place in the row of releases.
func releaseOf(id string) (release, int, bool) {
	for i, r := range releases {
		if r.id == id {
			return r, i, true
		}
	}
	return release{}, 0, false
}
