package redis

import (
	"context"
	"fmt"

	"github.com/stopover-dev/stopover/store"
)

// Kind is the kind of store "redis". Its options are "prefix", "cluster",
// "tls_ca" and "tls_skip_verify". It has no format of migration files yet:
// steps are written in Go.
func Kind() store.Kind {
	return store.Kind{
		Name:    "redis",
		Schemes: []string{"redis", "rediss"},
		Open:    openSettings,
		Parse: func(section store.Section) (store.Parsed, error) {
			return store.Parsed{}, &store.SyntaxError{File: section.File, Line: section.Line,
				Message: "migrations of a Redis store are written in Go: there is no format of files for them yet"}
		},
	}
}

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
			return nil, fmt.Errorf("store %s: Redis has no option %q (it has prefix, cluster, tls_ca, tls_skip_verify)", settings.Name, option)
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
