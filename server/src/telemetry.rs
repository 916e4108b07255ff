//! Logs and metrics. Neither ever holds a token, a password or what people write.

mod catalogue;
mod process;

use std::{io::IsTerminal, sync::OnceLock, time::Duration};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::Level;
use tracing_subscriber::{
    EnvFilter, Layer, filter::filter_fn, layer::SubscriberExt, util::SubscriberInitExt,
};

use crate::{
    clock::every,
    config::{LogFormat, LogSettings},
};

/// From 1 ms to 10 s: what a send takes when all is well, and the longest that anything may take.
const SECONDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Sizes of batches.
const COUNTS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];
/// How often what was measured is put into its buckets; between, it waits in memory.
const UPKEEP: Duration = Duration::from_secs(5);

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Sends logs to standard error, counts panics, and starts measuring. Once a process; again it does nothing.
pub fn install(settings: &LogSettings) {
    let terminal = std::io::stderr().is_terminal();
    // Libraries below info tell what they read and write, which may be anything.
    let discreet = filter_fn(|about| about.target().starts_with("hubbub") || *about.level() <= Level::INFO);
    let writer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let writer = match settings.format {
        LogFormat::Text => writer.with_ansi(terminal).with_filter(discreet).boxed(),
        LogFormat::Json => writer.json().flatten_event(true).with_filter(discreet).boxed(),
    };
    let installed = tracing_subscriber::registry().with(filter(&settings.level)).with(writer).try_init();
    if installed.is_ok() {
        std::panic::set_hook(Box::new(|panic| {
            // Not its message: it may quote a text. The place says which line it was.
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            metrics::counter!("hubbub_panics_total").increment(1);
            tracing::error!(place, "a task panicked; this is a fault of Hubbub, please report it");
        }));
    }
    metrics();
}

/// A level alone is for Hubbub; libraries then speak from `warn` on.
fn filter(level: &str) -> EnvFilter {
    let everything =
        if level.contains(['=', ',']) { level.to_owned() } else { format!("warn,hubbub_server={level}") };
    let everything = if level == "off" { "off".to_owned() } else { everything };
    EnvFilter::builder().parse_lossy(everything)
}

/// What has been measured so far, installing the recorder at the first call.
fn metrics() -> &'static PrometheusHandle {
    METRICS.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .set_buckets(COUNTS)
            .and_then(|builder| {
                builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)
            })
            .expect("both lists have values")
            .build_recorder();
        let handle = recorder.handle();
        // Fails where another recorder was installed before, as a test may; then this one stays empty.
        if metrics::set_global_recorder(recorder).is_ok() {
            catalogue::describe();
        }
        handle
    })
}

/// Everything that was measured, in the text format of Prometheus.
pub fn render() -> String {
    process::measure();
    metrics().render()
}

/// Keeps what is measured small; runs until it is dropped.
pub async fn keep_up() {
    let mut tick = every(UPKEEP);
    loop {
        tick.tick().await;
        metrics().run_upkeep();
    }
}

#[cfg(test)]
mod tests {
    use super::{filter, render};

    #[test]
    fn a_level_alone_is_for_hubbub() {
        assert_eq!(filter("debug").to_string(), "hubbub_server=debug,warn");
        assert_eq!(filter("off").to_string(), "off");
        assert_eq!(
            filter("info,hubbub_server::streams=debug").to_string(),
            "hubbub_server::streams=debug,info"
        );
    }

    #[test]
    fn what_is_measured_is_rendered_with_its_description_and_buckets() {
        render();
        metrics::histogram!("hubbub_send_ack_duration_seconds", "result" => "ok").record(0.003);
        let text = render();
        assert!(text.contains("# TYPE hubbub_send_ack_duration_seconds histogram"), "{text}");
        assert!(text.contains("# HELP hubbub_send_ack_duration_seconds "), "{text}");
        assert!(
            text.contains(r#"hubbub_send_ack_duration_seconds_bucket{result="ok",le="0.005"} 1"#),
            "{text}"
        );
        assert!(text.contains("hubbub_build_info{"), "{text}");
        assert!(text.contains("hubbub_cache_mismatch_total 0"), "{text}");
        assert!(text.contains("process_resident_memory_bytes "), "{text}");
    }
}
