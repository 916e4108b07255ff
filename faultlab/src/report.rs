//! What is printed.

use std::fmt::Write as _;

use crate::{
    checker::{Check, Verdict},
    nemesis::Step,
};

/// Examples printed of each broken promise.
const EXAMPLES: usize = 5;

/// The plan, one line a step.
pub fn plan(steps: &[Step]) -> String {
    if steps.is_empty() {
        return "no faults\n".to_owned();
    }
    let mut text = "   begins   lasts  fault\n".to_owned();
    for step in steps {
        let _ = writeln!(text, "{step}");
    }
    text
}

/// The verdict for people.
pub fn verdict(verdict: &Verdict) -> String {
    let figures = &verdict.figures;
    let counts = [
        ("acknowledged", figures.acknowledged),
        ("unknown", figures.unknown),
        ("refused", figures.refused),
        ("attempts", figures.attempts),
        ("lost", figures.lost),
        ("duplicated", figures.duplicated),
        ("out of order", figures.out_of_order),
        ("stale accepted", figures.stale_accepted),
        ("stale tried", figures.stale_tried),
        ("logins", figures.logins),
        ("connections", figures.connections),
        ("told to reload", figures.reloads),
        ("entries delivered", figures.frames),
        ("publications seen", figures.publications),
        ("publications lost", figures.publications_lost),
    ];
    let times = [
        ("worst catch-up", figures.worst_catch_up),
        ("worst lag in calm", figures.worst_calm_lag),
        ("worst answer", figures.worst_answer),
        ("displaced read on", figures.worst_displaced_reading),
    ];
    let mut text = String::new();
    for (name, count) in counts {
        let _ = writeln!(text, "{name:<18} {count:>9}");
    }
    for (name, time) in times {
        let _ = writeln!(text, "{name:<18} {time:>9.3} s");
    }
    let broken = verdict.broken();
    for check in Check::ALL {
        let count = broken.get(&check).copied().unwrap_or(0);
        let holds = if count == 0 { "holds".to_owned() } else { format!("BROKEN {count} times") };
        let _ = writeln!(text, "{check:<4} {:<62} {holds}", check.promise());
        for violation in verdict.violations.iter().filter(|violation| violation.check == check).take(EXAMPLES)
        {
            let _ = writeln!(text, "       {}", violation.what);
        }
    }
    text
}
