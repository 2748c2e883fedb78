package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	goredis "github.com/redis/go-redis/v9"
)

// members gives the addresses of all nodes, masters and replicas, in order:
// whatever a server does not hand to its replicas has to be done on each. It
// fails where a node is not known well enough to be asked.
func (s *Store) members(ctx context.Context) ([]string, error) {
	if s.net.cluster {
		return s.clusterMembers(ctx)
	}
	node, err := s.net.node(s.net.seed)
	if err != nil {
		return nil, err
	}
	role, err := node.Do(ctx, "ROLE").Slice()
	if err != nil {
		return nil, err
	}
	if len(role) < 3 || text(role[0]) != "master" {
		return nil, fmt.Errorf("%s is a replica: name its master", s.net.seed)
	}
	all := []string{s.net.seed}
	replicas, _ := role[2].([]any)
	for _, replica := range replicas {
		if words, _ := replica.([]any); len(words) >= 2 {
			all = append(all, net.JoinHostPort(text(words[0]), text(words[1])))
		}
	}
	slices.Sort(all[1:])
	return all, nil
}

// clusterMembers asks CLUSTER NODES, since CLUSTER SLOTS leaves out replicas
// that are down just now: those would come back without what the others have.
func (s *Store) clusterMembers(ctx context.Context) ([]string, error) {
	masters, err := s.net.masters(ctx)
	if err != nil {
		return nil, err
	}
	node, err := s.net.node(masters[0])
	if err != nil {
		return nil, err
	}
	nodes, err := node.ClusterNodes(ctx).Result()
	if err != nil {
		return nil, err
	}
	var all []string
	for _, line := range strings.Split(strings.TrimSpace(nodes), "\n") {
		addr, err := s.member(line, masters[0])
		if err != nil {
			return nil, err
		}
		all = append(all, addr)
	}
	slices.Sort(all)
	return all, nil
}

// member reads a line of CLUSTER NODES, "ID HOST:PORT@BUS,NAME FLAGS ..".
// asked is the node that answered. A certificate is for the name, if there is one.
func (s *Store) member(line, asked string) (string, error) {
	words := strings.Fields(line)
	if len(words) < 8 {
		return "", fmt.Errorf("CLUSTER NODES: the line %q is not understood", line)
	}
	addr, rest, _ := strings.Cut(words[1], "@")
	for _, flag := range strings.Split(words[2], ",") {
		switch flag {
		case "handshake", "noaddr":
			return "", fmt.Errorf("a node of the cluster is just joining or has no address (%s): wait, or let the cluster forget it", words[0])
		case "fail":
			return "", fmt.Errorf("the node %s of the cluster is down: bring it back, or let the cluster forget it (CLUSTER FORGET %s)", addr, words[0])
		}
	}
	host, _, _ := net.SplitHostPort(asked)
	if _, name, _ := strings.Cut(rest, ","); name != "" && s.net.settings.TLSConfig != nil {
		name, _, _ = strings.Cut(name, ",")
		_, port, err := net.SplitHostPort(addr)
		if name != "" && err == nil {
			return net.JoinHostPort(name, port), nil
		}
	}
	return reachable(addr, host), nil
}

// onMembers does something on every node, until the nodes have stayed the same
// meanwhile: one that has joined would be without it.
func (s *Store) onMembers(ctx context.Context, do func(addr string, node *goredis.Client) error) ([]string, error) {
	before, err := s.members(ctx)
	for range 3 {
		if err != nil {
			return nil, s.fault(ctx, err)
		}
		for _, addr := range before {
			node, err := s.net.node(addr)
			if err == nil {
				err = do(addr, node)
			}
			if err != nil {
				return nil, fmt.Errorf("node %s: %w", addr, s.unlessOurs(ctx, err))
			}
		}
		var after []string
		if after, err = s.members(ctx); err == nil && slices.Equal(before, after) {
			return before, nil
		}
		before = after
	}
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	return nil, s.unreachable(errors.New("nodes come and go all the time"))
}

// unlessOurs makes an error of the seam of what a node or the network said.
func (s *Store) unlessOurs(ctx context.Context, err error) error {
	if isReply(err) || ctx.Err() != nil {
		return s.fault(ctx, err)
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return s.fault(ctx, err)
	}
	return err
}
