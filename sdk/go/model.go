package ringfence

import "github.com/ringfence/ringfence/sdk/go/internal/host"

// Fault is why a model gives no answer.
type Fault uint8

// The faults.
const (
	// FaultUnknown says that the configuration has no such model; while a policy is
	// configured it has none.
	FaultUnknown Fault = iota
	// FaultTooLong says that the text is longer than 65536 bytes, or than the model reads.
	FaultTooLong
	// FaultBusy says that too many texts wait for it.
	FaultBusy
	// FaultLate says that it did not answer in time.
	FaultLate
	// FaultFailed says that it failed.
	FaultFailed
)

var faultNames = []string{"unknown", "too-long", "busy", "late", "failed"}

// Error is the contract's name of the fault.
func (fault Fault) Error() string {
	return "the model gives no answer: " + named(faultNames, uint8(fault))
}

// Classify gives the probability, 0 to 1, of each label of a classifier, by its name in the
// configuration. The text goes nowhere else. An error is a [Fault]. It needs the grant
// model; in native tests it answers what the case says in models.
func Classify(classifier, text string) (map[string]float32, error) {
	labels, fault, answered := host.Classify(classifier, text)
	if !answered {
		return nil, Fault(fault)
	}
	return labels, nil
}

// Embed gives the text as a vector, of the model that serves embeddings. An error is a
// [Fault]. It needs the grant model; in native tests it answers what the case says in models.
func Embed(text string) ([]float32, error) {
	vector, fault, answered := host.Embed(text)
	if !answered {
		return nil, Fault(fault)
	}
	return vector, nil
}
