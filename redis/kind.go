package redis

import (
	"context"
	"fmt"
	"slices"

	"github.com/stopover-dev/stopover/internal/spelling"
	"github.com/stopover-dev/stopover/store"
)

// Kind is the kind of store "redis". Its options are "prefix", "cluster",
// "tls_ca" and "tls_skip_verify". Migration files say which keys are copied,
// that the copies are verified, and that the sources are deleted; other steps are written in Go.
func Kind() store.Kind {
	return store.Kind{
		Name:    "redis",
		Schemes: slices.Clone(schemes),
		Open:    openSettings,
		Parse:   parse,
		Scratch: scratch,
	}
}

// schemes are those of URLs.
var schemes = []string{"redis", "rediss"}

func openSettings(_ context.Context, settings store.Settings) (store.Store, error) {
	options := Options{Prefix: settings.Options["prefix"]}
	for option, value := range settings.Options {
		switch option {
		case "prefix", "tls_ca", "tls_skip_verify":
		case "cluster":
			if value != "true" && value != "false" {
				return nil, fmt.Errorf("store %s: cluster is \"true\" or \"false\"", settings.Name)
			}
			options.Cluster = value == "true"
		default:
			return nil, fmt.Errorf("store %s: Redis has no option %q%s", settings.Name, option,
				spelling.Meant(option, []string{"prefix", "cluster", "tls_ca", "tls_skip_verify"}))
		}
	}
	connection, err := connection(settings)
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", settings.Name, err)
	}
	s, err := New(connection, options)
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", settings.Name, err)
	}
	return s, nil
}
