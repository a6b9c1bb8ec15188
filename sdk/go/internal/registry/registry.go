// Package registry holds the one policy of a component.
package registry

// Configure configures the policy that was registered. It gives a ringfence.Policy and a
// ringfence.Declaration.
var Configure func(settings string) (any, any, error)

// Inspects is true when the component exports response.
var Inspects bool
