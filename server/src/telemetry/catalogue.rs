//! Every metric with its meaning: what `/metrics` prints beside it. Names are `hubbub_<part>_<what>_<unit>`.
//!
//! No label ever holds a user, a room or a message: a metric has a handful of series, whatever people do.

use metrics::Unit;

#[derive(Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}
use Kind::{Counter, Gauge, Histogram};

const METRICS: &[(Kind, &str, Unit, &str)] = &[
    // The process.
    (Gauge, "hubbub_build_info", Unit::Count, "1; the label says which version runs"),
    (Gauge, "hubbub_ready", Unit::Count, "1 while this node takes new clients, as `/readyz` says; else 0"),
    (Gauge, "hubbub_draining", Unit::Count, "1 while this node sends its connections elsewhere; else 0"),
    (Gauge, "hubbub_tasks", Unit::Count, "Tasks that live in the runtime"),
    (Counter, "hubbub_panics_total", Unit::Count, "Tasks that panicked; each is a fault of Hubbub"),
    (Gauge, "process_resident_memory_bytes", Unit::Bytes, "Memory in use"),
    (Gauge, "process_open_fds", Unit::Count, "Open files and sockets"),
    (Gauge, "process_threads", Unit::Count, "Threads"),
    (Gauge, "process_cpu_seconds_total", Unit::Seconds, "Processor time used"),
    // The doors.
    (Gauge, "hubbub_connections", Unit::Count, "Open connections, by transport"),
    (Counter, "hubbub_connections_opened_total", Unit::Count, "Connections opened, by result"),
    (Counter, "hubbub_connections_closed_total", Unit::Count, "Connections closed, by close code"),
    (Histogram, "hubbub_handshake_duration_seconds", Unit::Seconds, "From the upgrade to a started session"),
    (Counter, "hubbub_auth_total", Unit::Count, "Logins and token checks, by result"),
    (Counter, "hubbub_http_requests_total", Unit::Count, "HTTP requests, by route and status"),
    (Histogram, "hubbub_http_request_duration_seconds", Unit::Seconds, "Time to answer an HTTP request"),
    (Counter, "hubbub_commands_total", Unit::Count, "Commands, by method and result"),
    (Counter, "hubbub_command_errors_total", Unit::Count, "Commands that were refused or failed, by reason"),
    (Histogram, "hubbub_command_duration_seconds", Unit::Seconds, "Time to answer a command, by method"),
    (Counter, "hubbub_rate_limited_total", Unit::Count, "Refused as too frequent, by scope"),
    (Counter, "hubbub_shed_total", Unit::Count, "Refused because the node has too much to do, by what"),
    (Counter, "hubbub_authz_denied_total", Unit::Count, "Refused because it is not allowed, by kind"),
    (Counter, "hubbub_security_event_total", Unit::Count, "What an operator may want to look into, by kind"),
    // Sending and delivering.
    (
        Histogram,
        "hubbub_send_ack_duration_seconds",
        Unit::Seconds,
        "From a message's arrival to its answer, by result",
    ),
    (
        Histogram,
        "hubbub_delivery_lag_seconds",
        Unit::Seconds,
        "From the commit to the write to a socket, by path",
    ),
    (Histogram, "hubbub_append_batch_messages", Unit::Count, "Messages that one transaction commits"),
    (
        Counter,
        "hubbub_append_detours_total",
        Unit::Count,
        "Rooms that left their batch because somebody else held them",
    ),
    (Counter, "hubbub_messages_committed_total", Unit::Count, "Messages committed"),
    (
        Counter,
        "hubbub_messages_delivered_total",
        Unit::Count,
        "Entries handed to their followers on this node",
    ),
    (
        Counter,
        "hubbub_messages_duplicate_suppressed_total",
        Unit::Count,
        "Repeats answered with the first answer",
    ),
    (Gauge, "hubbub_send_queue_bytes", Unit::Bytes, "What waits to be sent to clients"),
    (Counter, "hubbub_slow_consumer_total", Unit::Count, "Connections closed because they read too slowly"),
    // Repair.
    (Counter, "hubbub_gap_detected_total", Unit::Count, "Holes seen in a stream"),
    (Counter, "hubbub_gap_filled_total", Unit::Count, "Holes filled from cache or database"),
    (Histogram, "hubbub_gap_fill_duration_seconds", Unit::Seconds, "Time to fill a hole"),
    (
        Counter,
        "hubbub_tail_mismatch_total",
        Unit::Count,
        "Streams found behind their head: a last entry was lost on its way",
    ),
    (Counter, "hubbub_recover_total", Unit::Count, "Streams resumed by clients, by result"),
    // Between nodes.
    (Histogram, "hubbub_pubsub_lag_seconds", Unit::Seconds, "From publishing to hearing it on this node"),
    (
        Counter,
        "hubbub_pubsub_errors_total",
        Unit::Count,
        "Publications that failed; other nodes find them in the database",
    ),
    (Counter, "hubbub_pubsub_dropped_total", Unit::Count, "Publications dropped for want of room, by cause"),
    (Gauge, "hubbub_pubsub_probe_age_seconds", Unit::Seconds, "Since this node last heard itself"),
    (Counter, "hubbub_cache_requests_total", Unit::Count, "Reads of the newest entries, by result"),
    (
        Counter,
        "hubbub_cache_refills_total",
        Unit::Count,
        "Times the newest entries were cached again, by result",
    ),
    (
        Counter,
        "hubbub_cache_mismatch_total",
        Unit::Count,
        "Cached entries that were not as the database has them; must stay 0",
    ),
    (
        Counter,
        "hubbub_cache_corrupt_total",
        Unit::Count,
        "Values of the fabric that could not be read and were passed over",
    ),
    (Gauge, "hubbub_cache_fill_waiters", Unit::Count, "Readers that wait for a load of another"),
    // Presence.
    (Gauge, "hubbub_presence_online", Unit::Count, "People online, by scope: on this node, in the cluster"),
    (Gauge, "hubbub_presence_nodes", Unit::Count, "Nodes that live, as this one sees it"),
    (
        Counter,
        "hubbub_presence_loads_total",
        Unit::Count,
        "Times the roster of another node was read whole, by result",
    ),
    (Counter, "hubbub_presence_pushes_total", Unit::Count, "Presence signals queued for clients"),
    (
        Counter,
        "hubbub_presence_dropped_total",
        Unit::Count,
        "Presence signals not queued: the client reads slowly, or there are too many",
    ),
    // Counts of messages.
    (
        Counter,
        "hubbub_activity_dropped_total",
        Unit::Count,
        "Messages not counted at once; they are counted from the database",
    ),
    (
        Counter,
        "hubbub_activity_days_counted_total",
        Unit::Count,
        "Days whose messages were counted from the beginning",
    ),
    // Sessions.
    (Counter, "hubbub_session_displaced_total", Unit::Count, "Sessions ended by a login elsewhere"),
    (
        Counter,
        "hubbub_stale_epoch_rejected_total",
        Unit::Count,
        "Writes of ended sessions that the fence refused",
    ),
    (
        Histogram,
        "hubbub_session_close_delay_seconds",
        Unit::Seconds,
        "From the end of a session to its closed connection",
    ),
    // What the node depends on.
    (
        Histogram,
        "hubbub_dep_duration_seconds",
        Unit::Seconds,
        "Time of calls to the database and Redis, by dep and op",
    ),
    (
        Counter,
        "hubbub_dep_errors_total",
        Unit::Count,
        "Failed calls to the database and Redis, by dep and op",
    ),
    (
        Gauge,
        "hubbub_dep_circuit_state",
        Unit::Count,
        "0 while a dependency is used, 1 while it is not waited for",
    ),
    (Gauge, "hubbub_pg_pool_connections", Unit::Count, "Connections to the database, by state"),
    (Histogram, "hubbub_pg_pool_wait_seconds", Unit::Seconds, "Wait for a connection to the database"),
    (
        Counter,
        "hubbub_invariant_violation_total",
        Unit::Count,
        "What can never happen and did, by name; must stay 0",
    ),
];

/// Alerts ask whether these have grown at all: without a 0 before it, the first event would be no growth.
const FROM_ZERO: &[&str] = &["hubbub_panics_total", "hubbub_cache_mismatch_total"];

/// Tells the recorder what each metric means.
pub(super) fn describe() {
    for name in FROM_ZERO {
        metrics::counter!(*name).absolute(0);
    }
    for (kind, name, unit, meaning) in METRICS {
        match kind {
            Counter => metrics::describe_counter!(*name, *unit, *meaning),
            Gauge => metrics::describe_gauge!(*name, *unit, *meaning),
            Histogram => metrics::describe_histogram!(*name, *unit, *meaning),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::METRICS;

    /// The names in `counter!("…")`, `gauge!("…")` and `histogram!("…")` below `folder`.
    fn used(folder: &Path, names: &mut BTreeSet<String>) {
        for file in fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                used(&path, names);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                for start in ["counter!(", "gauge!(", "histogram!("] {
                    let calls = text.split(start).skip(1).map(str::trim_start);
                    let quoted = calls.filter_map(|call| call.strip_prefix('"')?.split('"').next());
                    names.extend(quoted.filter(|name| name.starts_with("hubbub_")).map(str::to_owned));
                }
            }
        }
    }

    #[test]
    fn every_metric_is_described() {
        let described: BTreeSet<_> = METRICS.iter().map(|(_, name, ..)| (*name).to_owned()).collect();
        assert_eq!(described.len(), METRICS.len(), "a name is there twice");
        let mut names = BTreeSet::new();
        used(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut names);
        let missing: Vec<_> = names.difference(&described).collect();
        assert!(missing.is_empty(), "describe them in telemetry/catalogue.rs: {missing:?}");
    }
}
