package ringfence

import "errors"

// Zone is how far a place is from the process that holds the data. Each contains the ones
// before it.
type Zone uint8

// The zones, the nearest first.
const (
	// Process is the gateway's own process: nothing crosses a socket.
	Process Zone = iota
	// Premises is the operator's own network.
	Premises
	// Cloud is somebody else's computers.
	Cloud
)

// Role is who speaks in a turn.
type Role uint8

// The roles.
const (
	// RoleSystem is the application, and everything that stands outside the messages.
	RoleSystem Role = iota
	// RoleUser is the person or program that asks.
	RoleUser
	// RoleAssistant is the model, in an earlier turn.
	RoleAssistant
	// RoleTool is a tool's result.
	RoleTool
)

// Kind is what a piece of text is for.
type Kind uint8

// The kinds.
const (
	// KindText is what the model reads or writes as such.
	KindText Kind = iota
	// KindReasoning is a model's reasoning.
	KindReasoning
	// KindToolCall is the arguments of a tool call: JSON in a string.
	KindToolCall
	// KindToolResult is what a tool answered.
	KindToolResult
	// KindToolDefinition is the name, description or schema of a declared tool.
	KindToolDefinition
	// KindName is that of a participant, a tool or a schema.
	KindName
	// KindMetadata is any other string or key of the request, unknown fields included.
	KindMetadata
	// KindLink is an address that somebody may fetch.
	KindLink
	// KindAttachment is an image, a recording or a file: no detector reads it.
	KindAttachment
)

var (
	zoneNames = []string{"process", "premises", "cloud"}
	roleNames = []string{"system", "user", "assistant", "tool"}
	kindNames = []string{
		"text", "reasoning", "tool-call", "tool-result", "tool-definition", "name", "metadata",
		"link", "attachment",
	}
)

// String is the contract's name of the zone.
func (zone Zone) String() string { return named(zoneNames, uint8(zone)) }

// String is the contract's name of the role.
func (role Role) String() string { return named(roleNames, uint8(role)) }

// String is the contract's name of the kind.
func (kind Kind) String() string { return named(kindNames, uint8(kind)) }

// UnmarshalText reads the contract's name, for keys of a policy's settings and for cases.
func (zone *Zone) UnmarshalText(text []byte) error { return parse(zoneNames, text, zone) }

// UnmarshalText reads the contract's name.
func (role *Role) UnmarshalText(text []byte) error { return parse(roleNames, text, role) }

// UnmarshalText reads the contract's name.
func (kind *Kind) UnmarshalText(text []byte) error { return parse(kindNames, text, kind) }

// Request is one request, as data. The judgement is a function of it.
type Request struct {
	// ID is what the client sees in x-request-id.
	ID string
	// Conversation is the same for every turn of one conversation of one tenant.
	Conversation string
	// Dialect is the client's: openai-chat, ...
	Dialect string
	// Model is the name that the client asked for; auto leaves it open.
	Model string
	// Streamed is true when the client wants a stream.
	Streamed bool
	// Needs lists the capabilities that it needs.
	Needs []string
	// InputTokens is an estimate for the whole prompt.
	InputTokens int
	// MaxOutputTokens is the client's own limit for the answer, if it has one.
	MaxOutputTokens *int
	// LatencyWantedMS is how soon the client wants a first token, if it says so.
	LatencyWantedMS *int
	// BudgetLeft is dollars that the caller may still spend in its period, if it has a budget.
	BudgetLeft *float64
	// PreviousTarget answered this conversation's previous turn, if there is one.
	PreviousTarget *string
	// Caller is who asks; nil without the grant caller.
	Caller *Caller
	// NowMS is milliseconds since 1970-01-01T00:00Z.
	NowMS float64
	// Seed is a random number of this request, for sampling decisions.
	Seed uint32
	// Segments is every string of the request.
	Segments []Segment
	// Findings is what the detectors found, ordered by segment and start; nil without the
	// grant findings. [Request.Found] makes that an error.
	Findings *[]Finding
	// Scores has, for each classifier that the policy needs (score:NAME), the probability of
	// each NAME/LABEL, 0 to 1: the highest among the texts of users and tools.
	Scores map[string]float32
	// Targets are the places that may still answer it.
	Targets []Target
}

// Segment is one string of the request, with its place.
type Segment struct {
	// ID is unique within the request; edits and findings name it.
	ID int
	// Turn is the index of the message that it belongs to; the number of messages for what
	// stands outside them.
	Turn int
	// Role is who speaks there.
	Role Role
	// Kind is what it is for.
	Kind Kind
	// Path is its place in the client's JSON, as a JSON pointer.
	Path string
	// Tool is the tool's name, of calls and results where it is known.
	Tool *string
	// MediaType is what an attachment is declared to be.
	MediaType *string
	// Bytes is the text's length in UTF-8, also when the text is not granted.
	Bytes int
	// Readable is false when no detector could read it.
	Readable bool
	// Cached is true when the client marked it for the provider's prompt cache.
	Cached bool
	// Text is nil without the grant text, and for attachments.
	Text *string
}

// Finding is something that the host's detectors found: text[Start:End] of its segment.
type Finding struct {
	// Segment is the one that it lies in.
	Segment int
	// Start is the first byte.
	Start int
	// End is one past the last byte.
	End int
	// Entity is what it is, in capitals: EMAIL, PAYMENT_CARD, SECRET, ...
	Entity string
	// Score is how sure the detector is, 0 to 1.
	Score float32
}

// Caller is the authenticated client.
type Caller struct {
	// Tenant is whom it belongs to.
	Tenant string
	// Key is the public id of its key, never the key.
	Key string
	// Labels is what the configuration says of it.
	Labels map[string]string
}

// Target is a place that can answer this request and that nothing has ruled out so far.
type Target struct {
	// Name is what permissions and preferences name.
	Name string
	// Zone is where it is.
	Zone Zone
	// Region is the operator's word for it, or empty.
	Region string
	// Attributes are the operator's own words about it: baa = yes, retention = zero.
	Attributes map[string]string
	// Capabilities is what it can do: tools, images, json-schema, ...
	Capabilities []string
	// ContextTokens is its context size.
	ContextTokens int
	// Healthy is false while its recent calls fail.
	Healthy bool
	// InFlight counts the requests that it is answering now.
	InFlight int
	// Queued counts those that wait for it in this process.
	Queued int
	// Capacity is how many it takes at once, answering and waiting together.
	Capacity int
	// FirstTokenMS is the median time to the first token; 0 when unknown.
	FirstTokenMS int
	// P50MS is the median time of recent answers; 0 when unknown.
	P50MS int
	// P99MS is the 99th percentile of the same.
	P99MS int
	// ErrorRate is the share of recent calls that failed, 0 to 1.
	ErrorRate float32
	// InputPrice is in dollars per million tokens.
	InputPrice float64
	// OutputPrice is in dollars per million tokens.
	OutputPrice float64
}

// Found is what the detectors found. Without the grant findings nothing is known, which is
// an error.
func (request *Request) Found() ([]Finding, error) {
	if request.Findings == nil {
		return nil, errors.New("the grant `findings` is missing")
	}
	return *request.Findings, nil
}

// Segment is the one that a finding or an edit names; nil when there is none.
func (request *Request) Segment(id int) *Segment {
	if id >= 0 && id < len(request.Segments) && request.Segments[id].ID == id {
		return &request.Segments[id]
	}
	for at := range request.Segments {
		if request.Segments[at].ID == id {
			return &request.Segments[at]
		}
	}
	return nil
}

// TextOf is the text of a finding; false without the grant text.
func (request *Request) TextOf(finding Finding) (string, bool) {
	segment := request.Segment(finding.Segment)
	if segment == nil || segment.Text == nil {
		return "", false
	}
	text, err := Slice(*segment.Text, Span{finding.Start, finding.End})
	return text, err == nil
}

// CallerLabel is a label of the caller; false without it, and without the grant caller.
func (request *Request) CallerLabel(name string) (string, bool) {
	if request.Caller == nil {
		return "", false
	}
	value, known := request.Caller.Labels[name]
	return value, known
}

// IsWithin is true when the target is in the zone or a nearer one.
func (target *Target) IsWithin(zone Zone) bool { return target.Zone <= zone }

// HasRoom is true when the target is well and would take one more request at once.
func (target *Target) HasRoom() bool {
	return target.Healthy && target.InFlight+target.Queued < target.Capacity
}
