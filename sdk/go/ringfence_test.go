package ringfence

import (
	"errors"
	"strings"
	"testing"
)

type saying struct {
	judgement Judgement
	outcome   Outcome
	err       error
}

func (policy saying) Judge(*Request) (Judgement, error) {
	if policy.err == errPanic {
		var nothing *Request
		_ = nothing.Model
	}
	return policy.judgement, policy.err
}

func (policy saying) Inspect(*Window) (Outcome, error) { return policy.outcome, policy.err }

var errPanic = errors.New("panic")

func TestWhatCannotBeSaidIsAnError(t *testing.T) {
	edit := Edit{Start: 0, End: 1, Entity: "X", Action: Mask{}}
	outside := edit
	outside.Scope = Outside(7)
	bare := edit
	bare.Action = nil
	before := edit
	before.Start = -1
	beyond := edit
	beyond.End = 1 << 32
	for _, one := range []struct {
		policy saying
		wrong  string
	}{
		{saying{judgement: Judgement{Permit: Any{}, Edits: []Edit{edit}}}, ""},
		{saying{judgement: Judgement{Permit: Nowhere{}}}, ""},
		{saying{judgement: Judgement{}}, "where the request may go"},
		{saying{judgement: Judgement{Permit: Within(3)}}, "unknown(3)"},
		{saying{judgement: Judgement{Permit: Any{}, Edits: []Edit{outside}}}, "unknown(7)"},
		{saying{judgement: Judgement{Permit: Any{}, Edits: []Edit{bare}}}, "Action"},
		{saying{judgement: Judgement{Permit: Any{}, Edits: []Edit{before}}}, "no offset"},
		{saying{judgement: Judgement{Permit: Any{}, Edits: []Edit{beyond}}}, "no offset"},
		{saying{err: errors.New("told")}, "told"},
		{saying{err: errPanic}, "nil pointer"},
	} {
		_, err := Judged(one.policy, &Request{})
		if (err == nil) != (one.wrong == "") || err != nil && !strings.Contains(err.Error(), one.wrong) {
			t.Errorf("%+v: %v", one.policy, err)
		}
	}
	for _, one := range []struct {
		outcome Outcome
		wrong   bool
	}{
		{Release{}, false}, {Hold(4), false}, {Stop("code"), false},
		{Cuts{{End: 1, Entity: "X", Action: Mask{}}}, false},
		{nil, true}, {Hold(-1), true}, {Cuts{{End: 1, Entity: "X"}}, true},
		{Cuts{{Start: -1, Action: Mask{}}}, true},
	} {
		if _, err := Inspected(saying{outcome: one.outcome}, &Window{}); (err != nil) != one.wrong {
			t.Errorf("%#v: %v", one.outcome, err)
		}
	}
}

func TestSettingsRefuseWhatTheyDoNotKnow(t *testing.T) {
	for _, one := range []struct {
		text  string
		wrong bool
	}{
		{`{"most": 1}`, false}, {`{}`, false}, {`{"mots": 1}`, true}, {`{"most": "x"}`, true},
		{`{`, true}, {`{} {}`, true}, {``, true},
	} {
		settings := struct {
			Most int `json:"most"`
		}{3}
		if err := Settings([]byte(one.text), &settings); (err != nil) != one.wrong {
			t.Errorf("%s: %v", one.text, err)
		}
	}
	var zone Zone
	if zone.UnmarshalText([]byte("premises")) != nil || zone != Premises {
		t.Error(zone)
	}
	if zone.UnmarshalText([]byte("moon")) == nil {
		t.Error("there is no moon")
	}
}

func TestAPanicOrNothingIsARefusedLoad(t *testing.T) {
	for _, configure := range []Configure{
		func([]byte) (Policy, Declaration, error) { panic("told") },
		func([]byte) (Policy, Declaration, error) { return nil, Declaration{}, nil },
	} {
		if _, _, err := Configured(configure, nil); err == nil {
			t.Error("it was configured")
		}
	}
}

func TestShortWaysToAsk(t *testing.T) {
	text := "to 😀 ann"
	request := &Request{
		Segments: []Segment{{ID: 0}, {ID: 7, Text: &text}},
		Caller:   &Caller{Labels: map[string]string{"team": "legal"}},
		Targets: []Target{
			{Name: "a", Zone: Process, Healthy: true, Capacity: 1},
			{Name: "b", Zone: Cloud, Healthy: true},
		},
	}
	if _, err := request.Found(); err == nil {
		t.Error("nothing is known")
	}
	ann := Finding{Segment: 7, Start: 8, End: 11, Entity: "NAME"}
	if found, known := request.TextOf(ann); !known || found != "ann" {
		t.Error(found)
	}
	for _, finding := range []Finding{{Segment: 0}, {Segment: 9}, {Segment: 7, Start: 4, End: 11}} {
		if found, known := request.TextOf(finding); known {
			t.Error(found)
		}
	}
	near := request.Only(func(target *Target) bool { return target.IsWithin(Premises) })
	if len(near) != 1 || near[0] != "a" || !request.Targets[0].HasRoom() || request.Targets[1].HasRoom() {
		t.Error(near)
	}
	if label, known := request.CallerLabel("team"); !known || label != "legal" {
		t.Error(label)
	}
	request.Caller = nil
	if _, known := request.CallerLabel("team"); known {
		t.Error("nobody asks")
	}
}

func TestWhatWasRestoredIsNotFoundAgain(t *testing.T) {
	window := &Window{Restored: []Span{{0, 5}}}
	if _, err := window.Found(); err == nil {
		t.Error("nothing is known")
	}
	window.Findings = &[]Finding{{Start: 1, End: 5}, {Start: 4, End: 9}}
	if found, err := window.Found(); err != nil || len(found) != 1 || found[0].End != 9 {
		t.Error(found, err)
	}
}
