//! Why a command failed: one type for both doors.

use std::time::Duration;

use hubbub_protocol::{
    error::{ErrorObject, Reason},
    model::SessionEnd,
};

use crate::jitter::jittered;

/// A failure with its place in the catalogue. What caused it stays in the log.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Refused for a reason of the catalogue.
    #[error("{}", .0.title())]
    Refused(Reason),
    /// Refused, with a sentence that says more than the catalogue does.
    #[error("{message}")]
    Explained {
        /// The reason of the catalogue.
        reason: Reason,
        /// What to do, in English.
        message: String,
        /// The parameter it is about.
        field: Option<&'static str>,
    },
    /// Larger than `limit`, in the unit of that limit.
    #[error("{field} may have at most {limit} {unit}")]
    TooLarge {
        /// The parameter.
        field: &'static str,
        /// How large it may be.
        limit: usize,
        /// What is counted: `bytes`, `characters`, `people`.
        unit: &'static str,
    },
    /// Too many at once; may be repeated after this time.
    #[error("too many at once; try again in {} ms", .0.as_millis())]
    TooFrequent(Duration),
    /// The session is over; its device is told why.
    #[error("this session has ended")]
    SessionEnded(Box<SessionEnd>),
    /// A store or the fabric does not answer. Nothing was done, or it is not known: repeat with the same key.
    #[error("temporarily unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The node has too much to do; nothing was done. To be repeated after about this time.
    #[error("the server has too much to do; try again")]
    Overloaded(Duration),
    /// A fault of ours.
    #[error("the server failed")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// About when a client may repeat what was unavailable.
const UNAVAILABLE_RETRY: Duration = Duration::from_secs(1);

fn ms(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
}

impl CommandError {
    /// A parameter has a value that it may not have.
    pub fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::Explained { reason: Reason::InvalidParams, message: message.into(), field: Some(field) }
    }

    /// The catalogue's reason.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Refused(reason) | Self::Explained { reason, .. } => *reason,
            Self::TooLarge { .. } => Reason::TooLarge,
            Self::TooFrequent(_) => Reason::TooFrequent,
            Self::SessionEnded(_) => Reason::SessionEnded,
            Self::Unavailable(_) | Self::Overloaded(_) => Reason::Unavailable,
            Self::Internal(_) => Reason::Internal,
        }
    }

    /// What the wire says.
    pub fn to_wire(&self) -> ErrorObject {
        let mut object = ErrorObject::with_message(self.reason(), self.to_string());
        match self {
            Self::Explained { field, .. } => object.data.field = field.map(str::to_owned),
            Self::TooLarge { field, limit, .. } => {
                object.data.field = Some((*field).to_owned());
                object.data.limit = Some(*limit as u64);
            }
            Self::Overloaded(around) => object.data.retry_after_ms = Some(ms(jittered(*around))),
            Self::TooFrequent(wait) => object.data.retry_after_ms = Some(ms(*wait)),
            Self::SessionEnded(end) => object.data.end = Some(end.clone()),
            Self::Unavailable(_) => object.data.retry_after_ms = Some(ms(jittered(UNAVAILABLE_RETRY))),
            Self::Refused(_) | Self::Internal(_) => {}
        }
        object
    }

    /// Logs what only we should see. Called once, where the error is answered.
    pub fn log(&self, what: &'static str) {
        if let Self::Unavailable(source) | Self::Internal(source) = self {
            tracing::error!(what, error = &**source as &dyn std::error::Error, "a command failed");
        }
    }
}

impl From<Reason> for CommandError {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason)
    }
}

/// Every failure of the database is "try again": what it did not commit was not acknowledged.
impl From<sqlx::Error> for CommandError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(Box::new(error))
    }
}
