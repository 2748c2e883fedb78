package testserver

import (
	"os/user"
	"strconv"
	"syscall"
)

func lookup(name string) (*syscall.Credential, bool) {
	entry, err := user.Lookup(name)
	if err != nil {
		return nil, false
	}
	uid, err := strconv.ParseUint(entry.Uid, 10, 32)
	if err != nil {
		return nil, false
	}
	gid, err := strconv.ParseUint(entry.Gid, 10, 32)
	if err != nil {
		return nil, false
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, true
}
