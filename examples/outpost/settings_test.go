package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
)

func lookupIn(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { value, ok := env[name]; return value, ok }
}

// TestTheStrongestSettingCounts gives one and the same setting everywhere, and
// takes the strongest away step by step.
func TestTheStrongestSettingCounts(t *testing.T) {
	t.Chdir(t.TempDir())
	write := func(name, text string) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := map[string]string{"REDIS_HOST": "variable", "REDIS_PORT": "", "REDIS_TLS_ENABLED": "true"}
	write("other.yaml", "deployment_id: dp1\nredis: {host: named, port: 7000, database: 3, cluster_enabled: true, password: secret}\n")
	write(".outpost.yaml", "redis: {host: file, port: 7001}\n")
	write(".env", "REDIS_HOST=dotenv\nREDIS_PASSWORD=dot\n")
	for _, c := range []struct{ args, want string }{
		{"--redis-host flag plan", "Redis flag:7001, database 0, cluster false, TLS true, with a password"},
		{"plan --redis-host=flag --redis-tls=false", "Redis flag:7001, database 0, cluster false, TLS false"},
		{"plan -c other.yaml", `Redis variable:7000, database 3, cluster true, TLS true, with a password, DEPLOYMENT_ID "dp1"`},
		{"plan --config other.yaml --redis-database 0 --redis-port 1", "Redis variable:1, database 0, cluster true"},
	} {
		s, rest, err := read(strings.Fields(c.args), lookupIn(env))
		if err != nil || !strings.HasPrefix(s.String(), c.want) || fmt.Sprint(rest) != "[plan]" {
			t.Errorf("%s: %v %v %v, want %s", c.args, s, rest, err, c.want)
		}
	}
	delete(env, "REDIS_HOST")
	for _, want := range []string{"file:7001", "dotenv:6379", "redis:6379"} {
		if s, _, err := read(nil, lookupIn(env)); err != nil || s.address() != want {
			t.Errorf("it is %s, %v, want %s", s.address(), err, want)
		}
		if os.Remove(".outpost.yaml") != nil {
			_ = os.Remove(".env") // the next one
		}
	}
}

func TestWrongSettings(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("bad.yaml", []byte("redis: [secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"plan --redis-host":        "--redis-host wants a value",
		"plan --redis-port x":      `the port "x" is no number of a port`,
		"plan --redis-database x":  `the database "x" is no number`,
		"plan --redis-tls=perhaps": `tls is true or false, not "perhaps"`,
		"plan -c nowhere.yaml":     "nowhere.yaml",
		"plan -c bad.yaml":         "bad.yaml is not understood",
	} {
		_, _, err := read(strings.Fields(args), lookupIn(nil))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want %q", args, err, want)
		}
	}
}

// TestCertificatesAreVerified asks for a password, too, which nothing shows.
func TestCertificatesAreVerified(t *testing.T) {
	server := testserver.RedisTLS(t)
	program := filepath.Join(t.TempDir(), program)
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, c := range []struct {
		ca, password string
		exit         int
		says         string
	}{
		{"", server.Password, 1, "certificate"},
		{server.CA, "wrong", 1, "WRONGPASS"},
		{server.CA, server.Password, 0, "003_entity.verify        done"},
	} {
		cmd := exec.CommandContext(t.Context(), program, "apply", "--yes", "--verbose", "--redis-host", "127.0.0.1", "--redis-port", fmt.Sprint(server.Port), "--redis-tls")
		cmd.Dir = t.TempDir()
		cmd.Env = append(os.Environ(), "REDIS_PASSWORD="+c.password, "NO_COLOR=1")
		if c.ca != "" {
			cmd.Env = append(cmd.Env, "SSL_CERT_FILE="+c.ca)
		}
		out, err := cmd.CombinedOutput()
		exit := 0
		if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
			exit = failed.ExitCode()
		}
		if exit != c.exit || !strings.Contains(string(out), c.says) || strings.Contains(string(out), c.password) {
			t.Errorf("%+v: exit code %d\n%s", c, exit, out)
		}
	}
}
