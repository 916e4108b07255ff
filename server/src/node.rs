//! Provisional.
#![allow(missing_docs)]
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{accounts::Accounts, config::Config, error::CommandError};

pub struct Node;

impl Node {
    pub async fn start(_config: Config) -> Result<Self, CommandError> {
        Ok(Self)
    }
    pub async fn serve(self, _main: TcpListener, _ops: TcpListener, stop: CancellationToken) {
        stop.cancelled().await;
    }
}

pub async fn accounts_alone(_config: &Config) -> Result<Accounts, CommandError> {
    Err(CommandError::Unavailable("no node".into()))
}
