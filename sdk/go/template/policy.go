// Requests with more than so many e-mail addresses stay on the premises.
package main

import ringfence "github.com/ringfence/ringfence/sdk/go"

type addresses struct {
	// Most addresses that may still go out.
	Most int `json:"most"`
}

func configure(settings []byte) (ringfence.Policy, ringfence.Declaration, error) {
	policy := &addresses{Most: 3}
	err := ringfence.Settings(settings, policy)
	return policy, ringfence.Declaration{
		Codes: []string{"too_many_addresses"},
		Needs: []string{"findings"},
	}, err
}

func (policy *addresses) Judge(request *ringfence.Request) (ringfence.Judgement, error) {
	findings, err := request.Found()
	if err != nil {
		return ringfence.Judgement{}, err
	}
	count := 0
	for _, finding := range findings {
		if finding.Entity == "EMAIL" {
			count++
		}
	}
	if count <= policy.Most {
		return ringfence.Judgement{Permit: ringfence.Any{}}, nil
	}
	permit := ringfence.Within(ringfence.Premises)
	return ringfence.Judgement{Permit: permit, Code: "too_many_addresses"}, nil
}

func init() { ringfence.Register(configure) }

// A component is not started: its policy is asked.
func main() {}
