#[path = "../tests/sandbox/guest.rs"]
mod guest;
use guest::Guest;
use ringfence_policy::*;
fn rss() -> u64 {
    std::fs::read_to_string("/proc/self/status")
        .unwrap()
        .lines()
        .find(|l| l.starts_with("VmHWM"))
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        / 1024
}
fn main() {
    let which = std::env::args().nth(1).unwrap();
    let n: usize = std::env::args().nth(2).unwrap().parse().unwrap();
    let m: usize = std::env::args().nth(3).unwrap().parse().unwrap();
    let f = match which.as_str() {
        // n targets in br_table, m tables
        "br" => {
            let depth = n;
            let mut s = String::from("(func $f (param i32) ");
            for _ in 0..depth {
                s.push_str("(block ");
            }
            for _ in 0..m {
                s.push_str("(br_table ");
                for i in 0..depth {
                    s.push_str(&format!("{i} "));
                }
                s.push_str("(local.get 0))");
            }
            for _ in 0..depth {
                s.push(')');
            }
            s.push(')');
            s
        }
        // n locals, m blocks with sets
        "phi" => {
            let mut s = String::from("(func $f (param i32) ");
            s.push_str(&"(local i32)".repeat(n));
            s.push_str("(loop $l ");
            for i in 0..m {
                s.push_str(&format!(
                    "(if (local.get 0) (then (local.set {} (i32.const {i}))))",
                    1 + i % n
                ));
            }
            s.push_str("(br_if $l (local.get 0))");
            s.push_str("))");
            s
        }
        "loops" => {
            let mut s = String::from("(func $f (param i32) ");
            s.push_str(&"(local i32)".repeat(n));
            for i in 0..m {
                s.push_str(&format!(
                    "(loop $l{i} (local.set {} (i32.add (local.get {}) (i32.const {i})))",
                    1 + i % n,
                    1 + (i * 7) % n
                ));
            }
            for i in (0..m).rev() {
                s.push_str(&format!("(br_if $l{i} (local.get {})))", 1 + (i * 3) % n));
            }
            s.push(')');
            s
        }
        "straight" => {
            let mut s = String::from("(func $f (param i32) (result i32) (local.get 0)");
            for i in 0..m {
                s.push_str(&format!("(local.get 0) (i32.const {i}) (i32.div_u) (i32.xor)"));
            }
            s.push(')');
            s
        }
        _ => panic!(),
    };
    let g = Guest::default().with(&f);
    let bytes = g.build();
    let sandbox = Sandbox::new(SandboxConfig::default()).unwrap();
    let t = std::time::Instant::now();
    let r = sandbox.load(&Entry::new("x"), &bytes);
    println!(
        "{which} {n} {m}: {} bytes, {:?}, peak {} MB, {:?}",
        bytes.len(),
        t.elapsed(),
        rss(),
        r.map(|p| p.snapshot).map_err(|e| e.to_string())
    );
}
