//! The files of a model, wherever they are.

use std::borrow::Cow;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::embedded;
use crate::fault::LocalError;
use crate::settings::ModelSource;

/// Where the files of one model are: a folder, or the binary itself.
#[derive(Debug, Clone)]
pub(crate) enum ModelFiles {
    /// In the binary.
    Embedded,
    /// In this folder.
    Folder(PathBuf),
}

/// The bytes of a weight file.
pub(crate) enum WeightFile {
    /// In the binary.
    Embedded(&'static [u8]),
    /// An open file.
    File(File),
}

impl ModelFiles {
    /// The largest file of text that is read: the tokenizers of large vocabularies
    /// take some 35 MB.
    pub(crate) const TEXT_BYTES: u64 = 128 << 20;

    /// The files of `source`.
    ///
    /// # Errors
    /// [`LocalError::Model`]: the folder is not there.
    pub(crate) fn of(source: &ModelSource) -> Result<ModelFiles, LocalError> {
        let ModelSource::Folder(folder) = source else { return Ok(ModelFiles::Embedded) };
        if !folder.is_dir() {
            let problem = "is not a folder; name a model folder as the model hub lays it out \
                           (config.json, tokenizer.json, model.safetensors)";
            return Err(LocalError::model(folder, problem));
        }
        Ok(ModelFiles::Folder(folder.clone()))
    }

    /// The path that messages name.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        match self {
            ModelFiles::Embedded => Path::new("<embedded>").join(name),
            ModelFiles::Folder(folder) => folder.join(name),
        }
    }

    /// A file of text, or nothing when there is none of that name.
    ///
    /// # Errors
    /// [`LocalError::Model`]: it cannot be read, or is larger than [`Self::TEXT_BYTES`].
    pub(crate) fn text(&self, name: &str) -> Result<Option<Cow<'static, [u8]>>, LocalError> {
        let file = match self.weights(name)? {
            None => return Ok(None),
            Some(WeightFile::Embedded(bytes)) => return Ok(Some(Cow::Borrowed(bytes))),
            Some(WeightFile::File(file)) => file,
        };
        let unreadable = |error| self.fault(name, format!("cannot be read: {error}"));
        let too_large = || self.fault(name, format!("is larger than {} bytes", Self::TEXT_BYTES));
        if file.metadata().map_err(unreadable)?.len() > Self::TEXT_BYTES {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        // It may grow while it is read.
        file.take(Self::TEXT_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > Self::TEXT_BYTES {
            return Err(too_large());
        }
        Ok(Some(Cow::Owned(bytes)))
    }

    /// The same, when the model cannot do without it. `remedy` says what to do.
    ///
    /// # Errors
    /// [`LocalError::Model`], also when there is none.
    pub(crate) fn needed(
        &self,
        name: &str,
        remedy: &str,
    ) -> Result<Cow<'static, [u8]>, LocalError> {
        self.text(name)?.ok_or_else(|| self.fault(name, format!("is missing; {remedy}")))
    }

    /// A JSON object, or nothing when there is no such file.
    ///
    /// # Errors
    /// [`LocalError::Model`]: it cannot be read or is no JSON object.
    pub(crate) fn json(
        &self,
        name: &str,
    ) -> Result<Option<serde_json::Map<String, serde_json::Value>>, LocalError> {
        let Some(bytes) = self.text(name)? else { return Ok(None) };
        match serde_json::from_slice(&bytes) {
            Ok(serde_json::Value::Object(map)) => Ok(Some(map)),
            Ok(_) => Err(self.fault(name, "is not a JSON object")),
            Err(error) => Err(self.fault(name, format!("is not JSON: {error}"))),
        }
    }

    /// A file of weights, opened, or nothing when there is none of that name.
    ///
    /// # Errors
    /// [`LocalError::Model`]: it cannot be opened, or is no regular file.
    pub(crate) fn weights(&self, name: &str) -> Result<Option<WeightFile>, LocalError> {
        let ModelFiles::Folder(folder) = self else {
            return Ok(embedded::file(name).map(WeightFile::Embedded));
        };
        let path = folder.join(name);
        match std::fs::metadata(&path) {
            Ok(meta) if meta.is_file() => {}
            Ok(_) => return Err(self.fault(name, "is not a regular file")),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.fault(name, format!("cannot be opened: {error}"))),
        }
        match File::open(&path) {
            Ok(file) => Ok(Some(WeightFile::File(file))),
            Err(error) => Err(self.fault(name, format!("cannot be opened: {error}"))),
        }
    }

    /// A fault of the file `name`.
    pub(crate) fn fault(&self, name: &str, problem: impl Into<String>) -> LocalError {
        LocalError::model(self.path(name), problem)
    }
}
