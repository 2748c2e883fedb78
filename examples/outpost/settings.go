package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/joho/godotenv"
	goredis "github.com/redis/go-redis/v9"
)

// settings say where Outpost's Redis is.
type settings struct {
	host, port, password string
	database             int
	cluster, tls         bool
	deployment           string // DEPLOYMENT_ID, begins all keys; "": none
	verbose              bool
	stop                 string // command that stops the old Outpost before the cutover
}

// option is one setting, strongest first: flag, variable, file, default.
type option struct {
	flag, variable string
	file           func(outpostFile) string
	otherwise      string
	truth          bool // a flag without a value
}

var options = map[string]option{
	"host":       {"redis-host", "REDIS_HOST", func(f outpostFile) string { return f.Redis.Host }, "redis", false},
	"port":       {"redis-port", "REDIS_PORT", func(f outpostFile) string { return f.Redis.Port }, "6379", false},
	"password":   {"redis-password", "REDIS_PASSWORD", func(f outpostFile) string { return f.Redis.Password }, "", false},
	"database":   {"redis-database", "REDIS_DATABASE", func(f outpostFile) string { return f.Redis.Database }, "0", false},
	"cluster":    {"redis-cluster", "REDIS_CLUSTER_ENABLED", func(f outpostFile) string { return f.Redis.Cluster }, "false", true},
	"tls":        {"redis-tls", "REDIS_TLS_ENABLED", func(f outpostFile) string { return f.Redis.TLS }, "false", true},
	"deployment": {"", "DEPLOYMENT_ID", func(f outpostFile) string { return f.Deployment }, "", false},
	"stop":       {"stop-outpost", "STOP_OUTPOST", nil, "", false},
	"config":     {"config", "CONFIG", nil, "", false},
	"verbose":    {"verbose", "", nil, "false", true},
}

// outpostFile is what matters here of Outpost's own configuration.
type outpostFile struct {
	Deployment string `yaml:"deployment_id"`
	Redis      struct {
		Host     string `yaml:"host"`
		Port     string `yaml:"port"`
		Password string `yaml:"password"`
		Database string `yaml:"database"`
		Cluster  string `yaml:"cluster_enabled"`
		TLS      string `yaml:"tls_enabled"`
	} `yaml:"redis"`
}

// read takes the settings out of the arguments, wherever among them they stand,
// and gives the rest.
func read(args []string, lookup func(string) (string, bool)) (settings, []string, error) {
	given, rest, err := flags(args)
	if err != nil {
		return settings{}, nil, err
	}
	dotenv, err := godotenv.Read(".env")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return settings{}, nil, errors.New(".env is not understood: write lines of the form NAME=value")
	}
	value := func(name string, file outpostFile) string {
		o := options[name]
		if text, ok := given[name]; ok {
			return text
		}
		if text, _ := lookup(o.variable); text != "" {
			return text
		}
		if o.file != nil && o.file(file) != "" {
			return o.file(file)
		}
		if text := dotenv[o.variable]; text != "" {
			return text
		}
		return o.otherwise
	}
	file, err := readFile(value("config", outpostFile{}))
	if err != nil {
		return settings{}, nil, err
	}
	return settled(func(name string) string { return value(name, file) }, rest)
}

// flags separates the flags of this program from the other arguments.
func flags(args []string) (given map[string]string, rest []string, err error) {
	given = map[string]string{}
	for i := 0; i < len(args); i++ {
		name, text, has := strings.Cut(args[i], "=")
		if name == "-c" {
			name = "--config"
		}
		key, o := optionOf(name)
		switch {
		case key == "":
			rest = append(rest, args[i])
			continue
		case has:
		case o.truth:
			text = "true"
		case i+1 < len(args):
			i++
			text = args[i]
		default:
			return nil, nil, fmt.Errorf("%s wants a value", name)
		}
		given[key] = text
	}
	return given, rest, nil
}

func optionOf(flag string) (string, option) {
	for key, o := range options {
		if o.flag != "" && flag == "--"+o.flag {
			return key, o
		}
	}
	return "", option{}
}

// readFile reads Outpost's configuration; "": .outpost.yaml, if it is there.
func readFile(name string) (outpostFile, error) {
	var file outpostFile
	optional := name == ""
	if optional {
		name = ".outpost.yaml"
	}
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && optional {
		return file, nil
	}
	if err == nil && yaml.Unmarshal(data, &file) != nil {
		err = fmt.Errorf("%s is not understood as Outpost's configuration", name) // the library would show the text, which has secrets
	}
	return file, err
}

func settled(value func(string) string, rest []string) (settings, []string, error) {
	s := settings{host: value("host"), port: value("port"), password: value("password"), deployment: value("deployment"), stop: value("stop")}
	var err error
	if s.database, err = strconv.Atoi(value("database")); err != nil {
		return s, nil, fmt.Errorf("the database %q is no number", value("database"))
	}
	if _, err := strconv.ParseUint(s.port, 10, 16); err != nil {
		return s, nil, fmt.Errorf("the port %q is no number of a port", s.port)
	}
	for name, into := range map[string]*bool{"cluster": &s.cluster, "tls": &s.tls, "verbose": &s.verbose} {
		if *into, err = strconv.ParseBool(value(name)); err != nil {
			return s, nil, fmt.Errorf("%s is true or false, not %q", name, value(name))
		}
	}
	if s.verbose {
		rest = append(rest, "--verbose")
	}
	return s, rest, nil
}

// String shows the settings without the password.
func (s settings) String() string {
	password := "no password"
	if s.password != "" {
		password = "with a password"
	}
	return fmt.Sprintf("Redis %s, database %d, cluster %t, TLS %t, %s, DEPLOYMENT_ID %q",
		s.address(), s.database, s.cluster, s.tls, password, s.deployment)
}

func (s settings) address() string { return net.JoinHostPort(s.host, s.port) }

// below gives a key of the deployment.
func (s settings) below(key string) string {
	if s.deployment == "" {
		return key
	}
	return s.deployment + ":" + key
}

// variable gives the variables of stopover.yaml.
func (s settings) variable(name string) (string, bool) {
	switch name {
	case "OUTPOST_REDIS_URL":
		u := url.URL{Scheme: "redis", Host: s.address(), Path: "/" + strconv.Itoa(s.database)}
		if s.tls {
			u.Scheme = "rediss"
		}
		if s.password != "" {
			u.User = url.UserPassword("", s.password)
		}
		return u.String(), true
	case "OUTPOST_PREFIX":
		return s.below("tenant:"), true
	case "OUTPOST_REDIS_CLUSTER":
		return strconv.FormatBool(s.cluster), true
	}
	return "", false
}

// client is for Outpost's own keys. Certificates are verified.
func (s settings) client() goredis.UniversalClient {
	options := &goredis.UniversalOptions{Addrs: []string{s.address()}, Password: s.password, DB: s.database, IsClusterMode: s.cluster, DialerRetries: 1}
	if s.tls {
		options.TLSConfig = &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12}
	}
	return goredis.NewUniversalClient(options)
}
