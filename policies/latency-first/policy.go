// What is in a hurry goes where it is answered in time. What is not is left to others.
package main

import (
	"cmp"
	"slices"

	ringfence "github.com/ringfence/ringfence/sdk/go"
)

// settings are the entry's own table.
type settings struct {
	// WantedMS is how soon a first token is wanted where the client does not say; 0 for no hurry.
	WantedMS uint32 `json:"wanted_ms"`
	// LeastMS is what a client that says less is taken to have said; 0 for any.
	LeastMS uint32 `json:"least_ms"`
	// Strict leaves only targets that can be in time: a request with none is refused.
	Strict bool `json:"strict"`
}

// pace is how a target does, in the order of preference.
type pace int

const (
	// inTime: its median first token comes in time.
	inTime pace = iota
	// unmeasured: nobody has measured it yet. Were it last, nobody ever would.
	unmeasured
	// late: it comes late, or has no room now.
	late
	// ill: its recent calls fail.
	ill
)

func configure(table []byte) (ringfence.Policy, ringfence.Declaration, error) {
	policy := &settings{}
	err := ringfence.Settings(table, policy)
	return policy, ringfence.Declaration{
		Codes:  []string{"too_slow"},
		Labels: []string{"hurried"},
	}, err
}

func (policy *settings) Judge(request *ringfence.Request) (ringfence.Judgement, error) {
	wanted, hurried := policy.wanted(request)
	if !hurried {
		return ringfence.Judgement{Permit: ringfence.Any{}}, nil
	}
	targets := slices.Clone(request.Targets)
	// Stable: what the configuration names first stays first among equals.
	slices.SortStableFunc(targets, func(one, other ringfence.Target) int {
		return cmp.Or(
			cmp.Compare(paceOf(&one, wanted), paceOf(&other, wanted)),
			cmp.Compare(one.FirstTokenMS, other.FirstTokenMS),
			cmp.Compare(one.P99MS, other.P99MS),
		)
	})
	judgement := ringfence.Judgement{Permit: ringfence.Any{}, Labels: []string{"hurried"}}
	can := func(target *ringfence.Target) bool { return paceOf(target, wanted) <= unmeasured }
	if policy.Strict {
		judgement.Permit, judgement.Code = request.Only(can), "too_slow"
	}
	for at := range targets {
		if !policy.Strict || can(&targets[at]) {
			judgement.Prefer = append(judgement.Prefer, targets[at].Name)
		}
	}
	return judgement, nil
}

// wanted is how soon a first token is wanted; false when there is no hurry.
func (policy *settings) wanted(request *ringfence.Request) (int, bool) {
	if request.LatencyWantedMS != nil {
		return max(*request.LatencyWantedMS, int(policy.LeastMS)), true
	}
	return int(policy.WantedMS), policy.WantedMS > 0
}

func paceOf(target *ringfence.Target, wanted int) pace {
	switch {
	case !target.Healthy:
		return ill
	case !target.HasRoom():
		return late
	case target.FirstTokenMS == 0:
		return unmeasured
	case target.FirstTokenMS <= wanted:
		return inTime
	default:
		return late
	}
}

func init() { ringfence.Register(configure) }

func main() {}
