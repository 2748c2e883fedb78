package postgres

import (
	"testing"

	"github.com/stopover-dev/stopover/internal/sqlaction"
	"github.com/stopover-dev/stopover/internal/sqltext"
	"github.com/stopover-dev/stopover/store"
)

func TestMakesOnly(t *testing.T) {
	cases := map[string]bool{
		"CREATE TABLE a (id int PRIMARY KEY, b text DEFAULT 'x')":    true,
		"CREATE TYPE mood AS ENUM ('a', 'b')":                        true,
		"CREATE SEQUENCE s":                                          true,
		"CREATE TABLE a (id int); CREATE TABLE b (id int)":           true,
		"CREATE TABLE a (b int REFERENCES c)":                        false, // locks c
		"CREATE TABLE a PARTITION OF b FOR VALUES IN (1)":            false,
		"CREATE TABLE a () INHERITS (b)":                             false,
		"CREATE TABLE a AS SELECT * FROM b":                          false,
		"CREATE TABLE a AS TABLE b":                                  false,
		"CREATE TABLE IF NOT EXISTS a (id int)":                      false,
		"CREATE INDEX i ON a (b)":                                    false,
		"ALTER TABLE a ADD COLUMN b int":                             false,
		"SET search_path = x":                                        false,
		"CREATE TABLE a (id int); INSERT INTO a VALUES (1)":          false,
		"CREATE OR REPLACE VIEW v AS SELECT 1":                       false,
		"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'": false,
	}
	for text, want := range cases {
		parsed, err := sqlaction.Parse(sqltext.Postgres, store.Section{File: "f", Line: 1, Text: text, Shape: store.Whole})
		if err != nil {
			t.Fatal(err)
		}
		work, err := workOf(store.Task{Action: parsed.Action})
		if err != nil {
			t.Fatal(err)
		}
		if got := work.makesOnly(); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
