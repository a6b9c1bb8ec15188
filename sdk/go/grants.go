package ringfence

import (
	"errors"
	"math"

	"github.com/ringfence/ringfence/sdk/go/internal/host"
)

// Level is how much a line of the log matters.
type Level uint8

// The levels.
const (
	// LevelDebug is for the author.
	LevelDebug Level = iota
	// LevelInfo is for normal events.
	LevelInfo
	// LevelWarn says that something is odd.
	LevelWarn
	// LevelError says that something is wrong.
	LevelError
)

// Log writes one line to the operator's log, capped in size and rate. A policy that calls it
// is loaded with the grant log only. In native tests the line goes nowhere.
func Log(level Level, message string) {
	host.Write(uint8(min(level, LevelError)), message)
}

// State gives a small value that outlived the request, unless it expired. A policy that
// calls it is loaded with the grant state only. In native tests each case begins with none.
func State(key string) (string, bool) {
	return host.Get(key)
}

// Add adds to a counter and gives its new value. One that is new or expired starts at 0 and
// lives for so many seconds. It needs the grant state.
func Add(key string, by float64, ttlSeconds int) (float64, error) {
	if ttlSeconds < 0 || int64(ttlSeconds) > math.MaxUint32 {
		return 0, errors.New("no counter lives that long")
	}
	return host.Add(key, by, uint32(ttlSeconds)), nil
}
