//! C10: what nodes use at the end is what they used at the start.

use super::{Check, Facts, Findings, facts::Usage};

/// A tenth, as promised, and room for what a short run cannot tell from growth: caches that fill, pools that are full
/// after a burst, sockets on their way out.
const SHARE: f64 = 1.1;
const MEMORY_ROOM: f64 = 48.0 * 1024.0 * 1024.0;
const FILES_ROOM: f64 = 40.0;
const TASKS_ROOM: f64 = 60.0;

pub(super) fn check(facts: &Facts, findings: &mut Findings) {
    for end in facts.usage.iter().filter(|usage| usage.at == "end") {
        let starts = facts.usage.iter().filter(|usage| usage.at == "start");
        // Connections do not come back to the node they were on: the busiest node of the start is the measure, cold
        // and after some traffic.
        let most = |of: fn(&Usage) -> f64| starts.clone().map(of).fold(0.0, f64::max);
        let what = [
            ("bytes of memory", end.memory, most(|usage| usage.memory), MEMORY_ROOM),
            ("open files", end.files, most(|usage| usage.files), FILES_ROOM),
            ("tasks", end.tasks, most(|usage| usage.tasks), TASKS_ROOM),
        ];
        for (what, now, before, room) in what {
            if now > before * SHARE + room {
                findings.add(
                    Check::C10,
                    format!("node {} has {now} {what} at the end, {before} at the start", end.node + 1),
                );
            }
        }
    }
}
