package sqlaction

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// EncodeKey writes the key of the last row done as a cursor: a JSON array of
// its values as text, in the order of the key's columns. A value that is not
// valid UTF-8, which JSON cannot hold, is written as {"bytes": base64}.
func EncodeKey(values []string) []byte {
	elements := make([]any, len(values))
	for i, value := range values {
		if utf8.ValidString(value) {
			elements[i] = value
		} else {
			elements[i] = rawValue{Bytes: []byte(value)}
		}
	}
	text, err := json.Marshal(elements)
	if err != nil { // strings and bytes always marshal
		panic(err)
	}
	return text
}

// rawValue is a value that is not valid UTF-8.
type rawValue struct {
	Bytes []byte `json:"bytes"`
}

// DecodeKey reads what EncodeKey wrote.
func DecodeKey(cursor []byte) ([]string, error) {
	var elements []json.RawMessage
	if err := json.Unmarshal(cursor, &elements); err != nil {
		return nil, fmt.Errorf("read cursor %q: %w", cursor, err)
	}
	if elements == nil {
		return nil, fmt.Errorf("read cursor %q: it is no array", cursor)
	}
	values := make([]string, len(elements))
	for i, element := range elements {
		value, err := decodeValue(element)
		if err != nil {
			return nil, fmt.Errorf("read cursor %q: value %d: %w", cursor, i+1, err)
		}
		values[i] = value
	}
	return values, nil
}

func decodeValue(element json.RawMessage) (string, error) {
	if element[0] == '"' {
		var value string
		err := json.Unmarshal(element, &value)
		return value, err
	}
	var raw rawValue
	if err := json.Unmarshal(element, &raw); err != nil {
		return "", err
	}
	if raw.Bytes == nil {
		return "", fmt.Errorf("%s is neither text nor bytes", element)
	}
	return string(raw.Bytes), nil
}
