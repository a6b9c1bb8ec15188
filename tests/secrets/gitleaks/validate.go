package utils

import (
	"encoding/json"
	"maps"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/zricethezav/gitleaks/v8/config"
)

// What a rule gives as an example, and what rules find in it: its own in a positive one,
// any in a negative one.
type example struct {
	Rule    string   `json:"rule"`
	Real    bool     `json:"real"`
	Text    string   `json:"text"`
	Secrets []string `json:"secrets"`
}

var (
	rules    []*config.Rule
	examples []example
)

// Validate keeps a rule and its examples; nothing is held against anything yet.
func Validate(rule config.Rule, positive []string, negative []string) *config.Rule {
	rules = append(rules, &rule)
	for _, text := range positive {
		examples = append(examples, example{rule.RuleID, true, text, []string{}})
	}
	for _, text := range negative {
		examples = append(examples, example{rule.RuleID, false, text, []string{}})
	}
	return &rule
}

// ValidateWithPaths does the same for examples in files.
func ValidateWithPaths(rule config.Rule, positive, negative map[string]string) *config.Rule {
	sorted := func(files map[string]string) []string {
		var texts []string
		for _, path := range slices.Sorted(maps.Keys(files)) {
			texts = append(texts, files[path])
		}
		return texts
	}
	return Validate(rule, sorted(positive), sorted(negative))
}

// Print writes a line of JSON for each example.
func Print() {
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for _, one := range examples {
		for _, rule := range rules {
			own := rule.RuleID == one.Rule
			// A rule for files by their names says nothing about a text.
			if rule.Regex != nil && (own && one.Real || !one.Real && rule.Path == nil && !rule.SkipReport) {
				one.Secrets = append(one.Secrets, found(rule, one.Text, !one.Real)...)
			}
		}
		if err := out.Encode(one); err != nil {
			panic(err)
		}
	}
}

// What a rule finds in a text; with its keywords and its allow-lists, or by its expression
// alone.
func found(rule *config.Rule, text string, strict bool) []string {
	lower := strings.ToLower(text)
	named := func(word string) bool { return strings.Contains(lower, strings.ToLower(word)) }
	if strict && len(rule.Keywords) > 0 && !slices.ContainsFunc(rule.Keywords, named) {
		return nil
	}
	var secrets []string
	for _, at := range rule.Regex.FindAllStringSubmatchIndex(text, -1) {
		group := rule.SecretGroup
		for next := 1; rule.SecretGroup == 0 && group == 0 && 2*next < len(at); next++ {
			if at[2*next] < at[2*next+1] {
				group = next
			}
		}
		secret := text[at[2*group]:at[2*group+1]]
		if entropy(secret) >= rule.Entropy && !(strict && isAllowed(rule, text, secret, at[0], at[1])) {
			secrets = append(secrets, secret)
		}
	}
	return secrets
}

func isAllowed(rule *config.Rule, text, secret string, start, end int) bool {
	for _, list := range rule.Allowlists {
		target := secret
		switch list.RegexTarget {
		case "match":
			target = text[start:end]
		case "line":
			target = text[strings.LastIndexByte(text[:start], '\n')+1 : start]
			line, _, _ := strings.Cut(text[start:], "\n")
			target += line
		}
		for _, allowed := range list.Regexes {
			if allowed.MatchString(target) {
				return true
			}
		}
		if stops, _ := list.ContainsStopWord(secret); stops {
			return true
		}
	}
	return false
}

func entropy(text string) float64 {
	counts := map[rune]int{}
	for _, c := range text {
		counts[c]++
	}
	sum := 0.0
	for _, count := range counts {
		share := float64(count) / float64(len(text))
		sum -= share * math.Log2(share)
	}
	return sum
}
