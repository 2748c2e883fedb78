package ui

import (
	"fmt"
	"strings"

	"github.com/stopover-dev/stopover/internal/wire"
)

func fleet(p *page, d *wire.Fleet) {
	for _, c := range d.Components {
		releases := strings.Join(c.Releases, ", ")
		if releases == "" {
			releases = "nothing runs"
		}
		p.line(bold, c.Name+"  "+releases)
		var table [][]cell
		for _, i := range c.Instances {
			table = append(table, instance(p, i))
		}
		p.table("  ", table)
		if c.Attestation != nil {
			p.line(plain, "  "+attestation(p, *c.Attestation))
		}
		if c.Because != "" {
			p.line(yellow, "  "+c.Because)
		}
	}
	for _, s := range d.Stores {
		clients(p, s)
	}
}

func instance(p *page, i wire.Instance) []cell {
	seen := fmt.Sprintf("seen %s ago of %s", span(i.Seen), span(i.TTL))
	state := cell{"alive", green}
	if !i.Live {
		state = cell{"its lease has run out", dim}
	}
	return []cell{{text: i.Name}, {text: i.Release}, {text: fmt.Sprintf("%s (pid %d)", i.Host, i.PID)}, {text: "since " + p.when(i.Since)}, {text: seen}, state}
}

func attestation(p *page, a wire.Attestation) string {
	subject := "client " + a.Client
	if a.Component != "" {
		subject = a.Component + " runs " + strings.Join(a.Releases, ", ")
		if len(a.Releases) == 0 {
			subject = a.Component + " does not run"
		}
	}
	return fmt.Sprintf("attested by %s until %s: %s (%s)", a.Who, p.when(a.Until), subject, a.Reason)
}

func clients(p *page, s wire.FleetStore) {
	switch {
	case s.Problem != "":
		p.line(yellow, fmt.Sprintf("%s: its sessions cannot be listed: %s", s.Name, s.Problem))
	case !s.Lists:
		p.line(dim, s.Name+": this kind of store keeps no list of its clients")
	case len(s.Unknown) == 0:
		p.linef("%s: %s, all of them known", s.Name, many(s.Known, "session"))
	default:
		p.line(yellow, fmt.Sprintf("%s: %s without a lease; no contract runs beside them", s.Name, many(len(s.Unknown), "session")))
	}
	for _, c := range s.Unknown {
		p.line(plain, "  "+client(p, c))
	}
	for _, who := range s.Fenced {
		p.line(yellow, "  kept from writing: "+who)
	}
	if len(s.ShutOut) > 0 {
		p.linef("  shut out for good: %s", strings.Join(s.ShutOut, ", "))
	}
	for _, a := range s.Clients {
		p.line(plain, "  "+attestation(p, a))
	}
}

func client(p *page, c wire.Client) string {
	name := ""
	if c.Name != "" {
		name = fmt.Sprintf("%q", c.Name)
	}
	return strings.Join(nonempty(name, c.User, c.Address, "session "+c.Session, "since "+p.when(c.Since)), "  ")
}

func attested(p *page, d *wire.Attest) {
	if len(d.Stores) > 0 {
		p.line(green, attestation(p, d.Attestation))
		p.linef("recorded in %s", strings.Join(d.Stores, ", "))
	}
}
