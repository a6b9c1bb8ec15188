package cases

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/ringfence/ringfence/sdk/go"
)

// said is what a policy says, as cases write it.
type said struct {
	Permit    any      `json:"permit,omitempty"`
	Prefer    []string `json:"prefer,omitempty"`
	Edits     []edit   `json:"edits,omitempty"`
	Labels    []string `json:"labels,omitempty"`
	Code      string   `json:"code,omitempty"`
	Refused   bool     `json:"refused,omitempty"`
	Error     bool     `json:"error,omitempty"`
	Ungranted []string `json:"ungranted,omitempty"`
	Nonsense  string   `json:"nonsense,omitempty"`
	Failed    string   `json:"failed,omitempty"`
}

type edit struct {
	Segment int             `json:"segment"`
	Text    string          `json:"text"`
	Entity  string          `json:"entity"`
	Action  json.RawMessage `json:"action"`
	Scope   json.RawMessage `json:"scope"`
}

// expect is what a case expects, before what was left out is there.
type expect struct {
	Permit    json.RawMessage `json:"permit"`
	Prefer    []string        `json:"prefer"`
	Edits     []edit          `json:"edits"`
	Labels    []string        `json:"labels"`
	Code      string          `json:"code"`
	Refused   bool            `json:"refused"`
	Error     bool            `json:"error"`
	Ungranted []string        `json:"ungranted"`
}

// complete is what is expected, if a policy can say it.
func (written expect) complete() (said, error) {
	whole := said{
		Permit: "any", Prefer: filled(written.Prefer), Edits: filled(written.Edits),
		Labels: filled(written.Labels), Code: written.Code,
	}
	instead := 0
	for _, one := range []bool{written.Refused, written.Error, len(written.Ungranted) > 0} {
		if one {
			instead++
		}
	}
	if instead > 0 {
		judged := written.Permit != nil || len(written.Prefer)+len(written.Edits)+len(written.Labels) > 0
		if instead > 1 || judged || written.Code != "" {
			return said{}, errors.New("refused, error and ungranted stand alone")
		}
		slices.Sort(written.Ungranted)
		return said{Refused: written.Refused, Error: written.Error, Ungranted: written.Ungranted}, nil
	}
	if written.Permit != nil {
		var err error
		if whole.Permit, err = permitOf(written.Permit); err != nil {
			return said{}, err
		}
	}
	for at := range whole.Edits {
		if err := whole.Edits[at].check(); err != nil {
			return said{}, err
		}
	}
	whole.sort()
	return whole, nil
}

func permitOf(raw json.RawMessage) (any, error) {
	var word string
	if json.Unmarshal(raw, &word) == nil {
		if slices.Contains([]string{"any", "process", "premises", "cloud", "nowhere"}, word) {
			return word, nil
		}
	}
	var names []string
	if json.Unmarshal(raw, &names) == nil && names != nil {
		return names, nil
	}
	return nil, errors.New("permit is any, nowhere, process, premises, cloud, or a list of targets")
}

// check reads action and scope, and writes them as they are compared.
func (written *edit) check() error {
	replaced := struct {
		Replace *string `json:"replace"`
	}{}
	towards := struct {
		Towards *[]string `json:"towards"`
	}{}
	word := func(raw json.RawMessage) string {
		var word string
		_ = json.Unmarshal(raw, &word)
		return word
	}
	switch action := word(written.Action); {
	case slices.Contains([]string{"mask", "pseudonymise", "remove"}, action):
		written.Action = raw(action)
	case written.Action != nil && strict(written.Action, &replaced) == nil && replaced.Replace != nil:
		written.Action = raw(replaced)
	default:
		return errors.New("action is mask, pseudonymise, remove or {\"replace\": TEXT}")
	}
	scopes := []string{"always", "outside process", "outside premises", "outside cloud"}
	switch scope := word(written.Scope); {
	case slices.Contains(scopes, scope):
		written.Scope = raw(scope)
	case written.Scope != nil && strict(written.Scope, &towards) == nil && towards.Towards != nil:
		written.Scope = raw(towards)
	default:
		return errors.New("scope is always, outside ZONE or {\"towards\": [TARGET]}")
	}
	return nil
}

// nonsense is what the host would refuse.
func nonsense(declared ringfence.Declaration, judged ringfence.Judgement, request *ringfence.Request) string {
	names := slices.Clone(judged.Prefer)
	if only, is := judged.Permit.(ringfence.Only); is {
		names = append(names, only...)
	}
	for _, edit := range judged.Edits {
		if towards, is := edit.Scope.(ringfence.Towards); is {
			names = append(names, towards...)
		}
	}
	for _, name := range names {
		known := func(target ringfence.Target) bool { return target.Name == name }
		if !slices.ContainsFunc(request.Targets, known) {
			return fmt.Sprintf("a target that it was not shown: %q", name)
		}
	}
	for _, label := range judged.Labels {
		if !slices.Contains(declared.Labels, label) {
			return fmt.Sprintf("a label that it did not declare: %q", label)
		}
	}
	if judged.Code != "" && !slices.Contains(declared.Codes, judged.Code) {
		return fmt.Sprintf("a code that it did not declare: %q", judged.Code)
	}
	return wrongEdits(judged.Edits, request)
}

var entity = regexp.MustCompile(`^[A-Z0-9_]{1,64}$`)

func wrongEdits(edits []ringfence.Edit, request *ringfence.Request) string {
	edits = slices.Clone(edits)
	slices.SortFunc(edits, func(one, other ringfence.Edit) int {
		return cmp.Or(cmp.Compare(one.Segment, other.Segment), cmp.Compare(one.Start, other.Start))
	})
	for at, edit := range edits {
		segment := request.Segment(edit.Segment)
		if segment == nil {
			return fmt.Sprintf("a segment that the request does not have: %d", edit.Segment)
		}
		span := ringfence.Span{Start: edit.Start, End: edit.End}
		if _, err := ringfence.Slice(textOf(segment), span); err != nil || edit.Start == edit.End {
			return fmt.Sprintf("a span that is empty, out of range or inside a character: %d..%d", edit.Start, edit.End)
		}
		if !entity.MatchString(edit.Entity) {
			return fmt.Sprintf("an entity that is not in capitals, or too long: %q", edit.Entity)
		}
		if at > 0 && edits[at-1].Segment == edit.Segment && edits[at-1].End > edit.Start {
			return "edits that overlap"
		}
	}
	return ""
}

// saidOf is what a judgement that is no nonsense says.
func saidOf(judged ringfence.Judgement, request *ringfence.Request) said {
	whole := said{
		Prefer: filled(judged.Prefer), Edits: []edit{}, Labels: filled(judged.Labels), Code: judged.Code,
	}
	switch permit := judged.Permit.(type) {
	case ringfence.Any:
		whole.Permit = "any"
	case ringfence.Within:
		whole.Permit = ringfence.Zone(permit).String()
	case ringfence.Only:
		whole.Permit = filled([]string(permit))
	case ringfence.Nowhere:
		whole.Permit = "nowhere"
	}
	for _, one := range judged.Edits {
		text := textOf(request.Segment(one.Segment))[one.Start:one.End]
		whole.Edits = append(whole.Edits, edit{
			Segment: one.Segment, Text: text, Entity: one.Entity,
			Action: raw(actionOf(one.Action)), Scope: raw(scopeOf(one.Scope)),
		})
	}
	return whole
}

func actionOf(action ringfence.Action) any {
	switch said := action.(type) {
	case ringfence.Replace:
		return map[string]string{"replace": string(said)}
	case ringfence.Pseudonymise:
		return "pseudonymise"
	case ringfence.Remove:
		return "remove"
	default:
		return "mask"
	}
}

func scopeOf(scope ringfence.Scope) any {
	switch said := scope.(type) {
	case ringfence.Outside:
		return "outside " + ringfence.Zone(said).String()
	case ringfence.Towards:
		return map[string][]string{"towards": filled([]string(said))}
	default:
		return "always"
	}
}

// sort puts edits in an order: that of the file does not count.
func (whole *said) sort() {
	slices.SortFunc(whole.Edits, func(one, other edit) int {
		return bytes.Compare(raw(one), raw(other))
	})
}

// String is what was said, in JSON.
func (whole said) String() string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(whole)
	return string(bytes.TrimSpace(text.Bytes()))
}

func textOf(segment *ringfence.Segment) string {
	if segment.Text == nil {
		return ""
	}
	return *segment.Text
}

// filled is the list, and an empty one where there is none.
func filled[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func raw(value any) json.RawMessage {
	text, _ := json.Marshal(value)
	return text
}
