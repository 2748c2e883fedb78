package expr

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// Text writes a value as a field of a hash holds it: text as it is, numbers in
// decimal, true and false as such, lists and objects as JSON.
func Text(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	}
	if text, ok := textOfNumber(value); ok {
		return text, nil
	}
	text, err := json.Marshal(value)
	if err != nil {
		return "", &UnconvertibleError{Reason: fmt.Sprintf("%v cannot be written: %v", value, err)}
	}
	return string(text), nil
}

func textOfNumber(value any) (string, bool) {
	switch v := value.(type) {
	case int:
		return strconv.Itoa(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case json.Number:
		return v.String(), true
	}
	return "", false
}
