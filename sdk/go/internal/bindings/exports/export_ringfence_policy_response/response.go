// Package export_ringfence_policy_response is what the generated bindings call. It has the
// name that they expect.
package export_ringfence_policy_response

import (
	. "github.com/ringfence/ringfence/sdk/go/internal/bindings/imports/ringfence_policy_response"
	witTypes "github.com/ringfence/ringfence/sdk/go/internal/bindings/wit/types"
)

// Inspect inspects one window of an answer.
var Inspect func(window Window) witTypes.Result[Outcome, string]
