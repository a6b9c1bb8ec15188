// Package config has what the rules are made of, without the rest of gitleaks.
package config

import (
	"regexp"
	"strings"
)

// Rule is one of gitleaks' rules, with the fields that rules fill in.
type Rule struct {
	RuleID, Description string
	Entropy             float64
	SecretGroup         int
	Regex, Path         *regexp.Regexp
	Tags, Keywords      []string
	Allowlists          []*Allowlist
	RequiredRules       []*Required
	SkipReport          bool
}

// Required names another rule.
type Required struct {
	RuleID                     string
	WithinLines, WithinColumns *int
}

// AllowlistMatchCondition says how many of an allow-list's parts must hold.
type AllowlistMatchCondition int

// One part or all of them.
const (
	AllowlistMatchOr AllowlistMatchCondition = iota
	AllowlistMatchAnd
)

// Allowlist is what a rule does not report.
type Allowlist struct {
	Description    string
	MatchCondition AllowlistMatchCondition
	Commits        []string
	Paths          []*regexp.Regexp
	RegexTarget    string
	Regexes        []*regexp.Regexp
	StopWords      []string
}

// ContainsStopWord tells whether one of the stop words is in a text, and which.
func (list *Allowlist) ContainsStopWord(text string) (bool, string) {
	for _, word := range list.StopWords {
		if strings.Contains(strings.ToLower(text), strings.ToLower(word)) {
			return true, word
		}
	}
	return false, ""
}
