// Package expr is the one language in which migrations of stores without a
// language of their own say what a field becomes: expressions of
// github.com/expr-lang/expr over the fields of a record.
//
// An expression sees the record's fields by their names, nil where one is
// missing, and nothing else: no clock, no chance, no input. So it gives the same
// whenever it is repeated.
package expr

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"sync"

	lang "github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"
)

// Program is an expression, compiled. It may be run by several goroutines.
type Program struct {
	text    string
	fields  []string
	program *vm.Program

	machines *sync.Pool // of *vm.VM: one takes memory, and can be used again
}

// SyntaxError says what is wrong with an expression.
type SyntaxError struct {
	Text    string
	Message string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("expression %q: %s", e.Text, e.Message) }

// Compile reads an expression.
func Compile(text string) (*Program, error) {
	look := &looker{}
	options := []lang.Option{
		lang.Env(map[string]any{}), lang.AllowUndefinedVariables(), lang.MaxNodes(500),
		// The clock, and what depends on where the process runs.
		lang.DisableBuiltin("now"), lang.DisableBuiltin("date"), lang.DisableBuiltin("timezone"),
	}
	for _, f := range functions {
		options = append(options, lang.Function(f.name, f.do, f.types...))
	}
	// What the language folds away must have been looked at before.
	program, err := lang.Compile(text, append(options, lang.Optimize(false))...)
	if err != nil {
		return nil, &SyntaxError{text, err.Error()}
	}
	node := program.Node()
	ast.Walk(&node, look)
	if look.whole > 0 {
		look.wrong = record + ` is followed by the name of a field, as in $env["a-b"]`
	}
	if look.wrong != "" {
		return nil, &SyntaxError{text, look.wrong}
	}
	sort.Strings(look.fields)
	machines := &sync.Pool{New: func() any { return new(vm.VM) }}
	return &Program{text: text, fields: slices.Compact(look.fields), program: program, machines: machines}, nil
}

// String gives the expression as it was written.
func (p *Program) String() string { return p.text }

// Fields gives the names of the fields that the expression sees, sorted.
func (p *Program) Fields() []string { return p.fields }

// Run gives what the expression makes of a record. The error is an
// *UnconvertibleError where a value is none that the expression can take.
func (p *Program) Run(record map[string]any) (any, error) {
	machine := p.machines.Get().(*vm.VM)
	value, err := machine.Run(p.program, record)
	p.machines.Put(machine)
	if err == nil {
		return value, nil
	}
	if wrong, ok := errors.AsType[*UnconvertibleError](err); ok {
		return nil, wrong
	}
	return nil, &UnconvertibleError{Reason: err.Error()}
}

// Holds runs the expression as a condition. What is neither true nor false is
// an *UnconvertibleError.
func (p *Program) Holds(record map[string]any) (bool, error) {
	value, err := p.Run(record)
	if err != nil {
		return false, err
	}
	holds, ok := value.(bool)
	if !ok {
		return false, &UnconvertibleError{Reason: fmt.Sprintf("the condition %s gives %v, which is neither true nor false", p.text, value)}
	}
	return holds, nil
}

// looker finds the fields that an expression sees, and calls of what is no
// function: the language would fail at the first record only.
type looker struct {
	fields []string
	whole  int // how often the record is seen as a whole
	wrong  string
}

// record is the record as a whole in the language. Only $env["a-b"] is
// possible, for names that are no words.
const record = "$env"

func (l *looker) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		if n.Value == record {
			l.whole++
		} else if !isFunction(n.Value) {
			l.fields = append(l.fields, n.Value)
		}
	case *ast.MemberNode: // after what it is made of
		of, isWord := n.Node.(*ast.IdentifierNode)
		name, isText := n.Property.(*ast.StringNode)
		if isWord && isText && of.Value == record {
			l.whole--
			l.fields = append(l.fields, name.Value)
		}
	case *ast.CallNode:
		callee, ok := n.Callee.(*ast.IdentifierNode)
		switch {
		case !ok:
			l.wrong = "only functions can be called"
		case !isFunction(callee.Value):
			l.wrong = fmt.Sprintf("there is no function %s (besides those of the language there are %s)", callee.Value, names())
		}
	}
}
