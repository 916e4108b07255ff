//! What the operating system and the runtime say of this process.

use std::fs;

/// Ticks of `/proc/self/stat` in a second: fixed on Linux for everything that user space reads.
const TICKS_PER_S: f64 = 100.0;

/// Measures now. What the system does not tell is left out.
pub(super) fn measure() {
    metrics::gauge!("hubbub_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        metrics::gauge!("hubbub_tasks").set(count(runtime.metrics().num_alive_tasks()));
    }
    if let Ok(files) = fs::read_dir("/proc/self/fd") {
        metrics::gauge!("process_open_fds").set(count(files.count()));
    }
    if let Ok(status) = fs::read_to_string("/proc/self/status") {
        if let Some(kib) = number_after(&status, "VmRSS:") {
            metrics::gauge!("process_resident_memory_bytes").set(kib * 1024.0);
        }
        if let Some(threads) = number_after(&status, "Threads:") {
            metrics::gauge!("process_threads").set(threads);
        }
    }
    // After the name of the program, which ends with the last bracket and may hold anything.
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<f64> = stat
        .rsplit(')')
        .next()
        .map(|rest| rest.split_whitespace().map(|field| field.parse().unwrap_or_default()).collect())
        .unwrap_or_default();
    if let (Some(user), Some(system)) = (fields.get(11), fields.get(12)) {
        metrics::gauge!("process_cpu_seconds_total").set((user + system) / TICKS_PER_S);
    }
}

fn number_after(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

#[expect(clippy::cast_precision_loss, reason = "a metric is a float; these counts are far below 2^52")]
fn count(number: usize) -> f64 {
    number as f64
}
