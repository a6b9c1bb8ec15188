// Data that was found stays in its region: the same policy in every language.
package main

import (
	"errors"
	"slices"

	ringfence "github.com/ringfence/ringfence/sdk/go"
)

type residency struct {
	Region string   `json:"region"`
	Most   int      `json:"most"`
	Hide   []string `json:"hide"`
	Words  []string `json:"words"`
}

func configure(settings []byte) (ringfence.Policy, ringfence.Declaration, error) {
	policy := &residency{}
	if err := ringfence.Settings(settings, policy); err != nil {
		return nil, ringfence.Declaration{}, err
	}
	if policy.Region == "" {
		return nil, ringfence.Declaration{}, errors.New("`region` is missing")
	}
	declaration := ringfence.Declaration{
		Codes: []string{"residency"}, Labels: []string{"resident"}, Needs: []string{"findings"},
	}
	if len(policy.Words) > 0 {
		declaration.Needs = append(declaration.Needs, "text")
	}
	return policy, declaration, nil
}

func (policy *residency) Judge(request *ringfence.Request) (ringfence.Judgement, error) {
	findings, err := request.Found()
	if err != nil {
		return ringfence.Judgement{}, err
	}
	judgement := ringfence.Judgement{Permit: ringfence.Any{}}
	if len(findings) > policy.Most {
		judgement = ringfence.Judgement{
			Permit: request.Only(func(target *ringfence.Target) bool {
				return target.IsWithin(ringfence.Process) || target.Region == policy.Region
			}),
			Labels: []string{"resident"},
			Code:   "residency",
		}
	}
	for _, finding := range findings {
		if slices.Contains(policy.Hide, finding.Entity) {
			outside := ringfence.Outside(ringfence.Process)
			judgement.Edits = append(judgement.Edits, finding.Edit(ringfence.Pseudonymise{}, outside))
		}
	}
	far := ringfence.Towards(request.Only(func(target *ringfence.Target) bool {
		return target.Zone == ringfence.Cloud
	}))
	for _, segment := range request.Segments {
		for _, word := range policy.Words {
			if segment.Text == nil {
				continue
			}
			for _, span := range ringfence.Find(*segment.Text, word) {
				edit := span.Edit(segment.ID, "WORD", ringfence.Replace("[…]"), far)
				judgement.Edits = append(judgement.Edits, edit)
			}
		}
	}
	return judgement, nil
}

func init() { ringfence.Register(configure) }

func main() {}
