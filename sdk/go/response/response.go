// Package response is for policies that inspect answers too. A component that imports it
// exports the contract's response.
package response

import (
	"github.com/ringfence/ringfence/sdk/go"
	"github.com/ringfence/ringfence/sdk/go/internal/registry"
)

// Configure makes a policy that inspects answers of the entry's own table.
type Configure func(settings []byte) (ringfence.Inspector, ringfence.Declaration, error)

// Register names the policy of this component, in the place of ringfence.Register. Its entry
// has on_failure = "deny".
func Register(configure Configure) {
	registry.Inspects = true
	ringfence.Register(func(settings []byte) (ringfence.Policy, ringfence.Declaration, error) {
		policy, declaration, err := configure(settings)
		if policy == nil {
			return nil, declaration, err
		}
		return policy, declaration, err
	})
}
