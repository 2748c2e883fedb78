package wire

import "time"

// Fleet says who is alive, at which release, on what evidence.
type Fleet struct {
	Head
	Application string           `json:"application"`
	Components  []FleetComponent `json:"components"`
	Stores      []FleetStore     `json:"stores"`
}

// FleetComponent is what is known of a component.
type FleetComponent struct {
	Name        string       `json:"name"`
	Releases    []string     `json:"releases"`          // that have to be reckoned with, ascending
	Assumed     string       `json:"assumed,omitempty"` // the one of them of which there is no evidence either way
	Because     string       `json:"because,omitempty"` // why it is assumed
	Since       string       `json:"since,omitempty"`   // the first release that held a lease
	Instances   []Instance   `json:"instances"`
	Attestation *Attestation `json:"attestation"` // null: none holds
}

// Instance is a process that holds a lease, or held one not long ago.
type Instance struct {
	Name    string    `json:"name"`
	Release string    `json:"release"`
	Host    string    `json:"host"`
	PID     int       `json:"pid"`
	Since   time.Time `json:"since"`
	Seen    float64   `json:"seen_seconds"` // ago, on the store's clock
	TTL     float64   `json:"ttl_seconds"`
	Live    bool      `json:"live"`
	Stores  []string  `json:"stores"`
}

// Attestation is an operator's statement.
type Attestation struct {
	Component string    `json:"component,omitempty"`
	Client    string    `json:"client,omitempty"`
	Releases  []string  `json:"releases,omitempty"` // of a component; none: it does not run
	Who       string    `json:"who"`
	Reason    string    `json:"reason"`
	Since     time.Time `json:"since"`
	Until     time.Time `json:"until"`
	Holds     bool      `json:"holds"`
}

// FleetStore is what a store itself says of its clients.
type FleetStore struct {
	Name    string        `json:"name"`
	Lists   bool          `json:"lists"`              // it can list its sessions
	Known   int           `json:"known"`              // sessions that are explained
	Unknown []Client      `json:"unknown"`            // sessions that nothing explains: no contract runs beside them
	Clients []Attestation `json:"clients"`            // statements on clients that hold
	Fenced  []string      `json:"fenced,omitempty"`   // who is kept from writing, and by which step
	ShutOut []string      `json:"shut_out,omitempty"` // logins that a contract has shut out
	Problem string        `json:"error,omitempty"`    // why its sessions could not be listed
}

// Client is a session of a store that holds no lease.
type Client struct {
	Session string    `json:"session"`
	Name    string    `json:"name,omitempty"`
	User    string    `json:"user,omitempty"`
	Address string    `json:"address,omitempty"`
	Since   time.Time `json:"since"`
}

// Attest is a statement that was recorded.
type Attest struct {
	Head
	Attestation
	Stores []string `json:"stores"` // where it was recorded
}
