package ringfence

import (
	"fmt"
	"strings"
)

// named is the name of a value; it has none when it is no value of the contract.
func named(names []string, value uint8) string {
	if int(value) < len(names) {
		return names[value]
	}
	return fmt.Sprintf("unknown(%d)", value)
}

// parse finds the value of a name.
func parse[T ~uint8](names []string, text []byte, value *T) error {
	for at, name := range names {
		if name == string(text) {
			*value = T(at)
			return nil
		}
	}
	return fmt.Errorf("%q is none of %s", text, strings.Join(names, ", "))
}
