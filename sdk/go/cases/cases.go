// Package cases runs cases natively: requests and what a policy is to say of them. The same
// file is held against the component by `ringfence policy test`, which is what counts.
package cases

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ringfence/ringfence/sdk/go"
	"github.com/ringfence/ringfence/sdk/go/internal/host"
)

// Run runs every case of a JSON file as a subtest of its own.
func Run(t *testing.T, configure ringfence.Configure, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	cases, err := Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	for _, one := range cases {
		t.Run(one.Name, func(t *testing.T) {
			if wrong := one.Wrong(configure); wrong != "" {
				t.Error(wrong)
			}
		})
	}
}

// Case is a request and what a policy is to say of it.
type Case struct {
	// Name is what it is called.
	Name     string
	settings []byte
	grants   []string
	all      bool
	request  *ringfence.Request
	models   host.Models
	expected said
}

// Parse reads a list of cases. A member that is misspelt is an error.
func Parse(text []byte) ([]Case, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("expected a list of cases: %w", err)
	}
	if len(list) == 0 {
		return nil, errors.New("there is no case: expected a list of at least one")
	}
	cases := make([]Case, len(list))
	for at, raw := range list {
		one, err := parse(raw)
		if err != nil {
			return nil, fmt.Errorf("case %d: %w", at+1, err)
		}
		cases[at] = one
	}
	return cases, nil
}

func parse(raw []byte) (Case, error) {
	written := struct {
		Name    *string          `json:"name"`
		Config  *json.RawMessage `json:"config"`
		Grants  *[]string        `json:"grants"`
		Request asked            `json:"request"`
		Expect  *expect          `json:"expect"`
	}{}
	if err := strict(raw, &written); err != nil {
		return Case{}, err
	}
	if written.Name == nil || written.Expect == nil {
		return Case{}, errors.New("a case has a name and expect")
	}
	one := Case{Name: *written.Name, settings: []byte("{}"), all: written.Grants == nil}
	if written.Config != nil {
		if !bytes.HasPrefix(bytes.TrimSpace(*written.Config), []byte("{")) {
			return Case{}, fmt.Errorf("%s: config is no object", one.Name)
		}
		one.settings = *written.Config
	}
	if written.Grants != nil {
		one.grants = *written.Grants
		for _, grant := range one.grants {
			if !slices.Contains(grants, grant) {
				return Case{}, fmt.Errorf("%s: there is no grant `%s`: expected some of %s",
					one.Name, grant, strings.Join(grants, ", "))
			}
		}
	}
	one.models = written.Request.Models
	var err error
	if one.request, err = written.Request.build(); err != nil {
		return Case{}, fmt.Errorf("%s: %w", one.Name, err)
	}
	if one.expected, err = written.Expect.complete(); err != nil {
		return Case{}, fmt.Errorf("%s: %w", one.Name, err)
	}
	return one, nil
}

var grants = []string{"text", "findings", "caller", "log", "state", "model"}

// Wrong runs the case against a policy that is made for it, and says what does not hold;
// nothing when it does.
func (one Case) Wrong(configure ringfence.Configure) string {
	host.Reset(one.models)
	got, why := one.say(configure)
	got.sort()
	if reflect.DeepEqual(got, one.expected) {
		return ""
	}
	text := fmt.Sprintf("said      %s\nexpected  %s", got, one.expected)
	if why != "" {
		text += "\nbecause   " + why
	}
	return text
}

// say is what the policy says, and the text of its error.
func (one Case) say(configure ringfence.Configure) (said, string) {
	policy, declared, err := ringfence.Configured(configure, one.settings)
	if err != nil {
		return said{Refused: true}, err.Error()
	}
	missing := []string{}
	for _, need := range declared.Needs {
		if !one.granted(need) {
			missing = append(missing, need)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return said{Ungranted: slices.Compact(missing)}, ""
	}
	shown := one.shown()
	if shown.Scores = one.scores(declared.Needs); shown.Scores == nil {
		return said{Failed: "model"}, "a classifier that it needs gives no scores"
	}
	judged, err := ringfence.Judged(policy, shown)
	if err != nil {
		return said{Error: true}, err.Error()
	}
	if wrong := nonsense(declared, judged, one.request); wrong != "" {
		return said{Nonsense: wrong}, ""
	}
	return saidOf(judged, one.request), ""
}

// score stands before a classifier's name in what a policy needs.
const score = "score:"

func (one Case) granted(grant string) bool {
	// The scores of a classifier are covered by model.
	if strings.HasPrefix(grant, score) {
		grant = "model"
	}
	return one.all || slices.Contains(one.grants, grant)
}

// scores are those of the classifiers that are needed; nil when one gives none.
func (one Case) scores(needs []string) map[string]float32 {
	shown := map[string]float32{}
	for _, need := range needs {
		classifier, needed := strings.CutPrefix(need, score)
		if !needed {
			continue
		}
		given := false
		for label, value := range one.request.Scores {
			if strings.HasPrefix(label, classifier+"/") {
				shown[label], given = value, true
			}
		}
		if !given {
			return nil
		}
	}
	return shown
}

// shown is the request without what is not granted.
func (one Case) shown() *ringfence.Request {
	shown := *one.request
	shown.Segments = slices.Clone(shown.Segments)
	if !one.granted("text") {
		for at := range shown.Segments {
			shown.Segments[at].Text = nil
		}
	}
	if !one.granted("findings") {
		shown.Findings = nil
	} else {
		findings := slices.Clone(*shown.Findings)
		shown.Findings = &findings
	}
	if !one.granted("caller") {
		shown.Caller = nil
	}
	return &shown
}

// strict reads JSON whose members are all known.
func strict(raw []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}
