package main

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// record is what a key holds.
type record struct {
	sort  string
	value any   // map[string]string, string, []string
	ends  int64 // in milliseconds since 1970, -1: never
}

// contents are the application's keys.
type contents map[string]record

// contents reads everything but what belongs to Stopover and the records.
func (p *place) contents() contents {
	p.t.Helper()
	var keys []string
	var mu sync.Mutex
	scan := func(ctx context.Context, node *goredis.Client) error {
		all := node.Scan(ctx, 0, "*", 1000).Iterator()
		for all.Next(ctx) {
			mu.Lock()
			keys = append(keys, all.Val())
			mu.Unlock()
		}
		return all.Err()
	}
	var err error
	switch client := p.client.(type) {
	case *goredis.ClusterClient:
		err = client.ForEachMaster(context.Background(), scan)
	case *goredis.Client:
		err = scan(context.Background(), client)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	found := contents{}
	for _, key := range keys {
		if strings.Contains(key, "}:stopover") || strings.HasPrefix(key, "outpost:migration:") {
			continue
		}
		r := record{sort: p.do("TYPE", key).(string), ends: p.do("PEXPIRETIME", key).(int64)}
		switch r.sort {
		case "hash":
			fields := p.do("HGETALL", key).(map[any]any)
			hash := map[string]string{}
			for name, value := range fields {
				hash[name.(string)] = value.(string)
			}
			r.value = hash
		case "string":
			r.value = p.do("GET", key)
		case "list":
			r.value = fmt.Sprint(p.do("LRANGE", key, 0, -1))
		case "set":
			r.value = fmt.Sprint(p.do("SMEMBERS", key))
		default:
			p.t.Fatalf("%s is a %s", key, r.sort)
		}
		found[key] = r
	}
	return found
}

// migrated is what the format of Outpost after 003 makes of contents: written
// from its description, and from nothing of this program's.
func (c contents) migrated() contents {
	after := contents{}
	for key, r := range c {
		name, isOutposts := strings.CutPrefix(key, "tenant:")
		if !isOutposts {
			after[key] = r
			continue
		}
		tenant, destination, isDestination := strings.Cut(name, ":destination:")
		summary, isSummary := strings.CutSuffix(name, ":destinations")
		switch {
		case isDestination:
			after["tenant:{"+tenant+"}:destination:"+destination] = r.described("destination")
		case isSummary:
			after["tenant:{"+summary+"}:destinations"] = r
		default:
			after["tenant:{"+name+"}:tenant"] = r.described("tenant")
		}
	}
	return after
}

// described is a record after 002 and 003.
func (r record) described(entity string) record {
	fields, isHash := r.value.(map[string]string)
	if !isHash {
		return r
	}
	fields = maps.Clone(fields)
	for _, name := range []string{"created_at", "updated_at"} {
		if at, err := time.Parse(time.RFC3339Nano, fields[name]); err == nil {
			fields[name] = strconv.FormatInt(at.UnixMilli(), 10)
		}
	}
	if fields["entity"] == "" {
		fields["entity"] = entity
	}
	r.value = fields
	return r
}

// wantContents compares all keys with several contents together.
func (p *place) wantContents(all ...contents) {
	p.t.Helper()
	want := contents{}
	for _, c := range all {
		maps.Copy(want, c)
	}
	found := p.contents()
	var wrong []string
	for key, r := range want {
		if !reflect.DeepEqual(found[key], r) {
			wrong = append(wrong, fmt.Sprintf("%q is %v, want %v", key, found[key], r))
		}
	}
	for key := range found {
		if _, ok := want[key]; !ok {
			wrong = append(wrong, fmt.Sprintf("%q is there", key))
		}
	}
	sort.Strings(wrong)
	if len(wrong) > 0 {
		p.t.Errorf("%d keys are wrong:\n%s", len(wrong), strings.Join(wrong[:min(len(wrong), 10)], "\n"))
	}
}
