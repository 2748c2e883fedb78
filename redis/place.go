package redis

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover/store"
)

var errURL = errors.New("url is not understood: write redis://USER:PASSWORD@HOST:PORT/DATABASE (rediss:// for TLS), with reserved characters of the password percent-encoded")

// connection reads the URL and the options of settings. No error of it quotes
// the URL: one that cannot be parsed may have its password anywhere.
func connection(settings store.Settings) (*goredis.Options, error) {
	parsed, err := url.Parse(settings.URL)
	if err != nil || parsed.Scheme != "redis" && parsed.Scheme != "rediss" || parsed.Opaque != "" || parsed.RawQuery != "" || parsed.Fragment != "" {
		return nil, errURL
	}
	options := &goredis.Options{Addr: address(parsed)}
	if parsed.User != nil {
		options.Username = parsed.User.Username()
		options.Password, _ = parsed.User.Password()
	}
	if path := strings.Trim(parsed.Path, "/"); path != "" {
		options.DB, err = strconv.Atoi(path)
		if err != nil || options.DB < 0 {
			return nil, errURL
		}
	}
	options.TLSConfig, err = encryption(parsed, settings)
	return options, err
}

// address gives host and port, with what URLs without them mean.
func address(parsed *url.URL) string {
	host, port := parsed.Hostname(), parsed.Port()
	if host == "" {
		host = "localhost"
	}
	if port == "" {
		port = "6379"
	}
	return net.JoinHostPort(host, port)
}

// encryption gives the settings of TLS, nil without. Certificates are checked
// unless the settings say the opposite in so many words.
func encryption(parsed *url.URL, settings store.Settings) (*tls.Config, error) {
	ca, skip := settings.Options["tls_ca"], settings.Options["tls_skip_verify"]
	if parsed.Scheme != "rediss" {
		if ca != "" || skip != "" {
			return nil, errors.New("tls_ca and tls_skip_verify are for rediss:// URLs")
		}
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	switch skip {
	case "", "false":
	case "true":
		config.InsecureSkipVerify = true
	default:
		return nil, errors.New(`tls_skip_verify is "true" or "false"`)
	}
	if ca == "" {
		return config, nil
	}
	if !filepath.IsAbs(ca) {
		ca = filepath.Join(settings.Dir, ca)
	}
	text, err := os.ReadFile(ca)
	if err != nil {
		return nil, fmt.Errorf("read tls_ca: %w", err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("tls_ca: there is no certificate in %s", ca)
	}
	return config, nil
}

// describePlace names prefix and server, without secrets.
func describePlace(connection *goredis.Options, options Options) string {
	if options.Cluster {
		return fmt.Sprintf("%s* on the cluster of %s", options.Prefix, connection.Addr)
	}
	return fmt.Sprintf("%s* on %s, database %d", options.Prefix, connection.Addr, connection.DB)
}
