//! C8: one session.

use std::collections::{BTreeMap, HashMap};

use hubbub_protocol::id::{SessionId, UserId};

use super::{Check, Facts, Findings, seconds, sends::is_ok};
use crate::history::{Micros, PersonNumber};

pub(super) fn check(facts: &Facts, findings: &mut Findings) {
    let ended = displaced(facts);
    findings.figures.logins = facts.logins.values().filter(|login| login.answered.is_some()).count() as u64;
    for (key, send) in &facts.sends {
        for (number, attempt) in &send.attempts {
            let Some(ended) = ended.get(&attempt.session) else { continue };
            if attempt.invoked <= *ended {
                continue;
            }
            findings.figures.stale_tried += 1;
            if attempt.done.as_ref().is_some_and(|(_, outcome)| is_ok(outcome)) {
                findings.figures.stale_accepted += 1;
                let (late, session) = (seconds(attempt.invoked - ended), attempt.session);
                let what = format!(
                    "{key}, try {number}, was acknowledged in session {session}, displaced {late:.3} s before"
                );
                findings.add(Check::C8, what);
            }
        }
    }
    for connection in facts.connections.values() {
        let (Some(ended), Some(closed)) = (ended.get(&connection.session), connection.closed) else {
            continue;
        };
        let reading = seconds(closed.saturating_sub(*ended));
        let worst = &mut findings.figures.worst_displaced_reading;
        *worst = worst.max(reading);
    }
    for (person, why) in &facts.lost_sessions {
        findings
            .add(Check::C8, format!("the session of person {person} ended and nobody had logged in: {why}"));
    }
    living(facts, findings);
}

/// When each session was displaced for certain: when a login that began after it was answered.
fn displaced(facts: &Facts) -> HashMap<SessionId, Micros> {
    let mut sessions: BTreeMap<PersonNumber, Vec<(Micros, SessionId)>> =
        facts.people.iter().map(|(number, person)| (*number, vec![(0, person.session)])).collect();
    let mut ended = HashMap::new();
    let mut logins: Vec<_> = facts.logins.values().collect();
    logins.sort_by_key(|login| login.answered.map(|(t, _)| t));
    for login in logins {
        let Some((answered, session)) = login.answered else { continue };
        let own = sessions.entry(login.person).or_default();
        for (_, old) in own.iter().filter(|(since, _)| *since <= login.asked) {
            ended.entry(*old).or_insert(answered);
        }
        own.push((answered, session));
    }
    ended
}

/// At the end each account has one session that lives, the one with the highest fence.
fn living(facts: &Facts, findings: &mut Findings) {
    let mut by_user: BTreeMap<UserId, Vec<(i64, bool)>> = BTreeMap::new();
    for (_, user, fence, lives) in &facts.sessions {
        by_user.entry(*user).or_default().push((*fence, *lives));
    }
    for (user, mut sessions) in by_user {
        sessions.sort_unstable();
        let newest_lives = sessions.last().is_some_and(|(_, lives)| *lives);
        if !newest_lives || sessions.iter().filter(|(_, lives)| *lives).count() != 1 {
            findings
                .add(Check::C8, format!("sessions of {user}, by fence, and whether they live: {sessions:?}"));
        }
    }
}
