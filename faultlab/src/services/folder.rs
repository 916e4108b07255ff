//! Folders for what services keep.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use crate::{
    error::{Doing, Result},
    rng::unrepeatable,
};

/// A folder in the system's place for temporary files; removed when dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// A new one, empty; others may pass through it, not look into it.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(name: &str) -> Result<Self> {
        let unique = unrepeatable()?;
        let path = std::env::temp_dir().join(format!("hubbub-faultlab-{name}-{unique:016x}"));
        fs::create_dir_all(&path).doing("make a folder")?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o711)).doing("open a folder")?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // It is in nobody's way if it stays.
        let _ = fs::remove_dir_all(&self.0);
    }
}
