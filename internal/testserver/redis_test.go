package testserver

import (
	"fmt"
	"strings"
	"testing"
)

func TestEachRedisAnswers(t *testing.T) {
	servers := map[string]*RedisServer{"standalone": Redis(t), "TLS": RedisTLS(t), "Valkey": Valkey(t), "own": OwnRedis(t, "--maxmemory", "20mb")}
	for i, node := range RedisCluster(t) {
		servers[fmt.Sprint("master ", i)] = node
	}
	for name, server := range servers {
		info := server.Do(t, "INFO").(string)
		if want := strings.HasPrefix(name, "master"); strings.Contains(info, "redis_mode:cluster") != want {
			t.Errorf("%s: in cluster mode: %t", name, !want)
		}
		if strings.Contains(info, "server_name:valkey") != (name == "Valkey") {
			t.Errorf("%s is the wrong server", name)
		}
	}
	if Redis(t) != servers["standalone"] {
		t.Error("the server is not shared")
	}
	servers["own"].Do(t, "SET", "a", "1")
	servers["own"].Restart(t)
	if got := servers["own"].Do(t, "GET", "a"); got != nil {
		t.Errorf("after a restart the server holds %v", got)
	}
}
