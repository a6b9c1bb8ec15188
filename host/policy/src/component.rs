//! What authors' toolchains leave to do: a component of a core module, and sections that
//! say what is in it.

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
    wit_component::ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| LoadError::Damaged(escape(&format!("{error:#}"), MESSAGE_BYTES)))
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
    }
}
