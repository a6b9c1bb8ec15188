//go:build wasip1

package ringfence

import (
	"errors"
	"syscall"

	"github.com/ringfence/ringfence/sdk/go/internal/bindings/exports/export_ringfence_policy_judge"
	"github.com/ringfence/ringfence/sdk/go/internal/bindings/exports/export_ringfence_policy_response"
	_ "github.com/ringfence/ringfence/sdk/go/internal/bindings/exports/wit_exports"
	answers "github.com/ringfence/ringfence/sdk/go/internal/bindings/imports/ringfence_policy_response"
	contract "github.com/ringfence/ringfence/sdk/go/internal/bindings/imports/ringfence_policy_types"
	wit "github.com/ringfence/ringfence/sdk/go/internal/bindings/wit/types"
	"github.com/ringfence/ringfence/sdk/go/internal/collector"
	"github.com/ringfence/ringfence/sdk/go/internal/registry"
)

// configured is the policy, once it is.
var configured Policy

func init() {
	// What is printed goes nowhere. Were the streams held open, the configured instance
	// could not be kept as a snapshot: each request's has none of its own.
	for descriptor := range 3 {
		_ = syscall.Close(descriptor)
	}
	export_ringfence_policy_judge.Configure = configure
	export_ringfence_policy_judge.Judge = judge
	export_ringfence_policy_response.Inspect = inspect
}

func configure(settings string) wit.Result[contract.Declaration, string] {
	collector.Allow()
	declaration, err := configureOnce(settings)
	collector.Forbid()
	if err != nil {
		return wit.Err[contract.Declaration, string](err.Error())
	}
	return wit.Ok[contract.Declaration, string](contract.Declaration(declaration))
}

func configureOnce(settings string) (Declaration, error) {
	if registry.Configure == nil {
		return Declaration{}, errors.New("no policy is registered: call ringfence.Register in an init function")
	}
	if configured != nil {
		return Declaration{}, errors.New("configured twice")
	}
	policy, declaration, err := registry.Configure(settings)
	if err != nil {
		return Declaration{}, err
	}
	configured = policy.(Policy)
	return declaration.(Declaration), nil
}

func judge(asked contract.Request) wit.Result[contract.Judgement, string] {
	if configured == nil {
		return wit.Err[contract.Judgement, string]("judged before it was configured")
	}
	collector.Allow()
	judgement, err := Judged(configured, raised(asked))
	collector.Forbid()
	if err != nil {
		return wit.Err[contract.Judgement, string](err.Error())
	}
	return wit.Ok[contract.Judgement, string](lowered(judgement))
}

func inspect(shown answers.Window) wit.Result[answers.Outcome, string] {
	inspector, inspects := configured.(Inspector)
	if !inspects {
		return wit.Err[answers.Outcome, string]("the policy inspects no answers")
	}
	collector.Allow()
	outcome, err := Inspected(inspector, raisedWindow(shown))
	collector.Forbid()
	if err != nil {
		return wit.Err[answers.Outcome, string](err.Error())
	}
	return wit.Ok[answers.Outcome, string](loweredOutcome(outcome))
}
