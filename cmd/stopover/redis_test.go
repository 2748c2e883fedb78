package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stopover-dev/stopover/internal/testserver"
)

// TestRedisScripts plays the stories about Redis, each on a server of its own.
func TestRedisScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Files: stories(t, "redis"),
		Setup: func(env *testscript.Env) error {
			server := testserver.OwnRedis(env.T().(testing.TB))
			if err := setUp(env, "redis"); err != nil {
				return err
			}
			env.Setenv("ADDRESS", server.Addr())
			env.Setenv("DATABASE_URL", fmt.Sprintf("redis://127.0.0.1:%d", server.Port))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
			"redis": doRedis,
		},
		RequireUniqueNames: true,
	})
}

// doRedis performs a command on the story's server and writes the answer.
func doRedis(ts *testscript.TestScript, _ bool, args []string) {
	options, err := goredis.ParseURL(ts.Getenv("DATABASE_URL"))
	ts.Check(err)
	client := goredis.NewClient(options)
	defer client.Close()
	words := make([]any, len(args))
	for i, arg := range args {
		words[i] = arg
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	answer, err := client.Do(ctx, words...).Result()
	ts.Check(err)
	_, err = fmt.Fprintln(ts.Stdout(), answer)
	ts.Check(err)
}
