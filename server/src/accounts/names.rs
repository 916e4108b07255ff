//! What usernames and display names may be.

use hubbub_protocol::{
    limits::{DEVICE_CHARS, DISPLAY_NAME_CHARS, USERNAME_CHARS},
    model::Device,
};

use crate::error::CommandError;

/// A username in the form it is kept in: lower case.
///
/// # Errors
/// `invalid_params` unless it is 2 to 32 letters, digits, `.`, `_`, `-`, the first a letter or digit.
pub fn username(name: &str) -> Result<String, CommandError> {
    let name = name.to_ascii_lowercase();
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
    let begins_well = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if USERNAME_CHARS.contains(&name.chars().count()) && begins_well && name.chars().all(allowed) {
        return Ok(name);
    }
    let rule = "a username has 2 to 32 letters, digits, '.', '_' or '-', and begins with a letter or digit";
    Err(CommandError::invalid("username", rule))
}

/// A display name, trimmed.
///
/// # Errors
/// `invalid_params` unless it is 1 to 64 characters that can be seen.
pub fn display_name(name: &str) -> Result<String, CommandError> {
    let name = name.trim();
    if !(1..=DISPLAY_NAME_CHARS).contains(&name.chars().count()) {
        return Err(CommandError::invalid("display_name", "a display name has 1 to 64 characters"));
    }
    if name.chars().any(disguises) {
        return Err(CommandError::invalid(
            "display_name",
            "control and invisible characters are not allowed",
        ));
    }
    Ok(name.to_owned())
}

/// A device, with an empty name replaced by its class.
pub(super) fn device(device: Device) -> Result<Device, CommandError> {
    let Device { id, class, name } = device;
    if !(1..=DEVICE_CHARS).contains(&id.chars().count()) || id.chars().any(char::is_control) {
        return Err(CommandError::invalid("device.id", "the id of a device has 1 to 100 characters"));
    }
    let name: String = name.trim().chars().filter(|c| !disguises(*c)).collect();
    if name.chars().count() > DEVICE_CHARS {
        return Err(CommandError::invalid("device.name", "the name of a device has at most 100 characters"));
    }
    let name = if name.is_empty() { class.as_str().to_owned() } else { name };
    Ok(Device { id, class, name })
}

/// Whether a character can make a name look like another: controls, bidirectional overrides, zero-width ones.
pub fn disguises(c: char) -> bool {
    let invisible = ['\u{200B}'..='\u{200F}', '\u{202A}'..='\u{202E}', '\u{2060}'..='\u{2069}'];
    c.is_control() || c == '\u{FEFF}' || invisible.iter().any(|range| range.contains(&c))
}

#[cfg(test)]
mod tests {
    use hubbub_protocol::model::{Device, DeviceClass};

    use super::{device, display_name, username};

    #[test]
    fn usernames_are_kept_in_lower_case() {
        assert_eq!(username("Ann.B_2-x").ok().as_deref(), Some("ann.b_2-x"));
        for bad in ["a", "", "-ann", "an n", "änn", "ann\0", &"a".repeat(33)] {
            assert!(username(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn display_names_can_be_seen() {
        assert_eq!(display_name("  林薇 ").ok().as_deref(), Some("林薇"));
        for bad in ["", "   ", "a\u{202E}b", "a\u{200B}b", "a\nb", &"n".repeat(65)] {
            assert!(display_name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_device_has_a_name() {
        let named = |name: &str| Device { id: "d".into(), class: DeviceClass::Phone, name: name.into() };
        assert_eq!(device(named(" ")).map(|device| device.name).ok().as_deref(), Some("phone"));
        assert!(device(Device { id: String::new(), ..named("x") }).is_err());
        assert!(device(named(&"n".repeat(101))).is_err());
    }
}
