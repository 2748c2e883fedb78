package tracking

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// What RESP3 has besides string, int64, nil and []any. Maps and sets come as
// lists of their members; doubles, big numbers and booleans as their text.
// https://github.com/redis/redis-specifications/blob/master/protocol/RESP3.md
type (
	failure string // an error that the server answered
	push    []any  // what comes unasked
)

const (
	deepest = 16        // lists within lists
	longest = 512 << 20 // bytes of a text; Redis has none longer
)

// command writes words as a server reads them.
func command(words []string) []byte {
	text := fmt.Appendf(nil, "*%d\r\n", len(words))
	for _, word := range words {
		text = fmt.Appendf(text, "$%d\r\n%s\r\n", len(word), word)
	}
	return text
}

var errDepth = errors.New("the server's answer has too many lists within lists")

// value reads one value, whatever it is.
func value(from *bufio.Reader, depth int) (any, error) {
	if depth > deepest {
		return nil, errDepth
	}
	line, err := line(from)
	if err != nil {
		return nil, err
	}
	rest := line[1:]
	switch line[0] {
	case '+', ',', '(', '#':
		return rest, nil
	case '-':
		return failure(rest), nil
	case ':':
		return number(rest)
	case '_':
		return nil, nil
	case '$', '=':
		return text(from, rest)
	case '!':
		message, err := text(from, rest)
		word, _ := message.(string)
		return failure(word), err
	case '*', '~':
		return list(from, rest, 1, depth)
	case '%':
		return list(from, rest, 2, depth)
	case '>':
		all, err := list(from, rest, 1, depth)
		members, _ := all.([]any)
		return push(members), err
	case '|': // says something about the value behind it
		if _, err := list(from, rest, 2, depth); err != nil {
			return nil, err
		}
		return value(from, depth+1)
	}
	return nil, fmt.Errorf("the server's answer begins with %q, which is no type of RESP3", line[0])
}

// line reads up to CR LF; it has at least one byte.
func line(from *bufio.Reader) (string, error) {
	line, err := from.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	text, ok := strings.CutSuffix(string(line), "\r\n")
	if !ok || text == "" {
		return "", errors.New("the server's answer has a line without a type or an end")
	}
	return text, nil
}

func number(digits string) (int64, error) {
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("the server's answer has %q where a number belongs", digits)
	}
	return n, nil
}

// text reads as many bytes as size says; -1 is null in RESP2. Memory grows with
// what comes, not with what is announced.
func text(from *bufio.Reader, size string) (any, error) {
	n, err := number(size)
	if err != nil || n == -1 {
		return nil, err
	}
	if n < 0 || n > longest {
		return nil, fmt.Errorf("the server's answer announces a text of %d bytes", n)
	}
	var all bytes.Buffer
	if _, err := io.CopyN(&all, from, n+2); err != nil {
		return nil, unexpected(err)
	}
	body, ok := strings.CutSuffix(all.String(), "\r\n")
	if !ok || int64(len(body)) != n {
		return nil, errors.New("the server's answer has a text without an end")
	}
	return body, nil
}

// list reads size times per values.
func list(from *bufio.Reader, size string, per int64, depth int) (any, error) {
	n, err := number(size)
	if err != nil || n == -1 {
		return nil, err
	}
	if n < 0 || n > longest {
		return nil, fmt.Errorf("the server's answer announces a list of %d", n)
	}
	members := make([]any, 0, min(n*per, 1024))
	for range n * per {
		member, err := value(from, depth+1)
		if err != nil {
			return nil, unexpected(err)
		}
		members = append(members, member)
	}
	return members, nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
