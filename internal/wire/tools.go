package wire

// Severity of a Problem.
type Severity string

// The severities. Only errors make lint fail.
const (
	Fault   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// Lint lists what is wrong with the catalogue and the migrations.
type Lint struct {
	Head
	Stores     int       `json:"stores"`
	Migrations int       `json:"migrations"`
	Scratch    []string  `json:"scratch"` // stores whose files were run on a scratch store
	Problems   []Problem `json:"problems"`
}

// Problem is one finding of lint.
type Problem struct {
	File     string   `json:"file"`
	Line     int      `json:"line"`
	Severity Severity `json:"severity"`
	Store    string   `json:"store,omitempty"`
	Message  string   `json:"message"`
	Hint     string   `json:"hint,omitempty"`
}

// New lists the files that were made.
type New struct {
	Head
	Files []string `json:"files"`
}

// Import is a catalogue to start from, made of another tool's table.
type Import struct {
	Head
	From       string   `json:"from"` // the file that was read
	Out        string   `json:"out"`  // the file that was written; "": Text holds it
	Text       string   `json:"text,omitempty"`
	Releases   int      `json:"releases"`
	Migrations int      `json:"migrations"`
	Files      []string `json:"files"`   // all that were written: Out, and the migrations
	Unknown    []string `json:"unknown"` // what could not be known, one sentence each
}

// VersionInfo says what this program is.
type VersionInfo struct {
	Head
	Program  string   `json:"program"`
	Version  string   `json:"version"`
	Revision string   `json:"revision"`
	Go       string   `json:"go"`
	Books    int      `json:"books"`  // format of the books that it writes
	Stores   []string `json:"stores"` // kinds that it can open
}

// Demo tells what the demo did and whether the counts came out right.
type Demo struct {
	Head
	Folder  string      `json:"folder"`
	Acts    []Act       `json:"acts"`
	Orders  int64       `json:"orders"`  // rows at the end
	Writes  int64       `json:"writes"`  // by the application meanwhile
	Lost    int64       `json:"lost"`    // of these
	Kills   int         `json:"kills"`   // runners killed
	Digests []DemoCheck `json:"digests"` // what was compared
	Seconds float64     `json:"seconds"`
}

// Act is one command of the demo.
type Act struct {
	Title   string  `json:"title"`
	Command string  `json:"command"`
	Exit    int     `json:"exit"`
	Output  string  `json:"output,omitempty"`
	Seconds float64 `json:"seconds"`
}

// DemoCheck is a number or digest that was compared.
type DemoCheck struct {
	What string `json:"what"`
	Want string `json:"want"`
	Got  string `json:"got"`
}
