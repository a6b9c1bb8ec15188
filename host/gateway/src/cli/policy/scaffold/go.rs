//! What a project in Go is made of.

use super::File;

macro_rules! sdk {
    ($path:literal) => {
        (concat!("sdk/", $path), include_str!(concat!("../../../../../../sdk/go/", $path)))
    };
}

macro_rules! template {
    ($path:literal) => {
        ($path, include_str!(concat!("../../../../../../sdk/go/template/", $path)))
    };
}

/// The template, but for what is named otherwise, and the SDK with its bindings: a folder
/// `vendor` would be Go's own.
pub(super) const FILES: &[File] = &[
    template!("go.mod"),
    template!("VERSION"),
    template!("policy.go"),
    template!("policy_test.go"),
    template!("cases.json"),
    (".gitignore", include_str!("../../../../../../sdk/go/template/gitignore")),
    sdk!("README.md"),
    sdk!("cases/asked.go"),
    sdk!("cases/cases.go"),
    sdk!("cases/said.go"),
    sdk!("component.go"),
    sdk!("convert.go"),
    sdk!("go.mod"),
    sdk!("grants.go"),
    sdk!("internal/bindings/lock.toml"),
    sdk!("internal/bindings/exports/export_ringfence_policy_judge/judge.go"),
    sdk!("internal/bindings/exports/export_ringfence_policy_response/response.go"),
    sdk!("internal/bindings/exports/wit_exports/wit_exports.go"),
    sdk!("internal/bindings/exports/wit_response/wit_response.go"),
    sdk!("internal/bindings/imports/ringfence_policy_judge/empty.s"),
    sdk!("internal/bindings/imports/ringfence_policy_judge/wit_bindings.go"),
    sdk!("internal/bindings/imports/ringfence_policy_log/empty.s"),
    sdk!("internal/bindings/imports/ringfence_policy_log/wit_bindings.go"),
    sdk!("internal/bindings/imports/ringfence_policy_model/empty.s"),
    sdk!("internal/bindings/imports/ringfence_policy_model/wit_bindings.go"),
    sdk!("internal/bindings/imports/ringfence_policy_response/empty.s"),
    sdk!("internal/bindings/imports/ringfence_policy_response/wit_bindings.go"),
    sdk!("internal/bindings/imports/ringfence_policy_state/empty.s"),
    sdk!("internal/bindings/imports/ringfence_policy_state/wit_bindings.go"),
    sdk!("internal/bindings/imports/ringfence_policy_types/empty.s"),
    sdk!("internal/bindings/imports/ringfence_policy_types/wit_bindings.go"),
    sdk!("internal/bindings/wit/LICENSE"),
    sdk!("internal/bindings/wit/runtime/empty.s"),
    sdk!("internal/bindings/wit/runtime/runtime.go"),
    sdk!("internal/bindings/wit/types/option.go"),
    sdk!("internal/bindings/wit/types/result.go"),
    sdk!("internal/bindings/wit/types/tuple.go"),
    sdk!("internal/bindings/wit/types/unit.go"),
    sdk!("internal/collector/collector.go"),
    sdk!("internal/host/component.go"),
    sdk!("internal/host/host.go"),
    sdk!("internal/host/native.go"),
    sdk!("internal/registry/registry.go"),
    sdk!("judgement.go"),
    sdk!("model.go"),
    sdk!("names.go"),
    sdk!("request.go"),
    sdk!("response.go"),
    sdk!("response/component.go"),
    sdk!("response/response.go"),
    sdk!("ringfence.go"),
    sdk!("spans.go"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::FILES;

    /// Every file below `folder` that an SDK is published with.
    fn published(folder: &Path, into: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).expect("the SDK") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && !path.ends_with("template") {
                published(&path, into);
            } else if path.is_file() && !path.to_string_lossy().ends_with("_test.go") {
                into.insert(path.display().to_string());
            }
        }
    }

    #[test]
    fn a_project_has_the_whole_sdk() {
        let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/go");
        let mut expected = BTreeSet::new();
        published(&sdk, &mut expected);
        let made = FILES.iter().filter_map(|(path, _)| path.strip_prefix("sdk/"));
        let made: BTreeSet<String> =
            made.map(|path| sdk.join(path).display().to_string()).collect();
        assert_eq!(made, expected);
    }
}
