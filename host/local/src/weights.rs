//! Weights: safetensors in one file, or in several with an index.
//!
//! Only headers are read at first, so a folder can be checked without loading it.
//! Tensors are read one at a time and cast on the way: a model is never in memory twice.

mod numbers;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use burn::tensor::{DType, TensorData};
use safetensors::Dtype;
use safetensors::tensor::Metadata;

use crate::fault::LocalError;
use crate::files::{ModelFiles, WeightFile};

/// The weights of one model, by name.
pub(crate) struct Weights {
    files: ModelFiles,
    shards: Vec<Shard>,
    tensors: BTreeMap<String, Entry>,
    dtype: DType,
}

struct Shard {
    name: String,
    file: WeightFile,
    /// Where the data begin.
    start: u64,
}

struct Entry {
    shard: usize,
    dtype: Dtype,
    shape: Vec<usize>,
    /// From the start of the data.
    bytes: (u64, u64),
}

impl Weights {
    /// The file, when there is only one.
    pub(crate) const FILE: &'static str = "model.safetensors";
    /// The index, when there are several.
    pub(crate) const INDEX: &'static str = "model.safetensors.index.json";
    /// The largest header that is read; the format's own limit.
    const HEADER_BYTES: u64 = 100_000_000;
    /// Files that one index may name.
    const SHARDS: usize = 1024;

    /// Reads every header. What is read later is cast to `dtype` (f32 or f16).
    ///
    /// # Errors
    /// [`LocalError::Model`]: a file is missing or is no safetensors file.
    pub(crate) fn open(files: &ModelFiles, dtype: DType) -> Result<Weights, LocalError> {
        let mut weights =
            Weights { files: files.clone(), shards: Vec::new(), tensors: BTreeMap::new(), dtype };
        if let Some(file) = files.weights(Self::FILE)? {
            weights.add(Self::FILE, file)?;
            return Ok(weights);
        }
        let Some(index) = files.json(Self::INDEX)? else {
            let other = ["pytorch_model.bin", "pytorch_model.bin.index.json", "model.gguf"]
                .into_iter()
                .find(|name| matches!(files.weights(name), Ok(Some(_))));
            let remedy = match other {
                Some(other) => format!("there is {other}, which is not read: save as safetensors"),
                None => format!("download it, or {} with the files it names", Self::INDEX),
            };
            return Err(files.fault(Self::FILE, format!("is missing; {remedy}")));
        };
        let map = index.get("weight_map").and_then(|map| map.as_object());
        let map = map.ok_or_else(|| files.fault(Self::INDEX, "lacks `weight_map`"))?;
        let mut homes = BTreeMap::new();
        for (tensor, shard) in map {
            // A name and not a path: an index must not reach out of its folder.
            let shard =
                shard.as_str().filter(|name| !name.contains(['/', '\\'])).ok_or_else(|| {
                    files.fault(Self::INDEX, format!("names no file of this folder for `{tensor}`"))
                })?;
            homes.entry(shard).or_insert_with(Vec::new).push(tensor);
        }
        if homes.len() > Self::SHARDS {
            return Err(files.fault(Self::INDEX, format!("names more than {} files", Self::SHARDS)));
        }
        for (shard, tensors) in homes {
            let file = files.weights(shard)?.ok_or_else(|| {
                files.fault(shard, format!("is missing, but {} names it", Self::INDEX))
            })?;
            weights.add(shard, file)?;
            let last = weights.shards.len() - 1;
            for tensor in tensors {
                if weights.tensors.get(tensor).is_none_or(|entry| entry.shard != last) {
                    let problem =
                        format!("lacks the tensor `{tensor}` that {} puts in it", Self::INDEX);
                    return Err(files.fault(shard, problem));
                }
            }
        }
        Ok(weights)
    }

    /// Holds the headers against what a decoder reads: every tensor there, of its
    /// shape, and none that it does not know. `ignored` tells which ones may be left.
    ///
    /// # Errors
    /// [`LocalError::Model`] that names the first few tensors.
    pub(crate) fn check(
        &self,
        expected: &[(String, Vec<usize>)],
        ignored: impl Fn(&str) -> bool,
    ) -> Result<(), LocalError> {
        let home = self.shards.first().map_or(Self::FILE, |shard| shard.name.as_str());
        let mut missing = Vec::new();
        for (name, shape) in expected {
            let Some(entry) = self.tensors.get(name) else {
                missing.push(name.as_str());
                continue;
            };
            let file = &self.shards[entry.shard].name;
            if entry.shape != *shape {
                let problem = format!(
                    "has `{name}` of shape {:?} where config.json asks for {shape:?}",
                    entry.shape
                );
                return Err(self.files.fault(file, problem));
            }
            if !numbers::is_known(entry.dtype) {
                let problem =
                    format!("has `{name}` as {:?}; f32, f16 and bf16 are read", entry.dtype);
                return Err(self.files.fault(file, problem));
            }
        }
        if !missing.is_empty() {
            let problem = format!("lacks {}; the download may be incomplete", named(&missing));
            return Err(self.files.fault(home, problem));
        }
        let known: std::collections::BTreeSet<&str> =
            expected.iter().map(|(name, _)| name.as_str()).collect();
        let unused: Vec<&str> = (self.tensors.keys().map(String::as_str))
            .filter(|name| !known.contains(name) && !ignored(name))
            .collect();
        if !unused.is_empty() {
            let problem = format!(
                "has {}, which the architecture that config.json names does not use",
                named(&unused)
            );
            return Err(self.files.fault(home, problem));
        }
        Ok(())
    }

    /// True when there is a tensor of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// Reads one tensor.
    ///
    /// # Errors
    /// [`LocalError::Model`]: it is not there, its file cannot be read, or a value does
    /// not fit the type that was asked for.
    pub(crate) fn read(&mut self, name: &str) -> Result<TensorData, LocalError> {
        let Some(entry) = self.tensors.get(name) else {
            return Err(self.files.fault(Self::FILE, format!("lacks the tensor `{name}`")));
        };
        let shard = &mut self.shards[entry.shard];
        let (start, end) = (shard.start + entry.bytes.0, shard.start + entry.bytes.1);
        let bytes = match &mut shard.file {
            WeightFile::Embedded(all) => std::borrow::Cow::Borrowed(
                all.get(start as usize..end as usize)
                    .ok_or_else(|| self.files.fault(&shard.name, "ends early"))?,
            ),
            WeightFile::File(file) => {
                let bytes = read_at(file, start, end - start).map_err(|error| {
                    self.files.fault(&shard.name, format!("cannot be read: {error}"))
                })?;
                std::borrow::Cow::Owned(bytes)
            }
        };
        numbers::cast(&bytes, entry.dtype, entry.shape.clone(), self.dtype)
            .map_err(|problem| self.files.fault(&shard.name, format!("has `{name}` {problem}")))
    }

    fn add(&mut self, name: &str, file: WeightFile) -> Result<(), LocalError> {
        let broken = |problem: &str| {
            let problem = format!("is no whole safetensors file: {problem}; download it again");
            self.files.fault(name, problem)
        };
        let size = match &file {
            WeightFile::Embedded(bytes) => bytes.len() as u64,
            WeightFile::File(file) => file.metadata().map_err(|e| broken(&e.to_string()))?.len(),
        };
        let mut file = file;
        let mut part = |start: u64, length: u64| -> Result<Vec<u8>, LocalError> {
            if start.saturating_add(length) > size {
                return Err(broken("it ends within its header"));
            }
            match &mut file {
                WeightFile::Embedded(bytes) => {
                    Ok(bytes[start as usize..(start + length) as usize].to_vec())
                }
                WeightFile::File(file) => {
                    read_at(file, start, length).map_err(|error| broken(&error.to_string()))
                }
            }
        };
        let length = part(0, 8)?;
        let length = u64::from_le_bytes(length.try_into().unwrap_or([0xFF; 8]));
        if length > Self::HEADER_BYTES {
            return Err(broken("its header is too large"));
        }
        let header = part(8, length)?;
        let header: Metadata =
            serde_json::from_slice(&header).map_err(|error| broken(&error.to_string()))?;
        let start = 8 + length;
        if start + header.data_len() as u64 != size {
            return Err(broken(&format!(
                "it has {size} bytes where its header promises {}",
                start + header.data_len() as u64
            )));
        }
        let shard = self.shards.len();
        for (tensor, info) in header.tensors() {
            let bytes = (info.data_offsets.0 as u64, info.data_offsets.1 as u64);
            let entry = Entry { shard, dtype: info.dtype, shape: info.shape.clone(), bytes };
            self.tensors.insert(tensor, entry);
        }
        self.shards.push(Shard { name: name.to_owned(), file, start });
        Ok(())
    }
}

fn read_at(file: &mut File, start: u64, length: u64) -> std::io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = vec![0; length as usize];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// The first few names, and how many more.
fn named(names: &[&str]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    let plural = if names.len() == 1 { "tensor" } else { "tensors" };
    match names.len().saturating_sub(SHOWN) {
        0 => format!("the {plural} {}", shown.join(", ")),
        more => format!("the {plural} {} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests;
