package sqltext

// Reader walks over the code tokens of one statement.
type Reader struct {
	d    Dialect
	toks []Token
	pos  int
}

// Read prepares a text to be walked over. line is that of its first byte.
func Read(d Dialect, text string, line int) (*Reader, error) {
	l := lexer{d: d, src: text, line: line}
	r := &Reader{d: d}
	for {
		t, err := l.next()
		if err != nil {
			return nil, err
		}
		if t.Kind == End {
			return r, nil
		}
		if t.code() {
			r.toks = append(r.toks, t)
		}
	}
}

// Fork gives a reader at the same place that moves by itself.
func (r *Reader) Fork() *Reader {
	fork := *r
	return &fork
}

// AtEnd says whether no token is left.
func (r *Reader) AtEnd() bool { return r.pos >= len(r.toks) }

// Peek gives the token n places ahead; 0 is the next one.
func (r *Reader) Peek(n int) Token {
	if i := r.pos + n; i >= 0 && i < len(r.toks) {
		return r.toks[i]
	}
	return Token{Kind: End}
}

// Next gives the next token and moves behind it.
func (r *Reader) Next() Token {
	t := r.Peek(0)
	if !r.AtEnd() {
		r.pos++
	}
	return t
}

// Is says whether these words or signs come next, in this order.
func (r *Reader) Is(words ...string) bool {
	for i, word := range words {
		if !r.Peek(i).Is(word) {
			return false
		}
	}
	return true
}

// Take moves behind these words or signs if they come next.
func (r *Reader) Take(words ...string) bool {
	if !r.Is(words...) {
		return false
	}
	r.pos += len(words)
	return true
}

// TakeAny moves over any number of these words and says whether there were any.
func (r *Reader) TakeAny(words ...string) bool {
	start := r.pos
	for r.Peek(0).IsAny(words...) {
		r.pos++
	}
	return r.pos > start
}

// Skip moves over the next token or, where it opens a bracket, behind the
// bracket that closes it.
func (r *Reader) Skip() {
	depth := 0
	for !r.AtEnd() {
		t := r.Next()
		switch {
		case t.Is("("), t.Is("["):
			depth++
		case t.Is(")"), t.Is("]"):
			depth--
		}
		if depth <= 0 {
			return
		}
	}
}

// Find moves to the first of these words at the present depth of brackets that
// does not stand where a name stands (after a dot or AS) and is not the FROM of
// IS DISTINCT FROM, and says whether there is one; without one, the reader is at
// the end.
func (r *Reader) Find(words ...string) bool {
	for !r.AtEnd() {
		before := r.Peek(-1)
		if r.Peek(0).IsAny(words...) && !before.IsAny(".", "AS", "DISTINCT") {
			return true
		}
		r.Skip()
	}
	return false
}

// Has says whether one of these words is ahead at the present depth.
func (r *Reader) Has(words ...string) bool { return r.Fork().Find(words...) }

// Identifier reads a name of one part.
func (r *Reader) Identifier() (string, Token, bool) {
	t := r.Peek(0)
	if t.Kind != Word && t.Kind != Quoted && !(r.d == SQLite && t.Kind == String) {
		return "", t, false
	}
	r.pos++
	if t.Kind == String {
		return unquote(t.Text), t, true
	}
	return Identifier(r.d, t), t, true
}

// Name reads a name of up to three parts; of database.schema.name the database
// is kept in Text only.
func (r *Reader) Name() (Name, bool) {
	base, t, found := r.Identifier()
	if !found {
		return Name{}, false
	}
	name := Name{Base: base, BaseText: t.Text, Text: t.Text}
	for parts := 1; parts < 3 && r.Is("."); parts++ {
		mark := r.pos
		r.pos++
		base, t, found = r.Identifier()
		if !found {
			r.pos = mark
			break
		}
		name = Name{Schema: name.Base, Base: base, BaseText: t.Text, Text: name.Text + "." + t.Text}
	}
	return name, true
}

// Names reads names with commas between them.
func (r *Reader) Names() []Name {
	var names []Name
	for {
		name, found := r.Name()
		if !found {
			return names
		}
		names = append(names, name)
		if r.Is("(") {
			r.Skip()
		}
		if !r.Take(",") {
			return names
		}
	}
}

// Items cuts what is ahead at the commas at the present depth.
func (r *Reader) Items() []*Reader {
	var items []*Reader
	start := r.pos
	for !r.AtEnd() && !r.Is(")") {
		if r.Is(",") {
			items = append(items, &Reader{d: r.d, toks: r.toks[start:r.pos]})
			start = r.pos + 1
		}
		r.Skip()
	}
	return append(items, &Reader{d: r.d, toks: r.toks[start:r.pos]})
}
