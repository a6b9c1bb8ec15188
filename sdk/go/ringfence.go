// Package ringfence is for writing Ringfence policies in Go.
//
// A policy is configured once, when its file is loaded, and asked once for each request, in
// an instance of its own that starts configured:
//
//	type nightShift struct{}
//
//	func configure(settings []byte) (ringfence.Policy, ringfence.Declaration, error) {
//		policy := nightShift{}
//		err := ringfence.Settings(settings, &policy)
//		return policy, ringfence.Declaration{Codes: []string{"after_hours"}}, err
//	}
//
//	func (nightShift) Judge(request *ringfence.Request) (ringfence.Judgement, error) {
//		if hour := int(request.NowMS/3_600_000) % 24; hour >= 8 && hour < 18 {
//			return ringfence.Judgement{Permit: ringfence.Any()}, nil
//		}
//		permit := ringfence.Within(ringfence.Premises)
//		return ringfence.Judgement{Permit: permit, Code: "after_hours"}, nil
//	}
//
//	func init() { ringfence.Register(configure) }
//
//	func main() {}
//
// Offsets count bytes of UTF-8, as those of Go's own strings do. What the entry does not
// grant is nil, never empty. A panic or an error is a failure of the policy, and the
// entry's on_failure takes the judgement's place.
package ringfence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/ringfence/ringfence/sdk/go/internal/registry"
)

// Policy judges requests. Nothing that Judge changes is there for the next request.
type Policy interface {
	// Judge says where a request may go and what is hidden on the way. An error is a
	// failure of the policy; its text goes to a debug log that is off by default.
	Judge(request *Request) (Judgement, error)
}

// Configure makes a policy of the entry's own table of the configuration, as JSON; {}
// without one. An error refuses the load, and its text is for the operator. [Settings] reads
// the table.
type Configure func(settings []byte) (Policy, Declaration, error)

// Register names the policy of this component. Call it once, in an init function of package
// main: what is called later is not part of the component. A policy that inspects answers
// too is registered with response.Register.
func Register(configure Configure) {
	if registry.Configure != nil {
		panic("ringfence: a second policy is registered")
	}
	registry.Configure = func(settings string) (any, any, error) {
		policy, declaration, err := Configured(configure, []byte(settings))
		if _, inspects := policy.(Inspector); err == nil && inspects && !registry.Inspects {
			err = errors.New("it inspects answers: register it with response.Register")
		}
		return policy, declaration, err
	}
}

// Configured is what the component does when it is loaded: it configures a policy, and
// makes an error of a panic. For tests.
func Configured(
	configure Configure, settings []byte,
) (policy Policy, declaration Declaration, err error) {
	defer caught(&err)
	policy, declaration, err = configure(settings)
	if err == nil && policy == nil {
		err = errors.New("configure gave no policy")
	}
	return policy, declaration, err
}

// Judged is what the component does for each request: it asks the policy, and makes an
// error of a panic and of a judgement that does not say where the request may go. For tests.
func Judged(policy Policy, request *Request) (judgement Judgement, err error) {
	defer caught(&err)
	judgement, err = policy.Judge(request)
	if err == nil {
		err = judgement.check()
	}
	return judgement, err
}

// Settings reads the entry's own table into a struct with json tags, over what stands in it
// already. A key that the struct does not have is refused: a misspelt rule that is silently
// ignored protects nobody.
func Settings(settings []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(settings))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("the policy's settings: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("the policy's settings are followed by something else")
	}
	return nil
}

// caught makes an error of a panic, so that its message is in the debug log.
func caught(err *error) {
	if panicked := recover(); panicked != nil {
		*err = fmt.Errorf("panic: %v", panicked)
	}
}
