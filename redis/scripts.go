package redis

import _ "embed" // the scripts

var (
	//go:embed lua/look.lua
	lookLua string
	//go:embed lua/prepare.lua
	prepareLua string
	//go:embed lua/giveup.lua
	giveUpLua string
	//go:embed lua/read.lua
	readLua string
	//go:embed lua/raise.lua
	raiseLua string
	//go:embed lua/raisebooks.lua
	raiseBooksLua string
	//go:embed lua/guarded.lua
	guardedLua string
	//go:embed lua/work.lua
	workLua string
	//go:embed lua/commit.lua
	commitLua string
	//go:embed lua/sweep.lua
	sweepLua string
	//go:embed lua/held.lua
	heldLua string
	//go:embed lua/state.lua
	stateLua string
	//go:embed lua/states.lua
	statesLua string
	//go:embed lua/exists.lua
	existsLua string
	//go:embed lua/same.lua
	sameLua string
	//go:embed lua/copy.lua
	copyLua string
	//go:embed lua/dump.lua
	dumpLua string
	//go:embed lua/restore.lua
	restoreLua string
	//go:embed lua/seal.lua
	sealLua string
	//go:embed lua/delete.lua
	deleteLua string
	//go:embed lua/proven.lua
	provenLua string
	//go:embed lua/keep.lua
	keepLua string
	//go:embed lua/confirm.lua
	confirmLua string
	//go:embed lua/forget.lua
	forgetLua string
	//go:embed lua/value.lua
	valueLua string
	//go:embed lua/rewrite.lua
	rewriteLua string
	//go:embed lua/unconverted.lua
	unconvertedLua string
	//go:embed lua/probe.lua
	probeLua string
	//go:embed lua/ask.lua
	askLua string
)

var (
	lookScript        = newScript(lookLua)
	prepareScript     = newScript(prepareLua)
	giveUpScript      = newScript(giveUpLua)
	readScript        = newScript(readLua)
	raiseScript       = newScript(raiseLua)
	raiseBooksScript  = newScript(raiseBooksLua)
	probeScript       = newScript(probeLua)
	sealScript        = newScript(heldLua + stateLua + sealLua)
	deleteScript      = newScript(heldLua + stateLua + deleteLua)
	provenScript      = newScript(stateLua + provenLua)
	keepScript        = newScript(heldLua + stateLua + keepLua)
	confirmScript     = newScript(confirmLua)
	forgetScript      = newScript(heldLua + forgetLua)
	stateScript       = newScript(stateLua + statesLua)
	sameScript        = newScript(stateLua + sameLua)
	existsScript      = newScript(existsLua)
	copyScript        = newScript(guardedBy(heldLua) + copyLua)
	dumpScript        = newScript(stateLua + dumpLua)
	restoreScript     = newScript(guardedBy(heldLua) + restoreLua)
	valueScript       = newScript(valueLua)
	rewriteScript     = newScript(guardedBy(heldLua) + rewriteLua)
	unconvertedScript = newScript(heldLua + unconvertedLua)
)

// guardedBy looks at the guards in a script that may be performed for each key:
// where the slot's guard is the one that it is wanted to be, nothing else is asked.
func guardedBy(held string) string {
	return "if ARGV[1] ~= 'slot' or redis.call('GET', KEYS[1]) ~= ARGV[2] then\n" + held +
		"local gone = lost()\nif gone then return gone end\nend\n"
}

// compose puts a script together: a step's work and its proof as functions, so
// that their variables and returns are their own, then ours. The work comes
// first, so that its lines have their own numbers in errors. "": none.
func compose(work, proof, main string) *script {
	return newScript(function("work", work) + function("proof", proof) + guardedLua + main)
}

func function(name, body string) string {
	if body == "" {
		return "local " + name + " "
	}
	return "local function " + name + "(KEYS, ARGV, redis) " + body + "\nend\n"
}
