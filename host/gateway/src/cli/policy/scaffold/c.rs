//! What a project in C is made of.

use super::File;

macro_rules! sdk {
    ($path:literal) => {
        (
            concat!("vendor/ringfence/", $path),
            include_str!(concat!("../../../../../../sdk/c/src/", $path)),
        )
    };
}

macro_rules! template {
    ($path:literal) => {
        ($path, include_str!(concat!("../../../../../../sdk/c/template/", $path)))
    };
}

/// The template, but for what is named otherwise, and the SDK with its bindings.
pub(super) const FILES: &[File] = &[
    template!("policy.toml"),
    template!("policy.c"),
    template!("cases.json"),
    template!("test.sh"),
    template!("requirements.txt"),
    (".gitignore", include_str!("../../../../../../sdk/c/template/gitignore")),
    ("vendor/ringfence/README.md", include_str!("../../../../../../sdk/c/README.md")),
    sdk!("ringfence.h"),
    sdk!("ringfence.c"),
    sdk!("cases.h"),
    sdk!("cases.c"),
    sdk!("asked.c"),
    sdk!("bindings/made.h"),
    sdk!("bindings/made.c"),
    sdk!("vendor/cJSON.h"),
    sdk!("vendor/cJSON.c"),
    sdk!("vendor/LICENSE"),
];
