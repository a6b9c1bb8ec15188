module my-policy

go 1.24

require github.com/ringfence/ringfence/sdk/go v0.1.0

// The SDK that came with the project: a build needs no network.
replace github.com/ringfence/ringfence/sdk/go => ../
