package testserver

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// MoveSlots takes slots with their keys from one master to another, as
// redis-cli's reshard does, and tells it to all servers. Clients may write
// meanwhile.
func MoveSlots(t testing.TB, from, to *RedisServer, servers []*RedisServer, slots ...int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	m := &move{from: from.Client(), to: to.Client(), port: to.Port}
	defer m.from.Close()
	defer m.to.Close()
	for _, server := range servers {
		client := server.Client()
		defer client.Close()
		m.all = append(m.all, client)
	}
	fromID, err := from.myID(ctx)
	toID, err2 := to.myID(ctx)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	for _, slot := range slots {
		if err := m.slot(ctx, slot, fromID, toID); err != nil {
			t.Fatalf("move slot %d: %v", slot, err)
		}
	}
}

type move struct {
	from, to *redis.Client
	port     int // of to
	all      []*redis.Client
}

func (m *move) slot(ctx context.Context, slot int, from, to string) error {
	if err := m.to.Do(ctx, "CLUSTER", "SETSLOT", slot, "IMPORTING", from).Err(); err != nil {
		return err
	}
	if err := m.from.Do(ctx, "CLUSTER", "SETSLOT", slot, "MIGRATING", to).Err(); err != nil {
		return err
	}
	for {
		keys, err := m.from.ClusterGetKeysInSlot(ctx, slot, 100).Result()
		if err != nil {
			return err
		}
		if len(keys) == 0 {
			break
		}
		args := []any{"MIGRATE", "127.0.0.1", m.port, "", 0, 5000, "KEYS"}
		for _, key := range keys {
			args = append(args, key)
		}
		if err := m.from.Do(ctx, args...).Err(); err != nil {
			return fmt.Errorf("migrate keys: %w", err)
		}
	}
	// The new owner learns it first: at no time does a server send a client to
	// one that does not know.
	for _, client := range append([]*redis.Client{m.to, m.from}, m.all...) {
		// A replica takes no such order; it hears from its master.
		if err := client.Do(ctx, "CLUSTER", "SETSLOT", slot, "NODE", to).Err(); err != nil && !redis.HasErrorPrefix(err, "You can use SETSLOT only with masters") {
			return err
		}
	}
	return nil
}
