// A policy that does what none should, as its settings say.
package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	ringfence "github.com/ringfence/ringfence/sdk/go"
)

type bad struct {
	Behave string `json:"behave"`
	kept   [][]byte
}

func configure(settings []byte) (ringfence.Policy, ringfence.Declaration, error) {
	policy := &bad{}
	err := ringfence.Settings(settings, policy)
	if policy.Behave == "refuse" {
		panic("refuse")
	}
	return policy, ringfence.Declaration{Codes: []string{"done"}, Labels: []string{"done"}}, err
}

func (policy *bad) Judge(request *ringfence.Request) (ringfence.Judgement, error) {
	judgement := ringfence.Judgement{Permit: ringfence.Any{}, Code: "done"}
	switch policy.Behave {
	case "nothing":
		return ringfence.Judgement{}, nil
	case "panic":
		return judgement, fmt.Errorf("%s", request.Targets[7].Name)
	case "spin":
		for {
		}
	case "exit":
		os.Exit(0)
	case "print":
		fmt.Println(strings.Repeat("x", 1<<20))
		fmt.Fprintln(os.Stderr, "y")
	case "hoard":
		for {
			policy.kept = append(policy.kept, make([]byte, 1<<20))
		}
	case "litter":
		// More than the memory that there is, of which nothing is kept.
		for count := range 100 {
			piece := make([]byte, 1<<20)
			piece[count] = 1
			policy.kept = [][]byte{piece}
		}
	case "full":
		// The host lays its answers into memory that is being collected.
		for range 31 {
			policy.kept = append(policy.kept, make([]byte, 1<<20))
		}
		for range 8 {
			policy.kept[0] = make([]byte, 1<<18)
			count, err := ringfence.Add("calls", 1, 60)
			if told, known := ringfence.State("calls"); err != nil || !known || told != fmt.Sprint(count) {
				return judgement, fmt.Errorf("the counter says %s", told)
			}
		}
	case "recurse":
		judgement.Code = deep(0)
	case "wait":
		time.Sleep(time.Hour)
	case "deadlock":
		<-make(chan int)
	case "share":
		lengths := make(chan int)
		for range 8 {
			go func() { lengths <- len(*request.Segments[0].Text) }()
		}
		sum := 0
		for range 8 {
			sum += <-lengths
		}
		judgement.Labels = []string{"done"}[:min(sum, 1)]
	case "look":
		if entries, err := os.ReadDir("/"); err == nil && len(entries) > 0 {
			return judgement, nil
		}
		if len(os.Environ())+len(os.Args) > 1 {
			return judgement, nil
		}
		judgement.Code = ""
	}
	return judgement, nil
}

func deep(level int) string {
	text := deep(level + 1)
	return text + fmt.Sprint(level)
}

func init() { ringfence.Register(configure) }

func main() {}
