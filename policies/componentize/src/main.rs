//! `componentize IN.wasm OUT.wasm VERSION`: makes a component of a core module that
//! wit-bindgen wrote its contract into, and notes the version of the policy in it.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, input, output, version] = arguments.as_slice() else {
        eprintln!("usage: componentize IN.wasm OUT.wasm VERSION");
        return ExitCode::from(2);
    };
    match componentize(input, output, version) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("componentize: {input}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn componentize(input: &str, output: &str, version: &str) -> Result<(), String> {
    let module = std::fs::read(input).map_err(|error| error.to_string())?;
    let mut component = wit_component::ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .and_then(|encoder| encoder.encode())
        .map_err(|error| format!("{error:#}"))?;
    let section =
        wasm_encoder::CustomSection { name: "version".into(), data: version.as_bytes().into() };
    // A section is its number, its length and its content, in a component as in a module.
    component.push(wasm_encoder::ComponentSectionId::CoreCustom as u8);
    wasm_encoder::Encode::encode(&section, &mut component);
    std::fs::write(output, component).map_err(|error| error.to_string())
}
