package testserver

import (
	"strings"
	"testing"
)

func TestAMissingVersionIsNamed(t *testing.T) {
	_, err := findPostgres(99)
	if err == nil || !strings.Contains(err.Error(), "PostgreSQL 99") || !strings.Contains(err.Error(), "make setup") {
		t.Errorf("error %v, want one that names the version and `make setup`", err)
	}
}
