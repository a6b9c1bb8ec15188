package ringfence

import (
	"errors"
	"fmt"
	"math"
)

// Declaration is what a policy says about itself when it is loaded.
type Declaration struct {
	// Codes that a judgement may carry: an undeclared one fails it.
	Codes []string
	// Labels that a judgement may carry, likewise.
	Labels []string
	// Needs are the grants without which it cannot work: text, findings, caller, ...; and
	// score:NAME for the scores of a classifier, which the grant model covers.
	Needs []string
}

// Judgement is a policy's answer. What is left out says nothing, but for Permit: where the
// request may go has to be said.
type Judgement struct {
	// Permit is where the request may go.
	Permit Permission
	// Prefer names targets in the order of preference; it permits nothing.
	Prefer []string
	// Edits is what is hidden from whom. They do not overlap.
	Edits []Edit
	// Labels are declared ones, for the ledger and for metrics.
	Labels []string
	// Code is a declared one: why.
	Code string
}

// Permission is where a request may go: [Any], [Within], [Only] or [Nowhere].
type Permission interface{ permission() }

// Any permits every target that is left: the policy has nothing against it.
type Any struct{}

// Within permits targets of this zone or a nearer one.
type Within Zone

// Only permits the targets named; with none named, nothing. [Request.Only] makes one.
type Only []string

// Nowhere refuses the request.
type Nowhere struct{}

func (Any) permission()     {}
func (Within) permission()  {}
func (Only) permission()    {}
func (Nowhere) permission() {}

// Only permits the targets that keep keeps; with none kept, nothing.
func (request *Request) Only(keep func(target *Target) bool) Only {
	kept := Only{}
	for at := range request.Targets {
		if keep(&request.Targets[at]) {
			kept = append(kept, request.Targets[at].Name)
		}
	}
	return kept
}

// Action is what happens to a span: [Mask], [Replace], [Pseudonymise] or [Remove].
type Action interface{ action() }

// Mask puts the entity's name in brackets in its place.
type Mask struct{}

// Replace puts this text in its place.
type Replace string

// Pseudonymise puts a keyed placeholder in its place, and the answer gets the original back.
type Pseudonymise struct{}

// Remove puts nothing in its place.
type Remove struct{}

func (Mask) action()         {}
func (Replace) action()      {}
func (Pseudonymise) action() {}
func (Remove) action()       {}

// Scope is for which targets an edit counts: [Always], [Outside] or [Towards]. An edit
// without one always counts.
type Scope interface{ scope() }

// Always is for every target.
type Always struct{}

// Outside is for targets farther away than this zone.
type Outside Zone

// Towards is for the targets named.
type Towards []string

func (Always) scope()  {}
func (Outside) scope() {}
func (Towards) scope() {}

// Edit is a change to text[Start:End] of one segment.
type Edit struct {
	// Segment is its ID.
	Segment int
	// Start is the first byte.
	Start int
	// End is one past the last byte.
	End int
	// Entity is what is hidden, in capitals: it names the mask and the placeholder.
	Entity string
	// Action is what happens to it.
	Action Action
	// Scope is for which targets.
	Scope Scope
}

// Edit is an edit of what was found.
func (finding Finding) Edit(action Action, scope Scope) Edit {
	return Edit{
		Segment: finding.Segment, Start: finding.Start, End: finding.End,
		Entity: finding.Entity, Action: action, Scope: scope,
	}
}

// check is an error when the judgement cannot be said in the contract's words.
func (judgement *Judgement) check() error {
	switch permit := judgement.Permit.(type) {
	case nil:
		return errors.New("the judgement does not say where the request may go: see Permission")
	case Within:
		if permit > Within(Cloud) {
			return fmt.Errorf("there is no %v", Zone(permit))
		}
	}
	for _, edit := range judgement.Edits {
		if edit.Action == nil {
			return errors.New("an edit does not say what happens: see Action")
		}
		if outside, is := edit.Scope.(Outside); is && outside > Outside(Cloud) {
			return fmt.Errorf("there is no %v", Zone(outside))
		}
		if err := fits(edit.Segment, edit.Start, edit.End); err != nil {
			return err
		}
	}
	return nil
}

// fits is an error when a number is none of the contract's.
func fits(numbers ...int) error {
	for _, number := range numbers {
		if number < 0 || int64(number) > math.MaxUint32 {
			return fmt.Errorf("%d is no offset and no segment", number)
		}
	}
	return nil
}
