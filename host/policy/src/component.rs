//! What authors' toolchains leave to do: a component of a core module, and sections that
//! say what is in it.

use std::fmt::Display;

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wasmparser::{Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::{Resolve, WorldId};

use crate::contract::PACKAGE;
use crate::load::LoadError;
use crate::log::escape;

/// Bytes of a message of the encoder.
const MESSAGE_BYTES: usize = 1024;
/// The number of a custom section, in a component as in a module.
const CUSTOM: u8 = 0;

/// Makes a component of a core module into which wit-bindgen wrote its contract.
///
/// # Errors
/// [`LoadError::Damaged`]: it is no such module.
pub fn component_of(module: &[u8]) -> Result<Vec<u8>, LoadError> {
    ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|mut encoder| encoder.encode())
        .map_err(damaged)
}

/// Makes a component of a core module for the older system interface (wasip1) into which
/// nobody wrote the contract, given as WIT. Of the interfaces that are granted it imports
/// those that the module calls, and it exports `response` if the module does.
///
/// # Errors
/// [`LoadError::Damaged`]: it is no such module, or that is not the contract.
pub fn component_of_wasi(module: &[u8], contract: &str) -> Result<Vec<u8>, LoadError> {
    let (resolve, world) = world(contract, &exports(module)?)?;
    let mut module = module.to_vec();
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .and_then(|()| ComponentEncoder::default().validate(true).module(&module))
        .and_then(|encoder| {
            let (name, bytes) =
                (WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER);
            encoder.adapter(name, bytes)
        })
        .and_then(|mut encoder| encoder.encode())
        .map_err(damaged)
}

/// Interfaces that a policy exports; one that has functions and is not among them is what a
/// policy can be granted.
const EXPORTED: [&str; 2] = ["judge", "response"];

/// The contract, and the world of a module with these exports.
fn world(contract: &str, exports: &[String]) -> Result<(Resolve, WorldId), LoadError> {
    let mut resolve = Resolve::default();
    let package = resolve.push_source("contract", contract).map_err(damaged)?;
    let package = &resolve.packages[package];
    let mut text = "package ringfence:made;\nworld made {\n".to_owned();
    for (name, id) in &package.interfaces {
        let of = package.name.interface_id(name);
        let spoken = format!("{of}#");
        let way = match EXPORTED.contains(&name.as_str()) {
            true if exports.iter().any(|export| export.starts_with(&spoken)) => "export",
            false if !resolve.interfaces[*id].functions.is_empty() => "import",
            _ => continue,
        };
        text += &format!("{way} {of};\n");
    }
    if !text.contains("\nexport ") {
        return Err(damaged("it exports nothing of this contract"));
    }
    text += "}\n";
    let made = resolve.push_source("made", &text).map_err(damaged)?;
    let world = resolve.select_world(&[made], Some("made")).map_err(damaged)?;
    Ok((resolve, world))
}

/// The names of our interfaces' functions that a core module exports.
fn exports(module: &[u8]) -> Result<Vec<String>, LoadError> {
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        let Payload::ExportSection(section) = payload.map_err(damaged)? else { continue };
        for export in section {
            let name = export.map_err(damaged)?.name;
            if name.starts_with(PACKAGE) {
                names.push(name.to_owned());
            }
        }
    }
    Ok(names)
}

fn damaged(error: impl Display) -> LoadError {
    LoadError::Damaged(escape(&format!("{error:#}"), MESSAGE_BYTES))
}

/// Adds a custom section to the end of a component: `version`, or
/// [`crate::CASES_SECTION`].
pub fn add_section(component: &mut Vec<u8>, name: &str, data: &[u8]) {
    let mut section = Vec::with_capacity(name.len() + data.len() + 5);
    push_number(&mut section, name.len());
    section.extend_from_slice(name.as_bytes());
    section.extend_from_slice(data);
    component.push(CUSTOM);
    push_number(component, section.len());
    component.extend_from_slice(&section);
}

/// A number in the format's variable length: seven bits a byte, the lowest first.
fn push_number(out: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CASES_SECTION, Cases};

    const CONTRACT: &str = include_str!("../../../wit/policy.wit");
    const NAMES: &str = "ringfence:policy/judge@0.1.0";

    /// A module for wasip1 with `judge`, and what is asked for besides.
    fn module(imports: &str, exports: &str) -> Vec<u8> {
        wat::parse_str(format!(
            r#"(module
                (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
                {imports}
                (memory (export "memory") 1)
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
                (func (export "{NAMES}#configure") (param i32 i32) (result i32) unreachable)
                (func (export "{NAMES}#judge") (param i32) (result i32) unreachable)
                {exports})"#
        ))
        .unwrap()
    }

    #[test]
    fn a_component_imports_what_its_module_calls_and_no_grant_besides() {
        let log = r#"(import "ringfence:policy/log@0.1.0" "write" (func (param i32 i32 i32)))"#;
        let inspect = r#"(func (export "ringfence:policy/response@0.1.0#inspect")
            (param i32) (result i32) unreachable)"#;
        for (imports, exports, grants, inspects) in
            [("", "", 0, false), (log, "", 1, false), ("", inspect, 0, true)]
        {
            let component = component_of_wasi(&module(imports, exports), CONTRACT).unwrap();
            let seen = crate::inspect(&component).unwrap();
            let ours = seen.imports.iter().filter(|name| name.starts_with(PACKAGE));
            let ours: Vec<&String> = ours.filter(|name| !name.contains("/types@")).collect();
            assert_eq!(ours.len(), grants, "{ours:?}");
            assert!(seen.served && seen.inspects == inspects, "{seen:?}");
            assert!(seen.imports.iter().any(|name| name.starts_with("wasi:cli/exit@")), "{seen:?}");
        }
    }

    #[test]
    fn a_module_that_does_not_speak_the_contract_is_told() {
        let other = module(r#"(import "elsewhere" "f" (func))"#, "");
        for (module, contract) in
            [(&other, CONTRACT), (&module("", ""), "package x:y;"), (&module("", ""), "what?")]
        {
            let refused = component_of_wasi(module, contract);
            assert!(matches!(refused, Err(LoadError::Damaged(_))), "{refused:?}");
        }
    }

    #[test]
    fn sections_are_read_as_they_were_written() {
        let empty = b"\0asm\x0d\0\x01\0";
        for bytes in [0, 1, 127, 128, 20_000] {
            let data = vec![b'x'; bytes];
            let mut component = empty.to_vec();
            add_section(&mut component, "version", b"1.2.3");
            add_section(&mut component, CASES_SECTION, &data);
            assert_eq!(Cases::carried(&component), Some(&*data), "{bytes}");
            let inspection = crate::inspect(&component);
            assert!(inspection.is_ok_and(|seen| seen.version.as_deref() == Some("1.2.3")));
        }
    }

    #[test]
    fn what_is_no_module_is_told() {
        assert!(matches!(component_of(b"\0asm"), Err(LoadError::Damaged(_))));
        assert!(matches!(component_of_wasi(b"\0asm", CONTRACT), Err(LoadError::Damaged(_))));
    }
}
