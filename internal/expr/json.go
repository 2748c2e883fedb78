package expr

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// JSON applies the change to a text that is a JSON object. What is not named
// stays to the byte, but for blanks between fields; new fields come last. An
// unchanged object gives the very text. The error is an *UnconvertibleError.
func (c *Change) JSON(text string) (string, error) {
	names, raw, err := object(text)
	if err != nil {
		return "", err
	}
	record := map[string]any{}
	for _, name := range names {
		decoder := json.NewDecoder(bytes.NewReader(raw[name]))
		decoder.UseNumber() // an id of 19 digits is no float
		var value any
		if err := decoder.Decode(&value); err != nil {
			return "", &UnconvertibleError{Field: name, Reason: err.Error()}
		}
		record[name] = value
	}
	edit, err := c.edit(record, equalJSON)
	if err != nil || edit.Empty() {
		return text, err
	}
	for _, v := range edit.Set {
		written, err := marshal(v.Value)
		if err != nil {
			return "", &UnconvertibleError{Field: v.Field, Reason: err.Error()}
		}
		if _, there := raw[v.Field]; !there {
			names = append(names, v.Field)
		}
		raw[v.Field] = written
	}
	names = slices.DeleteFunc(names, func(name string) bool { return slices.Contains(edit.Remove, name) })
	return join(names, raw)
}

// object takes a JSON object apart, its fields in their order.
func object(text string) ([]string, map[string]json.RawMessage, error) {
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, nil, &UnconvertibleError{Reason: "the text is no JSON object"}
	}
	var names []string
	raw := map[string]json.RawMessage{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, nil, &UnconvertibleError{Reason: err.Error()}
		}
		name, _ := token.(string)
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, nil, &UnconvertibleError{Field: name, Reason: err.Error()}
		}
		if _, twice := raw[name]; twice {
			return nil, nil, &UnconvertibleError{Field: name, Reason: "it is in the object twice"}
		}
		names, raw[name] = append(names, name), value
	}
	if !json.Valid([]byte(text)) {
		return nil, nil, &UnconvertibleError{Reason: "the text is no JSON object alone"}
	}
	return names, raw, nil
}

func join(names []string, raw map[string]json.RawMessage) (string, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, name := range names {
		if i > 0 {
			b.WriteByte(',')
		}
		written, err := marshal(name)
		if err != nil {
			return "", fmt.Errorf("write the name of field %q: %w", name, err)
		}
		b.Write(written)
		b.WriteByte(':')
		b.Write(raw[name])
	}
	b.WriteByte('}')
	return b.String(), nil
}

// equalJSON compares values as an object holds them: "5" is not 5.
func equalJSON(a, b any) (bool, error) {
	x, err := marshal(a)
	if err != nil {
		return false, err
	}
	y, err := marshal(b)
	return err == nil && bytes.Equal(x, y), err
}

// marshal leaves <, > and & as they are.
func marshal(value any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, &UnconvertibleError{Reason: err.Error()}
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
