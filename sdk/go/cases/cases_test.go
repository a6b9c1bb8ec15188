package cases

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/ringfence/ringfence/sdk/go"
)

// masking masks every finding outside, and counts.
type masking struct {
	Code  string   `json:"code"`
	Needs []string `json:"needs"`
	Say   string   `json:"say"`
}

func configure(settings []byte) (ringfence.Policy, ringfence.Declaration, error) {
	policy := &masking{Code: "masked"}
	err := ringfence.Settings(settings, policy)
	return policy, ringfence.Declaration{Codes: []string{"masked"}, Needs: policy.Needs}, err
}

func (policy *masking) Judge(request *ringfence.Request) (ringfence.Judgement, error) {
	findings, err := request.Found()
	if err != nil {
		return ringfence.Judgement{}, err
	}
	judgement := ringfence.Judgement{Permit: ringfence.Any{}, Code: policy.Code}
	switch policy.Say {
	case "everything":
		return everything(request)
	case "counter":
		if count, err := ringfence.Add("calls", 1, 60); err != nil || count != 1 {
			return judgement, errors.New("it is not the first")
		}
	case "label":
		judgement.Labels = []string{"undeclared"}
	case "target":
		judgement.Prefer = []string{"moon"}
	case "span":
		judgement.Edits = []ringfence.Edit{{Start: 4, End: 9, Entity: "X", Action: ringfence.Mask{}}}
	case "entity":
		judgement.Edits = []ringfence.Edit{{End: 1, Entity: "x", Action: ringfence.Mask{}}}
	}
	for _, finding := range findings {
		edit := finding.Edit(ringfence.Mask{}, ringfence.Outside(ringfence.Process))
		judgement.Edits = append(judgement.Edits, edit)
	}
	if policy.Say == "twice" {
		judgement.Edits = append(judgement.Edits, judgement.Edits...)
	}
	return judgement, nil
}

const ann = `{"segments": ["to 😀 ann"], "findings": [{"text": "ann", "entity": "NAME"}]}`
const edited = `{"segment": 0, "text": "ann", "entity": "NAME", "action": "mask", "scope": "outside process"}`

func wrong(t *testing.T, members string) string {
	t.Helper()
	if !strings.Contains(members, `"request"`) {
		members = `"request": ` + ann + `, ` + members
	}
	list, err := Parse([]byte(`[{"name": "it", ` + members + `}]`))
	if err != nil {
		t.Fatalf("%s: %v", members, err)
	}
	return list[0].Wrong(configure)
}

func TestEverythingThatWasSaidIsCompared(t *testing.T) {
	right := `"edits": [` + edited + `], "code": "masked"`
	for _, members := range []string{
		`"expect": {` + right + `}`,
		`"config": {"kode": "x"}, "expect": {"refused": true}`,
		`"grants": ["text"], "expect": {"error": true}`,
		`"config": {"needs": ["text", "findings", "text"]}, "grants": [], "expect": {"ungranted": ["text", "findings"]}`,
		`"config": {"say": "counter"}, "expect": {` + right + `}`,
		`"config": {"needs": ["score:topic"]}, "grants": ["findings"], "expect": {"ungranted": ["score:topic"]}`,
		`"config": {"needs": ["score:topic"]}, "grants": ["findings", "model"], "expect": {` + right + `},
			"request": ` + strings.Replace(ann, "{", `{"scores": {"topic/legal": 1}, `, 1),
	} {
		if said := wrong(t, members); said != "" {
			t.Errorf("%s\n%s", members, said)
		}
	}
	for _, members := range []string{
		`"expect": {}`, `"expect": {"code": "masked"}`, `"expect": {"edits": [` + edited + `]}`,
		`"expect": {` + right + `, "permit": "nowhere"}`, `"expect": {` + right + `, "labels": ["x"]}`,
		`"expect": {` + right + `, "prefer": ["local"]}`, `"expect": {"refused": true}`,
		`"expect": {` + strings.Replace(right, "mask\"", "remove\"", 1) + `}`,
		`"expect": {` + strings.Replace(right, "ann", "an", 1) + `}`,
		`"grants": [], "expect": {` + right + `}`, `"config": {"needs": ["score:topic"]}, "expect": {` + right + `}`,
	} {
		if wrong(t, members) == "" {
			t.Errorf("it holds: %s", members)
		}
	}
}

func TestAFailureSaysWhatAndWhy(t *testing.T) {
	said := wrong(t, `"grants": ["text"], "expect": {"code": "masked"}`)
	for _, part := range []string{`said      {"error":true}`, `"code":"masked"`, "the grant `findings` is missing"} {
		if !strings.Contains(said, part) {
			t.Errorf("%s\nis lacking: %s", said, part)
		}
	}
}

func TestWhatTheHostWouldRefuseDoesNotHold(t *testing.T) {
	for config, told := range map[string]string{
		`{"code": "undeclared"}`: "code", `{"say": "label"}`: "label", `{"say": "target"}`: "target",
		`{"say": "span"}`: "inside a character", `{"say": "entity"}`: "capitals", `{"say": "twice"}`: "overlap",
	} {
		said := wrong(t, `"config": `+config+`, "expect": {}`)
		if !strings.Contains(said, "nonsense") || !strings.Contains(said, told) {
			t.Errorf("%s: %s", config, said)
		}
	}
}

func TestMisspeltMembersAreRefused(t *testing.T) {
	for _, text := range []string{
		``, `{}`, `[]`, `[{"name": "x"}]`, `[{"expect": {}}]`,
		`[{"name": "x", "expect": {"cod": ""}}]`,
		`[{"name": "x", "expect": {"error": true, "code": "x"}}]`,
		`[{"name": "x", "expect": {"permit": "moon"}}]`,
		`[{"name": "x", "expect": {"edits": [{"segment": 0, "text": "a", "entity": "X"}]}}]`,
		`[{"name": "x", "expect": {}, "grant": []}]`,
		`[{"name": "x", "expect": {}, "grants": ["find"]}]`,
		`[{"name": "x", "expect": {}, "config": []}]`,
		`[{"name": "x", "expect": {}, "request": {"segments": [{"txt": "x"}]}}]`,
		`[{"name": "x", "expect": {}, "request": {"segments": [{"text": "x", "kind": "moon"}]}}]`,
		`[{"name": "x", "expect": {}, "request": {"segments": ["a"], "findings": [{"text": "b", "entity": "X"}]}}]`,
		`[{"name": "x", "expect": {}, "request": {"targets": [{"name": "a"}]}}]`,
		`[{"name": "x", "expect": {}, "request": {"seed": -1}}]`,
	} {
		if list, err := Parse([]byte(text)); err == nil {
			t.Errorf("%s: %d cases", text, len(list))
		}
	}
}

// Every member of the format reaches the policy.
func TestEveryMemberIsShown(t *testing.T) {
	request := `{
		"model": "m", "streamed": true, "needs": ["tools"], "input_tokens": 1, "max_output_tokens": 2,
		"latency_wanted_ms": 3, "budget_left": 4.5, "previous_target": "p", "now_ms": 5, "seed": 6,
		"caller": {"tenant": "t", "key": "k", "labels": {"n": 1, "w": "x"}},
		"scores": {"topic/legal": 0.5, "other/x": 1}, "models": {"classify": {"topic": {"legal": 0.25}}, "embed": [0.5]},
		"segments": ["plain", {"text": "é", "role": "tool", "kind": "tool-result", "path": "/p", "tool": "f"},
			{"kind": "attachment", "media_type": "image/png"}, {"text": "x", "readable": false}],
		"findings": [{"segment": 1, "text": "é", "entity": "B", "score": 0.5}, {"text": "plain", "entity": "A"}],
		"targets": [{"name": "p", "zone": "premises", "region": "eu", "attributes": {"baa": "yes", "quality": 3},
			"capabilities": ["tools"], "healthy": false, "in_flight": 1, "queued": 2, "capacity": 3,
			"first_token_ms": 4, "p50_ms": 5, "p99_ms": 6, "error_rate": 0.5, "input_price": 7, "output_price": 8}]
	}`
	if said := wrong(t, `"config": {"say": "everything", "needs": ["score:topic"]}, "request": `+request+`, "expect": {"permit": "premises"}`); said != "" {
		t.Error(said)
	}
}

// everything permits the premises when the request is the one above.
func everything(request *ringfence.Request) (ringfence.Judgement, error) {
	text, _ := json.Marshal(request)
	expected := `{"ID":"r-1","Conversation":"c-1","Dialect":"openai-chat","Model":"m","Streamed":true,"Needs":["tools"],` +
		`"InputTokens":1,"MaxOutputTokens":2,"LatencyWantedMS":3,"BudgetLeft":4.5,"PreviousTarget":"p",` +
		`"Caller":{"Tenant":"t","Key":"k","Labels":{"n":"1","w":"x"}},"NowMS":5,"Seed":6,"Segments":[` +
		`{"ID":0,"Turn":0,"Role":1,"Kind":0,"Path":"/messages/0/content","Tool":null,"MediaType":null,"Bytes":5,"Readable":true,"Cached":false,"Text":"plain"},` +
		`{"ID":1,"Turn":1,"Role":3,"Kind":3,"Path":"/p","Tool":"f","MediaType":null,"Bytes":2,"Readable":true,"Cached":false,"Text":"é"},` +
		`{"ID":2,"Turn":2,"Role":1,"Kind":8,"Path":"","Tool":null,"MediaType":"image/png","Bytes":0,"Readable":false,"Cached":false,"Text":null},` +
		`{"ID":3,"Turn":3,"Role":1,"Kind":0,"Path":"","Tool":null,"MediaType":null,"Bytes":1,"Readable":false,"Cached":false,"Text":"x"}],` +
		`"Findings":[{"Segment":0,"Start":0,"End":5,"Entity":"A","Score":1},{"Segment":1,"Start":0,"End":2,"Entity":"B","Score":0.5}],` +
		`"Scores":{"topic/legal":0.5},"Targets":[{"Name":"p","Zone":1,"Region":"eu","Attributes":{"baa":"yes","quality":"3"},"Capabilities":["tools"],` +
		`"ContextTokens":8192,"Healthy":false,"InFlight":1,"Queued":2,"Capacity":3,"FirstTokenMS":4,"P50MS":5,"P99MS":6,` +
		`"ErrorRate":0.5,"InputPrice":7,"OutputPrice":8}]}`
	if string(text) != expected {
		return ringfence.Judgement{}, errors.New(string(text))
	}
	labels, err := ringfence.Classify("topic", "")
	vector, fault := ringfence.Embed("")
	if err != nil || fault != nil || labels["legal"] != 0.25 || len(vector) != 1 {
		return ringfence.Judgement{}, errors.New("the models answer otherwise")
	}
	if _, err := ringfence.Classify("other", ""); err != ringfence.FaultUnknown {
		return ringfence.Judgement{}, errors.New("there is no other model")
	}
	return ringfence.Judgement{Permit: ringfence.Within(ringfence.Premises)}, nil
}
