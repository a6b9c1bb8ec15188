package ringfence

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Span is text[Start:End], in bytes.
type Span struct {
	// Start is the first byte.
	Start int
	// End is one past the last byte.
	End int
}

// Edit is a change to the span of a segment.
func (span Span) Edit(segment int, entity string, action Action, scope Scope) Edit {
	return Edit{
		Segment: segment, Start: span.Start, End: span.End,
		Entity: entity, Action: action, Scope: scope,
	}
}

// Slice is the text of a span. An offset that is not in the text, or inside a character, is
// an error.
func Slice(text string, span Span) (string, error) {
	if span.Start < 0 || span.Start > span.End || span.End > len(text) {
		return "", fmt.Errorf("the span %d..%d is not in a text of %d bytes", span.Start, span.End, len(text))
	}
	for _, offset := range []int{span.Start, span.End} {
		if !boundary(text, offset) {
			return "", fmt.Errorf("byte %d is no boundary of a character", offset)
		}
	}
	return text[span.Start:span.End], nil
}

// Snap is the smallest span on boundaries of characters that holds this one: a span that
// ends inside a character fails the whole judgement. Offsets outside the text become its
// ends.
func Snap(text string, span Span) Span {
	start := min(max(span.Start, 0), len(text))
	end := min(max(span.End, start), len(text))
	for !boundary(text, start) {
		start--
	}
	for !boundary(text, end) {
		end++
	}
	return Span{start, end}
}

// RuneSpan is the span of []rune(text)[start:end], for those who count in runes. Offsets
// that are not in the text, or inverted, are an error.
func RuneSpan(text string, start, end int) (Span, error) {
	if start < 0 || start > end {
		return Span{}, fmt.Errorf("%d..%d is no span", start, end)
	}
	span, runes := Span{-1, -1}, 0
	for at := range text {
		if runes == start {
			span.Start = at
		}
		if runes == end {
			span.End = at
			return span, nil
		}
		runes++
	}
	if end > runes {
		return Span{}, fmt.Errorf("the span %d..%d is not in a text of %d runes", start, end, runes)
	}
	if start == runes {
		span.Start = len(text)
	}
	span.End = len(text)
	return span, nil
}

// Find is every place where a word stands that is not empty, from the left, none
// overlapping.
func Find(text, word string) []Span {
	var spans []Span
	for from := 0; word != ""; {
		at := strings.Index(text[from:], word)
		if at < 0 {
			break
		}
		spans = append(spans, Span{from + at, from + at + len(word)})
		from += at + len(word)
	}
	return spans
}

// Matches is every match of an expression that is not empty.
func Matches(text string, expression *regexp.Regexp) []Span {
	var spans []Span
	for _, match := range expression.FindAllStringIndex(text, -1) {
		if match[1] > match[0] {
			spans = append(spans, Span{match[0], match[1]})
		}
	}
	return spans
}

func boundary(text string, offset int) bool {
	return offset == 0 || offset == len(text) || utf8.RuneStart(text[offset])
}
