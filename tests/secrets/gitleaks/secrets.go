// Package secrets makes texts that an expression matches, the same ones in every run.
package secrets

import (
	"math/rand"
	"regexp/syntax"
	"strings"
)

// How often a part without an upper bound is repeated beyond its lower one.
const most = 10

var random = rand.New(rand.NewSource(1))

// NewSecret makes a text for an expression.
func NewSecret(expression string) string {
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		panic(err)
	}
	var text strings.Builder
	write(parsed, &text)
	return text.String()
}

func write(part *syntax.Regexp, text *strings.Builder) {
	switch part.Op {
	case syntax.OpLiteral:
		text.WriteString(string(part.Rune))
	case syntax.OpCharClass:
		var shown []rune
		for i := 0; i < len(part.Rune); i += 2 {
			for c := max(part.Rune[i], ' '); c <= min(part.Rune[i+1], '~'); c++ {
				shown = append(shown, c)
			}
		}
		if len(shown) > 0 {
			text.WriteRune(shown[random.Intn(len(shown))])
		}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		text.WriteByte(byte('a' + random.Intn(26)))
	case syntax.OpCapture, syntax.OpConcat:
		for _, sub := range part.Sub {
			write(sub, text)
		}
	case syntax.OpAlternate:
		write(part.Sub[random.Intn(len(part.Sub))], text)
	case syntax.OpStar:
		repeat(part.Sub[0], 0, most, text)
	case syntax.OpPlus:
		repeat(part.Sub[0], 1, most, text)
	case syntax.OpQuest:
		repeat(part.Sub[0], 0, 1, text)
	case syntax.OpRepeat:
		high := part.Max
		if high < 0 {
			high = part.Min + most
		}
		repeat(part.Sub[0], part.Min, high, text)
	}
}

func repeat(part *syntax.Regexp, low, high int, text *strings.Builder) {
	for range low + random.Intn(high-low+1) {
		write(part, text)
	}
}
