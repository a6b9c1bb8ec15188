package cases

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/sdk/go"
	"github.com/ringfence/ringfence/sdk/go/internal/host"
)

// asked is a request as a case writes it.
type asked struct {
	Model           *string  `json:"model"`
	Streamed        bool     `json:"streamed"`
	Needs           []string `json:"needs"`
	InputTokens     int      `json:"input_tokens"`
	MaxOutputTokens *int     `json:"max_output_tokens"`
	LatencyWantedMS *int     `json:"latency_wanted_ms"`
	BudgetLeft      *float64 `json:"budget_left"`
	PreviousTarget  *string  `json:"previous_target"`
	Caller          *asker   `json:"caller"`
	NowMS           float64  `json:"now_ms"`
	Seed            uint32   `json:"seed"`
	Segments        []piece  `json:"segments"`
	Findings        []found  `json:"findings"`
	Targets         *[]place `json:"targets"`

	Scores map[string]float32 `json:"scores"`
	Models host.Models        `json:"models"`
}

type asker struct {
	Tenant string `json:"tenant"`
	Key    string `json:"key"`
	Labels words  `json:"labels"`
}

// piece is a segment: its text, or an object.
type piece struct {
	plain bool
	whole
}

type whole struct {
	Text      *string        `json:"text"`
	Role      ringfence.Role `json:"role"`
	Kind      ringfence.Kind `json:"kind"`
	Path      string         `json:"path"`
	Tool      *string        `json:"tool"`
	MediaType *string        `json:"media_type"`
	Readable  *bool          `json:"readable"`
}

type found struct {
	Segment int      `json:"segment"`
	Text    *string  `json:"text"`
	Entity  *string  `json:"entity"`
	Score   *float32 `json:"score"`
}

type place struct {
	Name         *string         `json:"name"`
	Zone         *ringfence.Zone `json:"zone"`
	Region       string          `json:"region"`
	Attributes   words           `json:"attributes"`
	Capabilities []string        `json:"capabilities"`
	Healthy      *bool           `json:"healthy"`
	InFlight     int             `json:"in_flight"`
	Queued       int             `json:"queued"`
	Capacity     *int            `json:"capacity"`
	FirstTokenMS int             `json:"first_token_ms"`
	P50MS        int             `json:"p50_ms"`
	P99MS        int             `json:"p99_ms"`
	ErrorRate    float32         `json:"error_rate"`
	InputPrice   float64         `json:"input_price"`
	OutputPrice  float64         `json:"output_price"`
}

// words are names and values; a value that is no text is told in JSON.
type words map[string]string

// UnmarshalJSON reads an object.
func (all *words) UnmarshalJSON(text []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return err
	}
	*all = words{}
	for name, value := range members {
		var word string
		if json.Unmarshal(value, &word) != nil {
			word = string(value)
		}
		(*all)[name] = word
	}
	return nil
}

// UnmarshalJSON reads a text or an object.
func (written *piece) UnmarshalJSON(text []byte) error {
	written.Role = ringfence.RoleUser
	if bytes.HasPrefix(text, []byte(`"`)) {
		written.Text = new(string)
		written.plain = true
		return json.Unmarshal(text, written.Text)
	}
	return strict(text, &written.whole)
}

// build is the whole request, with a harmless value for what the case leaves out.
func (written asked) build() (*ringfence.Request, error) {
	request := &ringfence.Request{
		ID: "r-1", Conversation: "c-1", Dialect: "openai-chat", Model: "auto",
		Streamed: written.Streamed, Needs: written.Needs, InputTokens: written.InputTokens,
		MaxOutputTokens: written.MaxOutputTokens, LatencyWantedMS: written.LatencyWantedMS,
		BudgetLeft: written.BudgetLeft, PreviousTarget: written.PreviousTarget,
		NowMS: written.NowMS, Seed: written.Seed, Scores: written.Scores,
	}
	if written.Model != nil {
		request.Model = *written.Model
	}
	if caller := written.Caller; caller != nil {
		request.Caller = &ringfence.Caller{Tenant: caller.Tenant, Key: caller.Key, Labels: caller.Labels}
	}
	for id, piece := range written.Segments {
		request.Segments = append(request.Segments, piece.build(id))
	}
	findings := []ringfence.Finding{}
	for _, one := range written.Findings {
		finding, err := one.build(request)
		if err != nil {
			return nil, err
		}
		findings = append(findings, finding)
	}
	slices.SortStableFunc(findings, func(one, other ringfence.Finding) int {
		return cmp.Or(cmp.Compare(one.Segment, other.Segment), cmp.Compare(one.Start, other.Start))
	})
	request.Findings = &findings
	places := []place{}
	if written.Targets != nil {
		places = *written.Targets
	} else {
		for at, name := range []string{"local", "premises", "cloud"} {
			zone := ringfence.Zone(at)
			places = append(places, place{Name: &name, Zone: &zone})
		}
	}
	for _, place := range places {
		target, err := place.build()
		if err != nil {
			return nil, err
		}
		request.Targets = append(request.Targets, target)
	}
	return request, nil
}

func (written piece) build(id int) ringfence.Segment {
	segment := ringfence.Segment{
		ID: id, Turn: id, Role: written.Role, Kind: written.Kind, Path: written.Path,
		Tool: written.Tool, MediaType: written.MediaType, Readable: written.Text != nil,
		Text: written.Text,
	}
	if written.plain {
		segment.Path = fmt.Sprintf("/messages/%d/content", id)
	}
	if written.Readable != nil {
		segment.Readable = *written.Readable
	}
	if written.Text != nil {
		segment.Bytes = len(*written.Text)
	}
	return segment
}

func (written found) build(request *ringfence.Request) (ringfence.Finding, error) {
	if written.Text == nil || written.Entity == nil {
		return ringfence.Finding{}, errors.New("a finding has a text and an entity")
	}
	segment := request.Segment(written.Segment)
	at := -1
	if segment != nil && segment.Text != nil {
		at = strings.Index(*segment.Text, *written.Text)
	}
	if at < 0 {
		return ringfence.Finding{}, fmt.Errorf("segment %d does not hold the text of a finding", written.Segment)
	}
	finding := ringfence.Finding{
		Segment: written.Segment, Start: at, End: at + len(*written.Text),
		Entity: *written.Entity, Score: 1,
	}
	if written.Score != nil {
		finding.Score = *written.Score
	}
	return finding, nil
}

func (written place) build() (ringfence.Target, error) {
	if written.Name == nil || written.Zone == nil {
		return ringfence.Target{}, errors.New("a target has a name and a zone")
	}
	target := ringfence.Target{
		Name: *written.Name, Zone: *written.Zone, Region: written.Region,
		Attributes: written.Attributes, Capabilities: written.Capabilities,
		ContextTokens: 8192, Healthy: true, InFlight: written.InFlight, Queued: written.Queued,
		Capacity: 64, FirstTokenMS: written.FirstTokenMS, P50MS: written.P50MS,
		P99MS: written.P99MS, ErrorRate: written.ErrorRate, InputPrice: written.InputPrice,
		OutputPrice: written.OutputPrice,
	}
	if written.Healthy != nil {
		target.Healthy = *written.Healthy
	}
	if written.Capacity != nil {
		target.Capacity = *written.Capacity
	}
	return target, nil
}
