//! The parity fixtures, for tests.

use std::path::{Path, PathBuf};

use burn::tensor::{DType, Device};
use serde_json::Value;

use crate::device::Opened;
use crate::generate::Writer;
use crate::model::Model;
use crate::settings::{DeviceChoice, LocalConfig, ModelSource};

/// Every fixture.
pub(crate) const ALL: [&str; 6] =
    ["llama", "llama3-rope", "tied-onekv", "biased", "qwen3", "sharded"];

/// Where they are.
pub(crate) fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// A copy of a fixture that a test may spoil.
pub(crate) fn copy(name: &str) -> tempfile::TempDir {
    fn all(from: &Path, to: &Path) {
        for entry in std::fs::read_dir(from).expect("the fixture") {
            let path = entry.expect("an entry").path();
            let to = to.join(path.file_name().expect("a name"));
            if path.is_dir() {
                std::fs::create_dir(&to).expect("a folder");
                all(&path, &to);
            } else {
                std::fs::copy(&path, to).expect("a copy");
            }
        }
    }
    let made = tempfile::tempdir().expect("a folder");
    all(&folder(name), made.path());
    made
}

/// A fixture on the CPU.
pub(crate) fn wanted(name: &str) -> LocalConfig {
    LocalConfig {
        model: ModelSource::Folder(folder(name)),
        device: DeviceChoice::Cpu,
        ..LocalConfig::embedded()
    }
}

pub(crate) fn model(name: &str) -> Model {
    Model::read(&wanted(name)).expect("the fixture is whole")
}

pub(crate) fn writer(model: &Model) -> Writer {
    let opened = Opened { device: Device::flex(), dtype: DType::F32 };
    let mut weights = model.weights(opened.dtype).expect("the fixture is whole");
    Writer::load(model, &mut weights, &opened).expect("the fixture loads")
}

/// What the reference says of a fixture.
pub(crate) struct Expected(Value);

impl Expected {
    pub(crate) fn read(name: &str) -> Expected {
        let text = std::fs::read(folder(name).join("expected.json")).expect("there is one");
        Expected(serde_json::from_slice(&text).expect("it is JSON"))
    }

    pub(crate) fn ids(&self, key: &str) -> Vec<u32> {
        serde_json::from_value(self.0[key].clone()).expect("ids")
    }

    pub(crate) fn rows(&self, key: &str) -> Vec<Vec<f32>> {
        serde_json::from_value(self.0[key].clone()).expect("rows of numbers")
    }

    pub(crate) fn text(&self, key: &str) -> &str {
        self.0[key].as_str().expect("a text")
    }

    pub(crate) fn list(&self, key: &str) -> &[Value] {
        self.0[key].as_array().expect("a list")
    }
}

/// The largest difference of two rows.
pub(crate) fn distance(left: &[f32], right: &[f32]) -> f32 {
    assert_eq!(left.len(), right.len());
    left.iter().zip(right).map(|(l, r)| (l - r).abs()).fold(0.0, f32::max)
}
