package ringfence

import (
	"math/rand/v2"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

var letters = []string{"a", "Z", "0", " ", "\n", "é", "ß", "ф", "中", "€", "\ufeff", "😀", "𝒳", "e\u0301"}

func texts(count int) []string {
	numbers := rand.New(rand.NewPCG(7, 7))
	made := make([]string, count)
	for at := range made {
		for range numbers.IntN(20) {
			made[at] += letters[numbers.IntN(len(letters))]
		}
	}
	return made
}

func TestSpansOfRunesAreThoseOfTheLanguage(t *testing.T) {
	for _, text := range texts(500) {
		runes := []rune(text)
		for start := 0; start <= len(runes); start += 3 {
			for end := start; end <= len(runes); end += 2 {
				span, err := RuneSpan(text, start, end)
				if err != nil {
					t.Fatal(err)
				}
				if part, err := Slice(text, span); err != nil || part != string(runes[start:end]) {
					t.Fatalf("%q %d..%d: %q, %v", text, start, end, part, err)
				}
			}
		}
	}
	for _, span := range [][2]int{{-1, 1}, {0, 2}, {1, 0}, {2, 2}} {
		if got, err := RuneSpan("😀", span[0], span[1]); err == nil {
			t.Errorf("%v: %v", span, got)
		}
	}
}

func TestWhatIsNoOffsetIsRefused(t *testing.T) {
	for _, span := range []Span{{1, 4}, {0, 3}, {0, 5}, {-1, 4}, {4, 0}} {
		if text, err := Slice("😀", span); err == nil {
			t.Errorf("%v: %q", span, text)
		}
	}
}

func TestSnappedSpansStandOnBoundaries(t *testing.T) {
	for _, text := range texts(300) {
		for start := -2; start <= len(text)+2; start++ {
			for end := -2; end <= len(text)+2; end++ {
				span := Snap(text, Span{start, end})
				if _, err := Slice(text, span); err != nil {
					t.Fatalf("%q %d..%d: %v", text, start, end, err)
				}
				within := 0 <= start && start <= end && end <= len(text)
				if within && (span.Start > start || span.End < end || start-span.Start > 3 || span.End-end > 3) {
					t.Fatalf("%q %d..%d: %v", text, start, end, span)
				}
			}
		}
	}
}

func TestWordsAndMatchesAreFound(t *testing.T) {
	expected := []Span{{3, 6}, {13, 16}}
	if found := Find("é bob, 😀 bob", "bob"); !reflect.DeepEqual(found, expected) {
		t.Error(found)
	}
	if found := Matches("é bob, 😀 bob", regexp.MustCompile("b.b|x*")); !reflect.DeepEqual(found, expected) {
		t.Error(found)
	}
	if found := Find("aaa", "aa"); !reflect.DeepEqual(found, []Span{{0, 2}}) {
		t.Error(found)
	}
	if found := Find("aaa", ""); found != nil {
		t.Error(found)
	}
	for _, text := range texts(300) {
		for _, word := range letters {
			if found := Find(text, word); len(found) != strings.Count(text, word) {
				t.Errorf("%q in %q: %v", word, text, found)
			}
		}
	}
}
