package ringfence

import (
	"errors"
	"fmt"
)

// Inspector is a policy that inspects answers too, in the instance that judged the request.
// It is registered with response.Register.
type Inspector interface {
	Policy
	// Inspect says what happens to one window of the answer. An error ends the answer, and
	// what was held back is not sent.
	Inspect(window *Window) (Outcome, error)
}

// Window is a piece of the answer, after placeholders were restored.
type Window struct {
	// Choice is which one of the answer.
	Choice int
	// Kind is KindText, KindReasoning or KindToolCall.
	Kind Kind
	// Tool is the tool's name, of tool calls.
	Tool *string
	// Bytes is the text's length in UTF-8, also when the text is not granted.
	Bytes int
	// Text is what was held of this stretch, then what is new; nil without the grant text.
	Text *string
	// Findings is what the detectors found in it; nil without the grant findings.
	// [Window.Found] makes that an error.
	Findings *[]Finding
	// Restored are spans that were placeholders and are the client's own values.
	Restored []Span
	// Target is the one that answers.
	Target string
	// Last is true for the last window of a stretch: nothing of it can be held.
	Last bool
}

// Found is what the detectors found and the client does not know already: what lies within
// a value that was just restored is left out. Without the grant findings nothing is known,
// which is an error.
func (window *Window) Found() ([]Finding, error) {
	if window.Findings == nil {
		return nil, errors.New("the grant `findings` is missing")
	}
	found := []Finding{}
	for _, finding := range *window.Findings {
		known := false
		for _, span := range window.Restored {
			known = known || span.Start <= finding.Start && finding.End <= span.End
		}
		if !known {
			found = append(found, finding)
		}
	}
	return found, nil
}

// Outcome is what happens to a window: [Release], [Cuts], [Hold] or [Stop].
type Outcome interface{ outcome() }

// Release lets it go out as it is.
type Release struct{}

// Cuts lets it go out with these changes. They do not overlap.
type Cuts []Cut

// Hold lets the last so many bytes wait for the next window: at most 4096.
type Hold int

// Stop ends the answer here, with this declared code or an empty one.
type Stop string

func (Release) outcome() {}
func (Cuts) outcome()    {}
func (Hold) outcome()    {}
func (Stop) outcome()    {}

// Cut is a change to text[Start:End] of the window.
type Cut struct {
	// Start is the first byte.
	Start int
	// End is one past the last byte.
	End int
	// Entity is what is hidden, as in [Edit].
	Entity string
	// Action is what happens to it; Pseudonymise counts as Mask here.
	Action Action
}

// Cut is a change to what was found in a window.
func (finding Finding) Cut(action Action) Cut {
	return Cut{Start: finding.Start, End: finding.End, Entity: finding.Entity, Action: action}
}

// Inspected is what the component does for each window: it asks the policy, and makes an
// error of a panic and of an outcome that says nothing. For tests.
func Inspected(policy Inspector, window *Window) (outcome Outcome, err error) {
	defer caught(&err)
	outcome, err = policy.Inspect(window)
	if err != nil {
		return outcome, err
	}
	switch said := outcome.(type) {
	case nil:
		err = errors.New("the outcome does not say what happens to the window: see Outcome")
	case Hold:
		err = fits(int(said))
	case Cuts:
		for _, cut := range said {
			if cut.Action == nil {
				return nil, fmt.Errorf("a cut does not say what happens: see Action")
			}
			if err := fits(cut.Start, cut.End); err != nil {
				return nil, err
			}
		}
	}
	return outcome, err
}
