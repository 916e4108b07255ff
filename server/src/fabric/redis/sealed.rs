//! How an entry lies in Redis: `seq:check:payload`. Bytes that changed on the way, in a cache or on the bus, are
//! noticed and count as lost.

use crate::fabric::types::Payload;

/// Wraps a payload with its seq and a check over both.
pub(super) fn seal(seq: u64, payload: &str) -> Payload {
    Payload::from(format!("{seq}:{:016x}:{payload}", check(seq, payload)))
}

/// The seq and the payload, or `None` when this is not what was sealed.
pub(super) fn unseal(sealed: &Payload) -> Option<(u64, Payload)> {
    let (seq, rest) = sealed.split_once(':')?;
    let (expected, payload) = rest.split_once(':')?;
    let seq = seq.parse().ok()?;
    let intact = u64::from_str_radix(expected, 16).ok()? == check(seq, payload);
    intact.then(|| (seq, sealed.slice(sealed.len() - payload.len()..)))
}

/// FNV-1a, 64 bits: every changed byte changes it. Against accidents, not against people.
fn check(seq: u64, payload: &str) -> u64 {
    let bytes = seq.to_le_bytes().into_iter().chain(payload.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_sealed_is_read_back_and_a_changed_byte_is_noticed(
            seq: u64, payload in ".{0,40}", place: prop::sample::Index, change in 1..=127_u8,
        ) {
            let sealed = seal(seq, &payload);
            prop_assert_eq!(unseal(&sealed), Some((seq, Payload::from(payload))));

            let mut bytes = sealed.into_inner().to_vec();
            let place = place.index(bytes.len());
            let before = bytes[place];
            bytes[place] ^= change;
            // Upper and lower case of a hexadecimal digit mean the same.
            if !before.eq_ignore_ascii_case(&bytes[place]) && let Ok(text) = String::from_utf8(bytes) {
                prop_assert_eq!(unseal(&text.into()), None);
            }
        }
    }
}
