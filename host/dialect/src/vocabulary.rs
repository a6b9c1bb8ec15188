//! Closed vocabularies: words that a format defines, and that therefore say nothing
//! about anybody. A string that is on the list of its place is no segment.

/// Words that JSON Schema defines as names of members.
pub(crate) const SCHEMA_KEYS: &[&str] = &[
    "$defs",
    "$id",
    "$ref",
    "$schema",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "contains",
    "default",
    "definitions",
    "deprecated",
    "description",
    "else",
    "enum",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "if",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "nullable",
    "oneOf",
    "pattern",
    "patternProperties",
    "prefixItems",
    "properties",
    "propertyNames",
    "readOnly",
    "required",
    "strict",
    "then",
    "title",
    "type",
    "uniqueItems",
    "writeOnly",
];

/// Words that JSON Schema defines as values of `type`.
pub(crate) const SCHEMA_TYPES: &[&str] =
    &["array", "boolean", "integer", "null", "number", "object", "string"];

/// True when `word` is on `list`.
pub(crate) fn is_word(list: &[&str], word: &str) -> bool {
    list.contains(&word)
}
