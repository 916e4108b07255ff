//! Why the rig itself failed: never a verdict about what it looks at.

use std::fmt;

/// What the rig could not do, and why.
#[derive(Debug)]
pub struct LabError {
    what: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The result of something that the rig does.
pub type Result<T, E = LabError> = std::result::Result<T, E>;

impl LabError {
    /// A failure in words.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), source: None }
    }
}

impl fmt::Display for LabError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

impl std::error::Error for LabError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

/// Says what was being done when an error came.
pub trait Doing<T> {
    /// Names the deed.
    ///
    /// # Errors
    /// The one that came, with the deed before it.
    fn doing(self, what: &str) -> Result<T>;
}

impl<T, E: Into<Box<dyn std::error::Error + Send + Sync>>> Doing<T> for std::result::Result<T, E> {
    fn doing(self, what: &str) -> Result<T> {
        self.map_err(|error| LabError { what: what.to_owned(), source: Some(error.into()) })
    }
}
