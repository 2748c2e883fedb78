package testserver

import "errors"

// StartPostgres starts a server for a program that is not a test binary, with
// its data below parent, a folder that the user who runs the server can pass
// through. settings ("fsync=on") are stronger than those of a server for tests.
// The caller stops it; the kernel does, if the caller dies.
func StartPostgres(parent string, settings ...string) (*PostgresServer, error) {
	server, err := newPostgres(parent, 0)
	if err != nil {
		return nil, err
	}
	server.extra = settings
	if err := server.start(); err != nil {
		return nil, errors.Join(err, server.Stop())
	}
	return server, nil
}

// StartRedis is StartPostgres for a Redis server.
func StartRedis(parent string, extra ...string) (*RedisServer, error) {
	server, err := makeRedis(parent, "redis-server", extra...)
	if err != nil {
		return nil, err
	}
	if err := server.start(); err != nil {
		return nil, errors.Join(err, server.Stop())
	}
	return server, nil
}

// StartRedisCluster is StartPostgres for three Redis masters that share the
// slots evenly. The caller stops each.
func StartRedisCluster(parent string) ([]*RedisServer, error) {
	f := &fleet{ready: true, dir: parent}
	servers, err := f.startRedisCluster()
	if err != nil {
		for _, server := range f.servers {
			err = errors.Join(err, server.Stop())
		}
		return nil, err
	}
	return servers, nil
}
