package redis

import (
	"context"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

// BenchmarkRaise raises the guards of all slots of three masters: what a new holder
// does before its first stretch, for the first time in its process on servers that do
// not know the script, and later. go test -bench Raise -run '^$' ./redis
func BenchmarkRaise(b *testing.B) {
	servers := testserver.RedisCluster(b)
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			for _, server := range servers {
				server.Do(b, "SCRIPT", "FLUSH")
			}
			s, guard := raisable(b, servers)
			b.StartTimer()
			if err := s.raise(context.Background(), guard.Rev, []store.Note{guard}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("later", func(b *testing.B) {
		s, guard := raisable(b, servers)
		for b.Loop() {
			guard = raisedNote(b, s)
			if err := s.raise(context.Background(), guard.Rev, []store.Note{guard}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func raisable(b *testing.B, servers []*testserver.RedisServer) (*Store, store.Note) {
	opened, err := Kind().Open(context.Background(), settingsFor(servers, "raise:"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { opened.Close() })
	if err := opened.Prepare(context.Background()); err != nil {
		b.Fatal(err)
	}
	return opened.(*Store), raisedNote(b, opened.(*Store))
}

// raisedNote writes the note that is the guard of a holder.
func raisedNote(b *testing.B, s *Store) store.Note {
	notes, err := s.Swap(context.Background(), nil, store.Note{Key: "epoch", Rev: store.Any, Value: []byte("1")})
	if err != nil {
		b.Fatal(err)
	}
	return notes[0]
}
