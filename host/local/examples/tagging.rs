//! What a model for names costs here: a made checkpoint of the shape of BERT-base, or the
//! one in a folder, reads texts of several lengths.
//!
//! `cargo run --release -p ringfence-local --example tagging [FOLDER|LAYERSxWIDTH] [DEVICE]`

use std::error::Error;
use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringfence_local::{DeviceChoice, Tagger, TaggerConfig};
use serde_json::{Map, Value, json};

/// Words of each text; BERT reads 512 tokens at once, and more in windows.
const WORDS: [usize; 4] = [8, 64, 256, 1024];
const CALLS: usize = 9;
const HEADS: usize = 12;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let shape = arguments.next().unwrap_or_else(|| "12x768".into());
    let device = arguments.next().unwrap_or_else(|| "cpu".into());
    let device = DeviceChoice::from_name(&device).ok_or("no such device")?;
    let made = tempfile::tempdir()?;
    let folder = match shape.split_once('x').map(|(a, b)| (a.parse(), b.parse())) {
        Some((Ok(layers), Ok(width))) => make(made.path(), layers, width)?,
        _ => PathBuf::from(&shape),
    };
    let start = Instant::now();
    let tagger = Tagger::start(&TaggerConfig { folder, device, queue: Tagger::QUEUE })?;
    println!("{} {shape}, ready in {:?}", tagger.description(), start.elapsed());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for words in WORDS {
        let text: Arc<str> = "Please call Anna about it ".repeat(words / 5 + 1).into();
        let mut times: Vec<Duration> = Vec::new();
        for _ in 0..CALLS {
            let start = Instant::now();
            let tags = tagger.tag(vec![Arc::clone(&text)], Duration::from_secs(120));
            runtime.block_on(tags).map_err(|fault| format!("{fault:?}"))?;
            times.push(start.elapsed());
        }
        times.sort();
        println!("{words} words: {:?}, at most {:?}", times[CALLS / 2], times[CALLS - 1]);
    }
    Ok(())
}

/// A checkpoint with the tokens of the fixture and weights that mean nothing.
fn make(folder: &Path, layers: usize, width: usize) -> Result<PathBuf, Box<dyn Error>> {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tagger");
    fs::copy(fixture.join("tokenizer.json"), folder.join("tokenizer.json"))?;
    let mut config: Value = serde_json::from_slice(&fs::read(fixture.join("config.json"))?)?;
    let tokens = config["vocab_size"].as_u64().ok_or("no vocabulary")? as usize;
    config["num_hidden_layers"] = json!(layers);
    config["hidden_size"] = json!(width);
    config["intermediate_size"] = json!(4 * width);
    config["num_attention_heads"] = json!(HEADS);
    config["max_position_embeddings"] = json!(512);
    fs::write(folder.join("config.json"), config.to_string())?;
    let mut tensors = vec![
        ("bert.embeddings.word_embeddings.weight".to_owned(), vec![tokens, width]),
        ("bert.embeddings.position_embeddings.weight".into(), vec![512, width]),
        ("bert.embeddings.token_type_embeddings.weight".into(), vec![2, width]),
        ("classifier.weight".into(), vec![7, width]),
        ("classifier.bias".into(), vec![7]),
    ];
    tensors.extend(norm("bert.embeddings", width));
    for layer in 0..layers {
        let layer = format!("bert.encoder.layer.{layer}");
        for name in ["attention.self.query", "attention.self.key", "attention.self.value"] {
            tensors.extend(dense(&format!("{layer}.{name}"), width, width));
        }
        tensors.extend(dense(&format!("{layer}.attention.output.dense"), width, width));
        tensors.extend(norm(&format!("{layer}.attention.output"), width));
        tensors.extend(dense(&format!("{layer}.intermediate.dense"), 4 * width, width));
        tensors.extend(dense(&format!("{layer}.output.dense"), width, 4 * width));
        tensors.extend(norm(&format!("{layer}.output"), width));
    }
    write(&folder.join("model.safetensors"), &tensors)?;
    Ok(folder.to_owned())
}

type Tensor = (String, Vec<usize>);

fn dense(name: &str, outputs: usize, inputs: usize) -> [Tensor; 2] {
    [(format!("{name}.weight"), vec![outputs, inputs]), (format!("{name}.bias"), vec![outputs])]
}

fn norm(name: &str, width: usize) -> [Tensor; 2] {
    ["weight", "bias"].map(|part| (format!("{name}.LayerNorm.{part}"), vec![width]))
}

/// A file of safetensors in bfloat16, filled with small numbers.
fn write(file: &Path, tensors: &[Tensor]) -> std::io::Result<()> {
    let mut header = Map::new();
    let mut at = 0;
    for (name, shape) in tensors {
        let end = at + 2 * shape.iter().product::<usize>();
        let entry = json!({"dtype": "BF16", "shape": shape, "data_offsets": [at, end]});
        header.insert(name.clone(), entry);
        at = end;
    }
    let header = Value::Object(header).to_string();
    let mut file = BufWriter::new(fs::File::create(file)?);
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(header.as_bytes())?;
    let mut state = 1_u32;
    for _ in 0..at / 2 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let small = (state >> 8) as f32 / (1 << 24) as f32 * 0.04 - 0.02;
        file.write_all(&small.to_bits().to_le_bytes()[2..])?;
    }
    file.flush()
}
