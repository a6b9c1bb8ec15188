package main

import (
	"testing"

	"github.com/ringfence/ringfence/sdk/go/cases"
)

// The cases, natively: `ringfence policy build` holds them against the component as well.
func TestCases(t *testing.T) {
	cases.Run(t, configure, "cases.json")
}
