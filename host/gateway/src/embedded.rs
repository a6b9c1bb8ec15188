//! The policies that ship in the binary.

/// Name and component of every embedded policy.
pub const POLICIES: [(&str, &[u8]); 6] = [
    ("redact-pii", include_bytes!("../../../policies/dist/redact-pii.wasm")),
    ("redact-secrets", include_bytes!("../../../policies/dist/redact-secrets.wasm")),
    ("redact-answers", include_bytes!("../../../policies/dist/redact-answers.wasm")),
    ("keep-sensitive-local", include_bytes!("../../../policies/dist/keep-sensitive-local.wasm")),
    ("spill-to-cloud", include_bytes!("../../../policies/dist/spill-to-cloud.wasm")),
    ("quality-first", include_bytes!("../../../policies/dist/quality-first.wasm")),
];

/// The component of that name.
pub fn policy(name: &str) -> Option<&'static [u8]> {
    POLICIES.iter().find(|(known, _)| *known == name).map(|(_, bytes)| *bytes)
}
