package ui

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Answer is what came of a question.
type Answer uint8

// The answers. Nobody is the answer of an input that ended.
const (
	Nobody Answer = iota
	No
	Yes
)

const longestAnswer = 1000

// Confirm asks a question that is answered with y or n; anything else is No.
// Nothing beyond the answer's line is read from in.
func Confirm(in io.Reader, out io.Writer, question string) (Answer, error) {
	return ask(in, out, question+" [y/N] ", func(answer string) bool {
		return strings.EqualFold(answer, "y") || strings.EqualFold(answer, "yes")
	})
}

// ConfirmName asks a question of weight: the answer is Yes only if the name is
// typed.
func ConfirmName(in io.Reader, out io.Writer, question, name string) (Answer, error) {
	return ask(in, out, fmt.Sprintf("%s\nType %q to go on: ", question, name), func(answer string) bool {
		return answer == name
	})
}

func ask(in io.Reader, out io.Writer, text string, yes func(string) bool) (Answer, error) {
	if _, err := io.WriteString(out, text); err != nil {
		return Nobody, fmt.Errorf("ask: %w", err)
	}
	line, err := readLine(in)
	if errors.Is(err, io.EOF) && line == "" {
		return Nobody, nil
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return Nobody, fmt.Errorf("read the answer: %w", err)
	}
	if yes(strings.TrimSpace(line)) {
		return Yes, nil
	}
	return No, nil
}

// readLine reads byte by byte: what follows the line belongs to the next
// question.
func readLine(in io.Reader) (string, error) {
	var line []byte
	one := make([]byte, 1)
	for len(line) < longestAnswer {
		n, err := in.Read(one)
		if n == 1 {
			if one[0] == '\n' {
				return string(line), nil
			}
			line = append(line, one[0])
		}
		if err != nil {
			return string(line), err
		}
	}
	return string(line), nil
}
