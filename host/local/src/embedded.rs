//! The trial model in the binary: a small checkpoint that was trained on questions and
//! answers about Ringfence itself. `embedded/` holds it with the program that made it.

/// Its files, in the layout that a model folder has.
const FILES: [(&str, &[u8]); 5] = [
    ("config.json", include_bytes!("../embedded/config.json")),
    ("generation_config.json", include_bytes!("../embedded/generation_config.json")),
    ("model.safetensors", include_bytes!("../embedded/model.safetensors")),
    ("tokenizer.json", include_bytes!("../embedded/tokenizer.json")),
    ("tokenizer_config.json", include_bytes!("../embedded/tokenizer_config.json")),
];

/// The bytes of one of its files, or nothing when it has none of that name.
pub(crate) fn file(name: &str) -> Option<&'static [u8]> {
    FILES.iter().find(|(known, _)| *known == name).map(|(_, bytes)| *bytes)
}
