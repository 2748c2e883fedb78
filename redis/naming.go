package redis

import (
	"context"
	"crypto/rand"

	goredis "github.com/redis/go-redis/v9"
)

// newName makes the name of a store's connections, by which it knows them in a
// list of clients, and others know whose they are. Names of tasks at work begin
// with "stopover/".
func newName() string { return "stopover:" + rand.Text()[:12] }

// introducing gives each new connection the store's name. HELLO may be asked by
// every user, unlike CLIENT SETNAME. What is between a client and its server may
// not know it: such a connection goes without a name.
func (n *network) introducing(before func(context.Context, *goredis.Conn) error) func(context.Context, *goredis.Conn) error {
	return func(ctx context.Context, conn *goredis.Conn) error {
		if before != nil {
			if err := before(ctx, conn); err != nil {
				return err
			}
		}
		if err := conn.Do(ctx, "HELLO", "2", "SETNAME", n.name).Err(); err != nil && !isReply(err) {
			return err
		}
		return nil
	}
}
