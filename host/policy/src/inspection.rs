//! What a file is, told before anything is compiled.

use ringfence_fence::Digest;
use wasmparser::{
    BinaryReaderError, FunctionBody, Operator, Parser, Payload, ProducersSectionReader, TypeRef,
};
use wit_component::DecodedWasm;

use crate::contract::{PACKAGE, VERSION};
use crate::load::LoadError;
use crate::log::escape;

/// Bytes of one function. Compiling takes time and memory that grow faster than this.
pub(crate) const FUNCTION_BYTES: usize = 512 << 10;
/// Local variables of one function times its loops: each loop's head may join them all.
pub(crate) const LOCALS_IN_LOOPS: u64 = 250_000;
/// Local variables of one function times its branches, for the same reason.
pub(crate) const LOCALS_IN_BRANCHES: u64 = 20_000_000;
/// Functions of the whole file.
pub(crate) const FUNCTIONS: u32 = 200_000;
/// Types of the whole file.
pub(crate) const TYPES: u32 = 100_000;
/// Modules and components of the whole file.
pub(crate) const PARTS: u32 = 1_000;
/// Memories of one module. The runtime would take more, for the code that it makes itself
/// between components.
pub(crate) const MEMORIES_OF_A_MODULE: u32 = 1;
/// Names in each list of an inspection.
const NAMES: usize = 1_000;
/// Bytes of each name in an inspection.
const NAME_BYTES: usize = 256;

/// What a policy file says about itself. Names are escaped and capped: they come from
/// the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Digest of the file.
    pub digest: Digest,
    /// Its size in bytes.
    pub bytes: usize,
    /// The version of the contract that its `judge` was built for; absent when it
    /// exports none.
    pub contract: Option<String>,
    /// Whether this host serves that version.
    pub served: bool,
    /// Whether it inspects answers: it exports `response`.
    pub inspects: bool,
    /// What it exports, in order.
    pub exports: Vec<String>,
    /// What it imports, in order.
    pub imports: Vec<String>,
    /// Its own version: the custom section `version` of the component.
    pub version: Option<String>,
    /// Languages that it was written in, as its toolchains noted.
    pub languages: Vec<String>,
}

impl Inspection {
    /// Looks at a file without compiling or running it.
    ///
    /// # Errors
    /// [`LoadError::NotComponent`], [`LoadError::Damaged`], [`LoadError::TooComplex`].
    pub(crate) fn of(bytes: &[u8]) -> Result<Inspection, LoadError> {
        if !bytes.starts_with(b"\0asm") {
            return Err(LoadError::NotComponent(foreign(bytes)));
        }
        if Parser::is_core_wasm(bytes) {
            return Err(LoadError::NotComponent(
                "it is a core module: make a component of it first, for example with \
                 `wasm-tools component new`",
            ));
        }
        if !Parser::is_component(bytes) {
            return Err(LoadError::NotComponent("its header is of no known kind"));
        }
        let notes = Notes::of(bytes)?;
        let decoded = wit_component::decode(bytes)
            .map_err(|error| LoadError::Damaged(escape(&format!("{error:#}"), NAME_BYTES)))?;
        let DecodedWasm::Component(resolve, world) = decoded else {
            return Err(LoadError::NotComponent("it is a WIT package without code"));
        };
        let world = &resolve.worlds[world];
        let names = |count: usize| count <= NAMES;
        if !names(world.exports.len()) || !names(world.imports.len()) {
            return Err(LoadError::TooComplex("imports and exports"));
        }
        let name = |key| escape(&resolve.name_world_key(key), NAME_BYTES);
        let exports: Vec<String> = world.exports.keys().map(name).collect();
        let contract = exports.iter().find_map(|name| contract_version(name, "judge"));
        Ok(Inspection {
            digest: Digest::of(bytes),
            bytes: bytes.len(),
            served: contract.as_deref().is_some_and(serves),
            inspects: exports.iter().any(|name| contract_version(name, "response").is_some()),
            contract,
            exports,
            imports: world.imports.keys().map(name).collect(),
            version: notes.version,
            languages: notes.languages,
        })
    }
}

/// What a file is that is no WebAssembly, as far as its beginning tells, and what to do.
fn foreign(bytes: &[u8]) -> &'static str {
    let begins = |with: &[&[u8]]| with.iter().any(|magic| bytes.starts_with(magic));
    if bytes.is_empty() {
        return "the file is empty";
    }
    if begins(&[b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"BZh", b"\xfd7zXZ"]) {
        return "it is compressed: unpack it first";
    }
    if begins(&[b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe"]) {
        return "it is a program for a machine: build it for WebAssembly, for example with \
                `ringfence policy build`";
    }
    if begins(&[b"(component", b"(module"]) {
        return "it is WebAssembly as text: make it binary first, for example with \
                `wasm-tools parse`";
    }
    if begins(&[b"version https://git-lfs"]) {
        return "it is a pointer of Git LFS: fetch the file that it stands for";
    }
    "it is no WebAssembly file"
}

/// The version of our interface `interface` that `name` names, if it does: `0.1.0` for
/// `ringfence:policy/judge@0.1.0`; empty when it names none.
pub(crate) fn contract_version(name: &str, interface: &str) -> Option<String> {
    let rest = name.strip_prefix(PACKAGE)?.strip_prefix('/')?.strip_prefix(interface)?;
    match rest.strip_prefix('@') {
        Some(version) => Some(version.to_owned()),
        None => rest.is_empty().then(String::new),
    }
}

/// Whether this host serves a version of the contract: the same minor version, whatever
/// the patch.
pub(crate) fn serves(version: &str) -> bool {
    let minor = |version: &str| {
        let (minor, patch) = version.rsplit_once('.')?;
        patch.parse::<u32>().ok()?;
        Some(minor.to_owned())
    };
    minor(version).is_some() && minor(version) == minor(VERSION)
}

/// What a walk over the sections tells, counts included.
#[derive(Default)]
struct Notes {
    version: Option<String>,
    languages: Vec<String>,
    functions: u32,
    types: u32,
    parts: u32,
    /// Memories of the module that is walked.
    memories: u32,
}

impl Notes {
    fn of(bytes: &[u8]) -> Result<Notes, LoadError> {
        let mut notes = Notes::default();
        let mut depth = 0_u32;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.map_err(damaged)? {
                Payload::Version { .. } => {
                    depth += 1;
                    notes.parts += 1;
                    notes.memories = 0;
                }
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::FunctionSection(section) => {
                    notes.functions = notes.functions.saturating_add(section.count());
                }
                Payload::TypeSection(section) => {
                    notes.types = notes.types.saturating_add(section.count());
                }
                Payload::ComponentTypeSection(section) => {
                    notes.types = notes.types.saturating_add(section.count());
                }
                Payload::MemorySection(section) => {
                    notes.memories = notes.memories.saturating_add(section.count());
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let memory = matches!(import.map_err(damaged)?.ty, TypeRef::Memory(_));
                        notes.memories += u32::from(memory);
                    }
                }
                Payload::CodeSectionEntry(body) => check_function(&body)?,
                Payload::CustomSection(section) if section.name() == "version" && depth == 1 => {
                    let version = String::from_utf8_lossy(section.data());
                    notes.version = Some(escape(&version, 64)).filter(|text| !text.is_empty());
                }
                Payload::CustomSection(section) if section.name() == "producers" => {
                    notes.read_producers(section.data(), section.data_offset());
                }
                _ => {}
            }
            if notes.functions > FUNCTIONS {
                return Err(LoadError::TooComplex("functions"));
            }
            if notes.types > TYPES {
                return Err(LoadError::TooComplex("types"));
            }
            if notes.memories > MEMORIES_OF_A_MODULE {
                return Err(LoadError::TooComplex("memories of one module"));
            }
            if notes.parts > PARTS {
                return Err(LoadError::TooComplex("modules"));
            }
        }
        notes.languages.sort_unstable();
        notes.languages.dedup();
        Ok(notes)
    }

    /// Notes are for people: what cannot be read is left out.
    fn read_producers(&mut self, data: &[u8], offset: usize) {
        let reader = wasmparser::BinaryReader::new(data, offset);
        let Ok(producers) = ProducersSectionReader::new(reader) else { return };
        for field in producers.into_iter().flatten() {
            if field.name != "language" || self.languages.len() > NAMES {
                continue;
            }
            self.languages
                .extend(field.values.into_iter().flatten().map(|value| escape(value.name, 64)));
        }
    }
}

/// Refuses a function that would take the compiler long or much memory: it puts every
/// variable into form at every place where control flow joins.
fn check_function(body: &FunctionBody<'_>) -> Result<(), LoadError> {
    if body.range().len() > FUNCTION_BYTES {
        return Err(LoadError::TooComplex("a single function"));
    }
    let mut locals = 0_u64;
    for local in body.get_locals_reader().map_err(damaged)? {
        let (count, _) = local.map_err(damaged)?;
        locals += u64::from(count);
    }
    let (mut loops, mut branches) = (0_u64, 0_u64);
    let mut operators = body.get_operators_reader().map_err(damaged)?;
    while !operators.eof() {
        match operators.read().map_err(damaged)? {
            Operator::Loop { .. } => loops += 1,
            Operator::If { .. } | Operator::Else | Operator::Block { .. } => branches += 1,
            Operator::BrTable { targets } => branches += u64::from(targets.len()),
            _ => {}
        }
    }
    if locals * loops > LOCALS_IN_LOOPS || locals * (branches + loops) > LOCALS_IN_BRANCHES {
        return Err(LoadError::TooComplex("local variables of a function"));
    }
    Ok(())
}

fn damaged(error: BinaryReaderError) -> LoadError {
    LoadError::Damaged(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_our_interface_are_told() {
        for (name, version) in [
            ("ringfence:policy/judge@0.1.0", Some("0.1.0")),
            ("ringfence:policy/judge@2.0.0-rc.1", Some("2.0.0-rc.1")),
            ("ringfence:policy/judge", Some("")),
            ("ringfence:policy/judges@0.1.0", None),
            ("other:policy/judge@0.1.0", None),
            ("judge", None),
        ] {
            assert_eq!(contract_version(name, "judge").as_deref(), version, "{name}");
        }
    }

    #[test]
    fn a_module_has_one_memory() {
        for count in [MEMORIES_OF_A_MODULE as u8, MEMORIES_OF_A_MODULE as u8 + 1] {
            let memories = [0, 1].repeat(count.into());
            let mut module = b"\0asm\x01\0\0\0\x05".to_vec();
            module.extend([memories.len() as u8 + 1, count]);
            module.extend(memories);
            let mut component = b"\0asm\x0d\0\x01\0\x01".to_vec();
            component.push(module.len() as u8);
            component.extend(module);
            let refused = Inspection::of(&component).err();
            let expected = LoadError::TooComplex("memories of one module");
            assert_eq!(refused == Some(expected), count > 1, "{count}: {refused:?}");
        }
    }

    #[test]
    fn only_our_minor_version_is_served() {
        for version in ["0.1.0", "0.1.7"] {
            assert!(serves(version), "{version}");
        }
        for version in ["", "0", "0.2.0", "1.1.0", "0.1", "0.1.x", "0.1.0-rc.1", "0.10.0"] {
            assert!(!serves(version), "{version}");
        }
    }
}
