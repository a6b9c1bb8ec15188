//go:build wasip1

package ringfence

import (
	answers "github.com/ringfence/ringfence/sdk/go/internal/bindings/imports/ringfence_policy_response"
	contract "github.com/ringfence/ringfence/sdk/go/internal/bindings/imports/ringfence_policy_types"
	wit "github.com/ringfence/ringfence/sdk/go/internal/bindings/wit/types"
)

// raised is a request in this package's types. Texts are not copied.
func raised(asked contract.Request) *Request {
	request := &Request{
		ID: asked.Id, Conversation: asked.Conversation, Dialect: asked.Dialect,
		Model: asked.Model, Streamed: asked.Streamed, Needs: asked.Needs,
		InputTokens: int(asked.InputTokens), MaxOutputTokens: number(asked.MaxOutputTokens),
		LatencyWantedMS: number(asked.LatencyWantedMs), BudgetLeft: given(asked.BudgetLeft),
		PreviousTarget: given(asked.PreviousTarget), NowMS: asked.NowMs, Seed: asked.Seed,
		Segments: each(asked.Segments, raisedSegment), Findings: raisedFindings(asked.Findings),
		Scores: pairs(asked.Scores), Targets: each(asked.Targets, raisedTarget),
	}
	if asked.Caller.IsSome() {
		caller := asked.Caller.Some()
		request.Caller = &Caller{Tenant: caller.Tenant, Key: caller.Key, Labels: pairs(caller.Labels)}
	}
	return request
}

func raisedSegment(segment contract.Segment) Segment {
	return Segment{
		ID: int(segment.Id), Turn: int(segment.Turn), Role: Role(segment.Role),
		Kind: Kind(segment.Kind), Path: segment.Path, Tool: given(segment.Tool),
		MediaType: given(segment.MediaType), Bytes: int(segment.Bytes),
		Readable: segment.Readable, Cached: segment.Cached, Text: given(segment.Text),
	}
}

func raisedFindings(findings wit.Option[[]contract.Finding]) *[]Finding {
	if findings.IsNone() {
		return nil
	}
	raised := each(findings.Some(), func(finding contract.Finding) Finding {
		return Finding{
			Segment: int(finding.Segment), Start: int(finding.Start), End: int(finding.End),
			Entity: finding.Entity, Score: finding.Score,
		}
	})
	return &raised
}

func raisedTarget(target contract.Target) Target {
	return Target{
		Name: target.Name, Zone: Zone(target.Zone), Region: target.Region,
		Attributes: pairs(target.Attributes), Capabilities: target.Capabilities,
		ContextTokens: int(target.ContextTokens), Healthy: target.Healthy,
		InFlight: int(target.InFlight), Queued: int(target.Queued),
		Capacity: int(target.Capacity), FirstTokenMS: int(target.FirstTokenMs),
		P50MS: int(target.P50Ms), P99MS: int(target.P99Ms), ErrorRate: target.ErrorRate,
		InputPrice: target.InputPrice, OutputPrice: target.OutputPrice,
	}
}

func raisedWindow(window answers.Window) *Window {
	return &Window{
		Choice: int(window.Choice), Kind: Kind(window.Kind), Tool: given(window.Tool),
		Bytes: int(window.Bytes), Text: given(window.Text),
		Findings: raisedFindings(window.Findings),
		Restored: each(window.Restored, func(span wit.Tuple2[uint32, uint32]) Span {
			return Span{int(span.F0), int(span.F1)}
		}),
		Target: window.Target, Last: window.Last,
	}
}

// lowered is a judgement, which was checked, in the contract's types.
func lowered(judgement Judgement) contract.Judgement {
	permit := contract.MakePermissionNowhere()
	switch said := judgement.Permit.(type) {
	case Any:
		permit = contract.MakePermissionAny()
	case Within:
		permit = contract.MakePermissionWithin(uint8(said))
	case Only:
		permit = contract.MakePermissionOnly(said)
	}
	return contract.Judgement{
		Permit: permit, Prefer: judgement.Prefer, Labels: judgement.Labels, Code: judgement.Code,
		Edits: each(judgement.Edits, func(edit Edit) contract.Edit {
			return contract.Edit{
				Segment: uint32(edit.Segment), Start: uint32(edit.Start), End: uint32(edit.End),
				Entity: edit.Entity, Action: loweredAction(edit.Action),
				Scope: loweredScope(edit.Scope),
			}
		}),
	}
}

func loweredAction(action Action) contract.Action {
	switch said := action.(type) {
	case Mask:
		return contract.MakeActionMask()
	case Replace:
		return contract.MakeActionReplace(string(said))
	case Pseudonymise:
		return contract.MakeActionPseudonymise()
	default:
		return contract.MakeActionRemove()
	}
}

func loweredScope(scope Scope) contract.Scope {
	switch said := scope.(type) {
	case Outside:
		return contract.MakeScopeOutside(uint8(said))
	case Towards:
		return contract.MakeScopeTowards(said)
	default:
		return contract.MakeScopeAlways()
	}
}

func loweredOutcome(outcome Outcome) answers.Outcome {
	switch said := outcome.(type) {
	case Release:
		return answers.MakeOutcomeRelease()
	case Hold:
		return answers.MakeOutcomeHold(uint32(said))
	case Cuts:
		return answers.MakeOutcomeEdit(each(said, func(cut Cut) answers.Cut {
			return answers.Cut{
				Start: uint32(cut.Start), End: uint32(cut.End), Entity: cut.Entity,
				Action: loweredAction(cut.Action),
			}
		}))
	case Stop:
		return answers.MakeOutcomeStop(string(said))
	default:
		return answers.MakeOutcomeStop("")
	}
}

func each[From, To any](list []From, convert func(From) To) []To {
	converted := make([]To, len(list))
	for at := range list {
		converted[at] = convert(list[at])
	}
	return converted
}

// given is nil for what is absent.
func given[T any](option wit.Option[T]) *T {
	if option.IsNone() {
		return nil
	}
	value := option.Some()
	return &value
}

func number(option wit.Option[uint32]) *int {
	if option.IsNone() {
		return nil
	}
	value := int(option.Some())
	return &value
}

// pairs is a map of names, each of which is there once.
func pairs[T any](list []wit.Tuple2[string, T]) map[string]T {
	named := make(map[string]T, len(list))
	for _, pair := range list {
		named[pair.F0] = pair.F1
	}
	return named
}
