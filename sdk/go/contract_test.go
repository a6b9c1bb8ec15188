package ringfence

import (
	"reflect"
	"strings"
	"testing"

	answers "github.com/ringfence/ringfence/sdk/go/internal/bindings/imports/ringfence_policy_response"
	contract "github.com/ringfence/ringfence/sdk/go/internal/bindings/imports/ringfence_policy_types"
)

// Every record has the fields of the contract's, in its order, and every enum its values.
func TestTypesAreThoseOfTheContract(t *testing.T) {
	for _, pair := range [][2]any{
		{Request{}, contract.Request{}}, {Segment{}, contract.Segment{}},
		{Finding{}, contract.Finding{}}, {Caller{}, contract.Caller{}},
		{Target{}, contract.Target{}}, {Declaration{}, contract.Declaration{}},
		{Edit{}, contract.Edit{}}, {Judgement{}, contract.Judgement{}},
		{Window{}, answers.Window{}}, {Cut{}, answers.Cut{}},
	} {
		ours, theirs := reflect.TypeOf(pair[0]), reflect.TypeOf(pair[1])
		if ours.NumField() != theirs.NumField() {
			t.Errorf("%v has %d fields, %v has %d", ours, ours.NumField(), theirs, theirs.NumField())
			continue
		}
		for at := range ours.NumField() {
			if !strings.EqualFold(ours.Field(at).Name, theirs.Field(at).Name) {
				t.Errorf("%v.%s is %s in the contract", ours, ours.Field(at).Name, theirs.Field(at).Name)
			}
		}
	}
	for name, value := range map[string][2]uint8{
		"process":    {uint8(Process), contract.Zone_Process},
		"cloud":      {uint8(Cloud), contract.Zone_Cloud},
		"tool":       {uint8(RoleTool), contract.Role_Tool},
		"metadata":   {uint8(KindMetadata), contract.Kind_Metadata},
		"attachment": {uint8(KindAttachment), contract.Kind_Attachment},
	} {
		if value[0] != value[1] {
			t.Errorf("%s is %d, and %d in the contract", name, value[0], value[1])
		}
	}
}
