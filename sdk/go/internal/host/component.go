//go:build wasip1

package host

import (
	"github.com/ringfence/ringfence/sdk/go/internal/bindings/imports/ringfence_policy_log"
	"github.com/ringfence/ringfence/sdk/go/internal/bindings/imports/ringfence_policy_model"
	"github.com/ringfence/ringfence/sdk/go/internal/bindings/imports/ringfence_policy_state"
	"github.com/ringfence/ringfence/sdk/go/internal/collector"
)

// Write writes one line.
func Write(level uint8, message string) {
	ringfence_policy_log.Write(level, message)
}

// Get gives the value of a key.
func Get(key string) (string, bool) {
	collector.Forbid()
	value := ringfence_policy_state.Get(key)
	collector.Allow()
	return value.SomeOr(""), value.IsSome()
}

// Add adds to a counter.
func Add(key string, by float64, ttlSeconds uint32) float64 {
	return ringfence_policy_state.Add(key, by, ttlSeconds)
}

// Classify asks a classifier. Without an answer there is a fault.
func Classify(classifier, text string) (map[string]float32, uint8, bool) {
	collector.Forbid()
	answer := ringfence_policy_model.Classify(classifier, text)
	collector.Allow()
	if answer.IsErr() {
		return nil, answer.Err(), false
	}
	labels := map[string]float32{}
	for _, label := range answer.Ok() {
		labels[label.F0] = label.F1
	}
	return labels, 0, true
}

// Embed asks for a vector. Without an answer there is a fault.
func Embed(text string) ([]float32, uint8, bool) {
	collector.Forbid()
	answer := ringfence_policy_model.Embed(text)
	collector.Allow()
	if answer.IsErr() {
		return nil, answer.Err(), false
	}
	return answer.Ok(), 0, true
}
