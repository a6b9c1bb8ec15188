// Package regexp is the standard library's, under the name that the rules import.
package regexp

import "regexp"

// Regexp is a compiled expression.
type Regexp = regexp.Regexp

// MustCompile compiles one.
func MustCompile(text string) *regexp.Regexp {
	return regexp.MustCompile(text)
}
