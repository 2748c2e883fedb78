package keytemplate

import "fmt"

// samples are tried for parts to find keys that the pairs quarrel about: short
// texts with what is usual between parts.
var samples = []string{"a", "1", "a1", "A", "{a}", "a:a", "a/a", "00000000-0000-0000-0000-000000000000"}

// clash finds a pair whose every key, as far as samples tell, is also taken by
// another pair: that is a mistake of the declaration, not of a key. It does not
// find everything; what it does not find is reported key by key.
func (s *Set) clash() error {
	for _, p := range s.pairs {
		good, bad := 0, error(nil)
		for _, sample := range samples {
			key, ok := p.From.sample(sample)
			if !ok {
				continue
			}
			switch _, is, err := s.Target(key); {
			case err != nil:
				bad = err
			case is:
				good++
			}
		}
		if good == 0 && bad != nil {
			return fmt.Errorf("from %q: no key is understood by it alone, for instance %w", p.From.text, bad)
		}
	}
	return nil
}

// sample gives a key that has the same text in all its parts.
func (t Template) sample(text string) (string, bool) {
	values := Values{}
	for _, name := range t.Names() {
		values[name] = text
	}
	return t.Expand(values)
}
