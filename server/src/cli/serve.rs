//! `hubbub serve`: a node, from the first check to the last connection.

use std::{net::SocketAddr, time::Duration};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{
    Failure,
    arguments::ConfigArguments,
    cannot_start,
    listen::{allow_many_connections, listen},
    print,
};
use crate::{config::Config, node, telemetry};

/// What a blocked thread may still take after everything else has ended.
const LAST_THREADS: Duration = Duration::from_secs(1);
/// Ended by a second signal: 128 and the number of SIGINT, as shells have it.
const INTERRUPTED: i32 = 130;

/// Runs a node until it is told to stop and has let its connections go.
pub(super) fn run(arguments: &ConfigArguments) -> Result<(), Failure> {
    let (config, _) = arguments.load()?;
    telemetry::install(&config.log);
    allow_many_connections();
    let runtime = tokio::runtime::Runtime::new()?;
    let outcome = runtime.block_on(serve(config));
    runtime.shutdown_timeout(LAST_THREADS);
    outcome
}

async fn serve(config: Config) -> Result<(), Failure> {
    let main = listen(config.listen, "listen", "HUBBUB_LISTEN")?;
    let ops = listen(config.ops_listen, "ops-listen", "HUBBUB_OPS_LISTEN")?;
    let (main_address, ops_address) = (main.local_addr()?, ops.local_addr()?);
    let stop = CancellationToken::new();
    tokio::spawn(stop_on_signal(
        stop.clone(),
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    ));
    let upkeep = tokio::spawn(telemetry::keep_up());
    let public = config.public_url.clone();
    let database = config.database.url.clone();
    let node = tokio::select! {
        node = node::Node::start(config) => node.map_err(|error| cannot_start(error, database.as_ref()))?,
        () = stop.cancelled() => return Ok(()),
    };
    let serving = tokio::spawn(node.serve(main, ops, stop));
    print(&greeting(main_address, ops_address, public.as_ref().map(crate::config::Origin::as_str)))?;
    let outcome = serving.await?;
    upkeep.abort();
    Ok(outcome?)
}

/// What a person reads first, and scripts wait for.
fn greeting(main: SocketAddr, ops: SocketAddr, public_url: Option<&str>) -> String {
    let public = public_url.map_or(String::new(), |url| format!("People reach it at {url}\n"));
    let everywhere =
        if main.ip().is_unspecified() { " and at every other address of this machine" } else { "" };
    format!(
        "Hubbub is running at http://{}{everywhere}\n{public}Metrics are at http://{}/metrics\n",
        near(main),
        near(ops)
    )
}

/// "Every address" cannot be typed into a browser; this machine's own can.
fn near(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => ([127, 0, 0, 1], v4.port()).into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => ([0, 0, 0, 0, 0, 0, 0, 1], v6.port()).into(),
        other => other,
    }
}

/// The first signal lets the node drain; the second one is someone who does not want to wait.
async fn stop_on_signal(stop: CancellationToken, mut terminate: Signal, mut interrupt: Signal) {
    let mut next = async || tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} };
    next().await;
    tracing::info!("stopping: connections are sent elsewhere; a second signal ends the node at once");
    stop.cancel();
    next().await;
    tracing::warn!("ended by a second signal");
    std::process::exit(INTERRUPTED);
}

#[cfg(test)]
mod tests {
    use super::greeting;

    #[test]
    fn the_greeting_has_an_address_that_can_be_opened() {
        let text = greeting("0.0.0.0:8080".parse().unwrap(), "127.0.0.1:9080".parse().unwrap(), None);
        assert_eq!(
            text,
            "Hubbub is running at http://127.0.0.1:8080 and at every other address of this machine\n\
             Metrics are at http://127.0.0.1:9080/metrics\n"
        );
        let text =
            greeting("[::]:1".parse().unwrap(), "[::1]:2".parse().unwrap(), Some("https://chat.example"));
        assert!(text.starts_with("Hubbub is running at http://[::1]:1 and"), "{text}");
        assert!(text.contains("\nPeople reach it at https://chat.example\n"), "{text}");
    }
}
