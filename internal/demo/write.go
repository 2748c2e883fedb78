package demo

// deal says what the shop wrote.
type deal string

// The writes that the shop makes.
const (
	placed  deal = "placed"  // a new order
	amended deal = "amended" // something was added to an order
	moved   deal = "moved"   // a customer has a new address
)

// write is one committed write of the shop, as it is acknowledged: a line of
// JSON on the standard output of the shop's process. Amounts are what was
// added, so that it does not matter in which order the acknowledgements of two
// processes arrive.
type write struct {
	What     deal   `json:"what"`
	ID       int64  `json:"id"` // of the order, or of the customer
	Customer int64  `json:"customer,omitempty"`
	Cents    int64  `json:"cents,omitempty"`
	Currency string `json:"currency,omitempty"`
	Mail     string `json:"mail,omitempty"`
	Took     int64  `json:"took"` // microseconds from its begin to its commit
}
