// Package export_ringfence_policy_judge is what the generated bindings call. It has the
// name that they expect.
package export_ringfence_policy_judge

import (
	. "github.com/ringfence/ringfence/sdk/go/internal/bindings/imports/ringfence_policy_types"
	witTypes "github.com/ringfence/ringfence/sdk/go/internal/bindings/wit/types"
)

// Configure configures the policy.
var Configure func(settings string) witTypes.Result[Declaration, string]

// Judge judges one request.
var Judge func(request Request) witTypes.Result[Judgement, string]
