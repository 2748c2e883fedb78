package redis

import "encoding/binary"

// packed is a list as cmsgpack.unpack reads it in a script, in the format of
// MessagePack (github.com/msgpack/msgpack/blob/master/spec.md). One argument of a
// script with many values in it costs servers less than many arguments.
type packed []byte

// list begins a list of n values.
func (p packed) list(n int) packed {
	if n < 16 {
		return append(p, 0x90|byte(n))
	}
	return binary.BigEndian.AppendUint32(append(p, 0xdd), uint32(n))
}

// number adds one from 0 on.
func (p packed) number(n int) packed {
	return binary.BigEndian.AppendUint32(append(p, 0xce), uint32(n))
}

func (p packed) text(text string) packed {
	switch n := len(text); {
	case n < 32:
		p = append(p, 0xa0|byte(n))
	case n < 1<<16:
		p = binary.BigEndian.AppendUint16(append(p, 0xda), uint16(n))
	default:
		p = binary.BigEndian.AppendUint32(append(p, 0xdb), uint32(n))
	}
	return append(p, text...)
}

func (p packed) texts(all []string) packed {
	p = p.list(len(all))
	for _, text := range all {
		p = p.text(text)
	}
	return p
}

// absent is false in Lua, which stands for nil in what servers answer.
func (p packed) absent() packed { return append(p, 0xc2) }
