//! Guests written by hand: core modules in text form, made into components with the
//! contract's own WIT. What a compiler would not write can be written here. The sandbox's own
//! tests and those through the binary read this file.

use std::path::{Path, PathBuf};

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// A declaration of the codes `ok` and `no`, of the label `seen`, and of no needs; then
/// the pieces that judgements are made of.
///
/// Layout: 16.. the declaration's result; 100.. its lists; 400.. a judgement's result,
/// all zero: `any`, nothing else; 500.. strings; 600.. edits.
const DATA: &str = r#"
    (data (i32.const 16) "\00\00\00\00" "\64\00\00\00\02\00\00\00" "\74\00\00\00\01\00\00\00" "\00\00\00\00\00\00\00\00")
    (data (i32.const 100) "\f4\01\00\00\02\00\00\00" "\f8\01\00\00\02\00\00\00")
    (data (i32.const 116) "\fc\01\00\00\04\00\00\00")
    (data (i32.const 500) "ok\00\00no\00\00seenEMAILvery-secret-text")
    (global $next (mut i32) (i32.const 4096))
    (func $realloc (export "cabi_realloc") (param $old i32) (param $was i32) (param $align i32) (param $size i32) (result i32)
        (local $at i32)
        REALLOC
        (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
        (global.set $next (i32.add (local.get $at) (local.get $size)))
        (block $fits
            (br_if $fits (i32.le_u (global.get $next) (i32.mul (memory.size) (i32.const 65536))))
            (drop (memory.grow (i32.add (i32.div_u (local.get $size) (i32.const 65536)) (i32.const 1)))))
        (local.get $at))
"#;

/// Where the judgement's result stands.
pub const RESULT: u32 = 400;

/// What a guest does, in WebAssembly text.
#[derive(Clone)]
pub struct Guest {
    /// The world it is built for.
    pub world: &'static str,
    /// Imports and other fields of the module.
    pub fields: String,
    /// Body of `configure(config: i32, bytes: i32) -> i32`.
    pub configure: String,
    /// Body of `judge(request: i32) -> i32`.
    pub judge: String,
    /// What the guest's allocator does before it allocates.
    pub realloc: &'static str,
    /// Pages of memory that it starts with.
    pub pages: u32,
    /// WIT that stands in the place of the contract, for guests of other versions.
    pub wit: Option<String>,
}

impl Default for Guest {
    fn default() -> Guest {
        Guest {
            world: "policy",
            fields: String::new(),
            configure: "(i32.const 16)".to_owned(),
            judge: format!("(i32.const {RESULT})"),
            realloc: "",
            pages: 2,
            wit: None,
        }
    }
}

impl Guest {
    /// A guest with this body of `judge`.
    pub fn judging(judge: &str) -> Guest {
        Guest { judge: judge.to_owned(), ..Guest::default() }
    }

    /// A guest with this body of `configure`.
    pub fn configuring(configure: &str) -> Guest {
        Guest { configure: configure.to_owned(), ..Guest::default() }
    }

    /// More fields of the module.
    pub fn with(mut self, fields: &str) -> Guest {
        self.fields.push_str(fields);
        self
    }

    /// The component.
    pub fn build(&self) -> Vec<u8> {
        let version = self.version();
        let text = format!(
            r#"(module {fields} (memory (export "memory") {pages}) {data}
                (func (export "ringfence:policy/judge@{version}#configure") (param $config i32) (param $bytes i32) (result i32) {configure})
                (func (export "ringfence:policy/judge@{version}#judge") (param $request i32) (result i32) {judge}))"#,
            fields = self.fields,
            pages = self.pages,
            data = DATA.replace("REALLOC", self.realloc),
            configure = self.configure,
            judge = self.judge,
        );
        let mut module = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let mut resolve = Resolve::default();
        let package = match &self.wit {
            Some(wit) => resolve.push_str("other.wit", wit).unwrap(),
            None => {
                let (package, _) = resolve.push_path(contract()).unwrap();
                resolve.push_str("guest.wit", WORLDS).unwrap();
                package
            }
        };
        let packages: Vec<_> = resolve.packages.iter().map(|(id, _)| id).collect();
        let named = packages.iter().find_map(|id| resolve.packages[*id].worlds.get(self.world));
        let world = *named.unwrap_or_else(|| panic!("no world {} in {package:?}", self.world));
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
        let mut encoder = ComponentEncoder::default().module(&module).unwrap().validate(true);
        encoder.encode().unwrap()
    }

    fn version(&self) -> &str {
        let Some(wit) = &self.wit else { return "0.1.0" };
        let rest = wit.split("package ringfence:policy@").nth(1).unwrap_or("0.1.0;");
        rest.split(';').next().unwrap_or("0.1.0")
    }
}

/// A section of about so many bytes behind a component: a module of functions that nobody
/// calls and everybody compiles.
#[allow(dead_code)]
pub fn ballast(bytes: usize) -> Vec<u8> {
    /// Additions and multiplications of one function.
    const STEPS: usize = 600;
    let mut body = vec![0, 0x20, 0];
    for step in 0..STEPS {
        // What is multiplied by differs, so that nothing is folded.
        body.extend([0x41]);
        push(&mut body, 64 + step);
        body.extend([0x6c, 0x20, 0, 0x6a]);
    }
    body.push(0x0b);
    let mut function = Vec::new();
    push(&mut function, body.len());
    function.extend(body);
    let count = bytes / function.len();
    let counted = |each: &[u8]| {
        let mut section = Vec::with_capacity(bytes + 8);
        push(&mut section, count);
        for _ in 0..count {
            section.extend_from_slice(each);
        }
        section
    };
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    for (id, content) in
        [(1, vec![1, 0x60, 1, 0x7f, 1, 0x7f]), (3, counted(&[0])), (10, counted(&function))]
    {
        module.push(id);
        push(&mut module, content.len());
        module.extend(content);
    }
    let mut section = vec![1];
    push(&mut section, module.len());
    section.extend(module);
    section
}

/// A number in the format's variable length. The sign bit of the last byte is left empty, so
/// that it is the same with a sign.
fn push(out: &mut Vec<u8>, mut number: usize) {
    while number >= 0x40 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// The folder of the contract, which stands at the root of the repository.
fn contract() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().find(|folder| folder.join("wit/policy.wit").exists());
    root.unwrap_or(here).join("wit")
}

/// Worlds that policies with imports are built for.
const WORLDS: &str = "
    package guest:worlds;
    package wasi:io@0.2.6 {
        interface poll { resource pollable { block: func(); } }
        interface error { resource error; }
        interface streams {
            use error.{error};
            variant stream-error { last-operation-failed(error), closed }
            resource output-stream {
                blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
            }
        }
    }
    package wasi:cli@0.2.6 {
        interface stdout {
            use wasi:io/streams@0.2.6.{output-stream};
            get-stdout: func() -> output-stream;
        }
    }
    package wasi:sockets@0.2.6 {
        interface instance-network { resource network; instance-network: func() -> network; }
    }
    package wasi:clocks@0.2.6 {
        interface monotonic-clock {
            use wasi:io/poll@0.2.6.{pollable};
            subscribe-duration: func(when: u64) -> pollable;
        }
    }
    world logging { import ringfence:policy/log@0.1.0; export ringfence:policy/judge@0.1.0; }
    world counting { import ringfence:policy/state@0.1.0; export ringfence:policy/judge@0.1.0; }
    world both {
        import ringfence:policy/log@0.1.0;
        import ringfence:policy/state@0.1.0;
        export ringfence:policy/judge@0.1.0;
    }
    interface strange { strange: func(); }
    world strangers {
        import strange;
        import ringfence:policy/log@0.1.0;
        import ringfence:policy/state@0.1.0;
        import bare: func();
        export ringfence:policy/judge@0.1.0;
    }
    world sleeping {
        import wasi:clocks/monotonic-clock@0.2.6;
        export ringfence:policy/judge@0.1.0;
    }
    world printing { import wasi:cli/stdout@0.2.6; export ringfence:policy/judge@0.1.0; }
    world sockets {
        import wasi:sockets/instance-network@0.2.6;
        export ringfence:policy/judge@0.1.0;
    }
    world stranger { import strange; export ringfence:policy/judge@0.1.0; }
    world more { export ringfence:policy/judge@0.1.0; export strange; export init: func(); }
";
