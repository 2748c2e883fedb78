package sqlaction

import (
	"encoding/json"
	"fmt"
)

// EncodeKey writes the key of the last row done as a cursor: a JSON array of
// its values as text, in the order of the key's columns.
func EncodeKey(values []string) []byte {
	if values == nil {
		values = []string{}
	}
	text, err := json.Marshal(values)
	if err != nil { // strings always marshal
		panic(err)
	}
	return text
}

// DecodeKey reads what EncodeKey wrote.
func DecodeKey(cursor []byte) ([]string, error) {
	var values []string
	if err := json.Unmarshal(cursor, &values); err != nil {
		return nil, fmt.Errorf("read cursor %q: %w", cursor, err)
	}
	if values == nil {
		return nil, fmt.Errorf("read cursor %q: it is no array", cursor)
	}
	return values, nil
}
