package tracking

import (
	"bufio"
	"errors"
	"fmt"
)

// read hands over what comes until the connection ends.
func (c *Connection) read() {
	defer close(c.done)
	from := bufio.NewReaderSize(c.conn, 64<<10)
	for {
		got, err := value(from, 0)
		if err == nil {
			err = c.take(got)
		}
		if err != nil {
			c.end(fmt.Errorf("read from the tracking connection: %w", err))
			return
		}
	}
}

// take gives an event to the options' functions, and an answer to who waits.
func (c *Connection) take(got any) error {
	if event, ok := got.(push); ok {
		return c.event(event)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		return errors.New("an answer came that nobody had asked for")
	}
	c.waiting[0] <- got
	c.waiting = c.waiting[1:]
	return nil
}

// event reads ["invalidate", keys]; keys that are null mean all. Other sorts of
// pushes are none of ours.
func (c *Connection) event(event push) error {
	if len(event) != 2 || event[0] != "invalidate" {
		return nil
	}
	if event[1] == nil {
		c.options.Emptied()
		return nil
	}
	list, ok := event[1].([]any)
	if !ok {
		return fmt.Errorf("an event names %T instead of keys", event[1])
	}
	keys := make([]string, len(list))
	for i, key := range list {
		if keys[i], ok = key.(string); !ok {
			return fmt.Errorf("an event names %T instead of a key", key)
		}
	}
	c.options.Changed(keys)
	return nil
}
