package redis

import (
	"context"

	goredis "github.com/redis/go-redis/v9"
)

// plainly performs commands that only read, as many for each key, and gives their
// answers key by key; ask adds those for the key with a number. Those for one node go in one trip, and the nodes are
// asked at the same time. An answer may be an error of the server; the error here
// is one of the connection.
func (s *Store) plainly(ctx context.Context, keys []string, ask func(pipe goredis.Pipeliner, i int)) ([][]goredis.Cmder, error) {
	nodes := map[*goredis.Client][]int{}
	for i, key := range keys {
		of := 0
		if s.net.cluster {
			of = slot(key)
		}
		node, err := s.net.owner(ctx, of)
		if err != nil {
			return nil, s.fault(ctx, err)
		}
		nodes[node] = append(nodes[node], i)
	}
	all := make([][]goredis.Cmder, len(keys))
	errs := make(chan error, len(nodes))
	for node, list := range nodes {
		go func() { errs <- s.plainlyTo(ctx, node, list, ask, all) }()
	}
	var failed error
	for range nodes {
		if err := <-errs; err != nil && failed == nil {
			failed = s.fault(ctx, err)
		}
	}
	return all, failed
}

func (s *Store) plainlyTo(ctx context.Context, node *goredis.Client, list []int, ask func(pipe goredis.Pipeliner, i int), all [][]goredis.Cmder) error {
	t := trip{limit: workLimit}
	answer, err := t.within(ctx, func(ctx context.Context) (any, error) {
		pipe := node.WithTimeout(t.limit).Pipeline()
		for _, i := range list {
			ask(pipe, i)
		}
		answers, _ := pipe.Exec(ctx) // each has its own error
		return answers, nil
	})
	if err != nil {
		return err
	}
	answers := answer.([]goredis.Cmder)
	for _, one := range answers {
		if err := one.Err(); err != nil && !isReply(err) {
			return err
		}
	}
	each := len(answers) / len(list)
	for k, i := range list {
		all[i] = answers[k*each : (k+1)*each]
	}
	return nil
}
