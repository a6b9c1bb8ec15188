//go:build wasip1

package response

// What exports it.
import _ "github.com/ringfence/ringfence/sdk/go/internal/bindings/exports/wit_response"
