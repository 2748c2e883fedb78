package main

import (
	"regexp"
	"strings"
)

var (
	folder  = regexp.MustCompile(`/[^ ]*/stopover-demo-[0-9]+`)
	process = regexp.MustCompile(`(pid |kill -9 )[0-9]+`)
	colour  = regexp.MustCompile("\x1b\\[[0-9;]*m")
	title   = regexp.MustCompile(`^([0-9]+) +[A-Z]`)
)

// anonymous takes names out that are this machine's only, so that the picture
// is nearly the same wherever it is drawn.
func anonymous(text string, m machine) string {
	text = folder.ReplaceAllString(text, "/home/ana/shop")
	text = process.ReplaceAllString(text, "${1}4711")
	for name, shown := range map[string]string{m.host: "laptop", m.user: "ana"} {
		if name != "" {
			text = regexp.MustCompile(`(\b(?:by|of|on|pid 4711,) )`+regexp.QuoteMeta(name)+`\b`).ReplaceAllString(text, "${1}"+shown)
		}
	}
	return text
}

// acts are the numbers of those that the picture shows, with the commands
// that it leaves out of them.
var acts = map[string]string{"3": "", "4": "", "5": "", "6": "", "9": "$ stopover status", "10": ""}

// left are lines that the picture leaves out: more of the same, and what to
// type next where the next thing typed is to be seen anyway.
var left = regexp.MustCompile(`^ *(next: |id=|and [0-9,]+ more|verification failed|error: |Nothing was changed|held by |shop$|main +file |waiting for .* renewed 1[0-9] s ago|\([0-9]+ more lines?\))`)

// samples is how many of the violations are shown.
const samples = 2

// chosen gives the lines of the picture. Where lines were left out in the
// middle of an act there is a line with dots.
func chosen(lines []string) []string {
	c := choice{picture: []string{"\x1b[1m$ stopover demo\x1b[0m", ""}}
	for _, line := range lines {
		c.take(line, colour.ReplaceAllString(line, ""))
	}
	return squeezed(c.picture)
}

// choice goes through what the demo shows line by line.
type choice struct {
	picture []string
	showing bool   // this act is in the picture
	without string // a command that is not
	skipped bool   // this command is not
	samples int
	gap     bool // something was left out just before
}

func (c *choice) take(line, bare string) {
	word := strings.TrimSpace(bare)
	if found := title.FindStringSubmatch(bare); found != nil {
		c.without, c.showing = acts[found[1]], false
		_, c.showing = acts[found[1]]
		c.samples, c.gap, c.skipped = 0, false, false
	}
	if strings.HasPrefix(word, "$ ") {
		c.skipped = word == c.without
	}
	switch {
	case !c.showing, c.skipped && word != "":
		return
	case strings.HasPrefix(word, "id=") && c.samples < samples:
		c.samples++
	case left.MatchString(bare):
		c.gap = c.gap || !strings.HasPrefix(word, "next: ")
		return
	}
	if c.gap && word != "" {
		c.picture = append(c.picture, "   \x1b[2m...\x1b[0m")
	}
	c.gap = c.gap && word == ""
	c.picture = append(c.picture, line)
}

// squeezed takes blank lines out that follow blank lines, and those at the end.
func squeezed(lines []string) []string {
	var list []string
	for _, line := range lines {
		if line == "" && (len(list) == 0 || list[len(list)-1] == "") {
			continue
		}
		list = append(list, line)
	}
	for len(list) > 0 && list[len(list)-1] == "" {
		list = list[:len(list)-1]
	}
	return list
}
