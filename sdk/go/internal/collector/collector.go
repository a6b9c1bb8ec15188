//go:build wasip1

// Package collector says when memory may be collected. The collector asks for the time when
// it is done, and while the host lays arguments and answers into memory nothing can be
// asked: it would be a trap. So it runs while the policy itself does, and at no other time.
package collector

import (
	"math"
	"runtime"
	"runtime/debug"
	_ "unsafe" // for what is linked
)

// phase is not nought while memory is being marked. Go tells it nobody; a version without it
// would leave it nought here, and what it is asked for would be a trap now and then.
//
//go:linkname phase runtime.gcphase
var phase uint32

// from is how much the heap holds before it is collected: an instance lives for one request,
// and most never come there. It leaves room for a collection below the 64 MiB that an entry
// has unless it says otherwise.
const from = 44 << 20

func init() {
	debug.SetGCPercent(-1)
	Forbid()
}

// Allow lets the collector run.
func Allow() { debug.SetMemoryLimit(from) }

// Forbid lets the collector run no more, and lets it end where it has begun.
func Forbid() {
	debug.SetMemoryLimit(math.MaxInt64)
	if phase != 0 {
		runtime.GC()
	}
}
