// Package host is what the host does for a policy: in a component its imports, and in
// native tests what stands in for them.
package host
