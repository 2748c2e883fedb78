package redis

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/stopover-dev/stopover/store"
)

// inScript finds the error of a command in that of a script, as servers before
// 7.0 put it: "ERR Error running script (call to f_..): @user_script:5: -OOM ..".
var inScript = regexp.MustCompile(`^ERR Error running script .*?: -?([A-Z]+) `)

// position is what newer servers put behind it.
var position = regexp.MustCompile(` script: [0-9a-f]{40}, on @user_script:\d+\.$`)

// code gives the first word of an error that the server answered: "MOVED".
func code(err error) string {
	if err == nil || !isReply(err) {
		return ""
	}
	return firstWord(err.Error())
}

// firstWord gives the code that an answer begins with, "" if it has none.
func firstWord(text string) string {
	if strings.Contains(text, "The user executing the script can't") {
		return "NOPERM"
	}
	if m := inScript.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	word, _, _ := strings.Cut(text, " ")
	if strings.ToUpper(word) != word {
		return ""
	}
	return strings.TrimPrefix(word, "-")
}

// fault turns an error of a trip into one of the seam's.
func (s *Store) fault(ctx context.Context, err error) error {
	if err == nil || errors.Is(err, errClosed) {
		return err
	}
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	if gap := (*coverageError)(nil); errors.As(err, &gap) {
		return s.unreachable(gap)
	}
	if !isReply(err) {
		return s.unreachable(s.scrubbed(err))
	}
	return s.refusal(code(err), s.scrubbed(err))
}

// refusal says what a server's answer means. err has no secrets.
func (s *Store) refusal(code string, err error) error {
	switch code {
	case "MOVED", "ASK":
		if !s.net.cluster {
			return &store.SettingError{Setting: `cluster: "true"`, Message: s.place + " is a node of a cluster, which answers for its own slots only"}
		}
		return s.unreachable(fmt.Errorf("the cluster is not whole or is changing: %w", err))
	case "LOADING":
		return s.unreachable(errors.New("the server is still loading its data"))
	case "CLUSTERDOWN", "MASTERDOWN", "TRYAGAIN":
		return s.unreachable(fmt.Errorf("the cluster is not whole or is changing: %w", err))
	case "BUSY":
		return s.unreachable(errors.New("the server is busy with a client's script, and answers nobody until that has ended"))
	case "READONLY":
		return &store.RightsError{Missing: "writes: " + s.place + " is a replica, which takes none", Err: err,
			Hint: "put the primary into the store's url, or make this server one (REPLICAOF NO ONE), and run the same command again"}
	case "MISCONF":
		return &store.RightsError{Missing: "writes: " + s.place + " takes none while it cannot save its data to disk (its log says why)", Err: err,
			Hint: "mend that, or let it write all the same (CONFIG SET stop-writes-on-bgsave-error no), and run the same command again"}
	case "NOREPLICAS":
		return &store.RightsError{Missing: "writes: " + s.place + " takes none while it has too few replicas (min-replicas-to-write)", Err: err,
			Hint: "bring its replicas back, and run the same command again"}
	case "NOAUTH", "WRONGPASS":
		return &store.RightsError{Missing: "a login: " + s.place + " does not take this user and password", Err: err}
	case "NOPERM":
		return &store.RightsError{Missing: permission(err), Err: err}
	case "OOM":
		failure := &store.StatementError{Code: code, Err: err}
		failure.Message, failure.Hint = s.outOfMemory()
		return failure
	case "WRONGTYPE":
		return fmt.Errorf("%s: the key %s is where the books belong, and it is no hash: look what it is, and rename or delete it: %w", s.place, s.books, err)
	}
	switch text := err.Error(); {
	case strings.Contains(text, "DB index is out of range"):
		return &store.UnreachableError{Place: s.place, Denied: true, Err: errors.New("the server has no database of this number: correct the end of the url")}
	case strings.Contains(text, "cluster support disabled"):
		return &store.UnreachableError{Place: s.place, Denied: true, Err: errors.New(`the server is no cluster: leave out cluster: "true"`)}
	}
	return fmt.Errorf("%s: %w", s.place, err)
}

func (s *Store) outOfMemory() (message, hint string) {
	return "write to " + s.place + ": the server's maxmemory is reached", "make room on the server, and run the same command again"
}

// permission names the right in the words of the server.
func permission(err error) string {
	text := strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(err.Error(), "NOPERM "), "ERR "), "this user has no permissions to ")
	return strings.TrimSpace(position.ReplaceAllString(text, ""))
}

func (s *Store) unreachable(err error) error {
	return &store.UnreachableError{Place: s.place, Err: err}
}

// scrubbed gives the error without passwords. Its text is all that stays.
func (s *Store) scrubbed(err error) error {
	text := position.ReplaceAllString(err.Error(), "")
	for _, secret := range s.secrets {
		text = strings.ReplaceAll(text, secret, "***")
	}
	return errors.New(text)
}

// failed says that a step's own script failed, with the server's words. Nothing
// of it has stayed.
func (s *Store) failed(what, message string, task store.Task) error {
	message = position.ReplaceAllString(message, "")
	word, rest, _ := strings.Cut(message, " ")
	switch {
	case strings.HasPrefix(message, "STOPOVER late"):
		return &store.StatementError{Statement: 1, Message: fmt.Sprintf("the script took longer than %s", task.Timeout)}
	case strings.HasPrefix(message, "STOPOVER stuck "):
		return &store.EscapedError{Statement: 1}
	case word == "READONLY" || word == "MISCONF" || word == "NOREPLICAS":
		return s.refusal(word, errors.New(message))
	case firstWord(message) == "NOPERM":
		return s.refusal("NOPERM", errors.New(message))
	}
	failure := &store.StatementError{Statement: 1, Message: lineOf.ReplaceAllString(message, "line $1: ")}
	if strings.ToUpper(word) == word && len(word) > 2 && rest != "" {
		failure.Code, failure.Message = word, rest
	}
	if failure.Code == "OOM" {
		failure.Message, failure.Hint = s.outOfMemory()
	}
	if what != "work" {
		failure.Message = "the " + what + ": " + failure.Message
	}
	return failure
}

// lineOf finds a script's line in an error of Lua. A step's own text begins at
// the first line.
var lineOf = regexp.MustCompile(`^user_script:(\d+): `)
