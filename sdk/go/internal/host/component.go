//go:build wasip1

package host

import (
	"github.com/ringfence/ringfence/sdk/go/internal/bindings/imports/ringfence_policy_log"
	"github.com/ringfence/ringfence/sdk/go/internal/bindings/imports/ringfence_policy_state"
)

// Write writes one line.
func Write(level uint8, message string) {
	ringfence_policy_log.Write(level, message)
}

// Get gives the value of a key.
func Get(key string) (string, bool) {
	value := ringfence_policy_state.Get(key)
	return value.SomeOr(""), value.IsSome()
}

// Add adds to a counter.
func Add(key string, by float64, ttlSeconds uint32) float64 {
	return ringfence_policy_state.Add(key, by, ttlSeconds)
}
