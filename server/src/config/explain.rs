//! The settings as people read them.

use std::fmt::Write as _;

use super::{
    declare::Setting,
    load::Sources,
    settings::{Config, SETTINGS},
};

impl Setting {
    /// Whether its value may hold a password.
    pub fn is_secret(&self) -> bool {
        self.unit == "URL"
    }

    /// What it does, in one line.
    pub fn summary(&self) -> String {
        self.doc.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The value in force as text, without its secrets; `none` where there is none.
    pub fn shown(&self, config: &Config) -> String {
        let value = (self.show)(config);
        if value.is_empty() { "none".to_owned() } else { value }
    }

    /// Unit and range, in words.
    fn form(&self) -> String {
        let range = self.range.map(|range| range.replace('_', "").replace("..=", " to "));
        range.map_or_else(|| self.unit.to_owned(), |range| format!("{}, {range}", self.unit))
    }
}

/// Every value in force with where it came from, one line each: `name = value (source)`.
pub fn table(config: &Config, sources: &Sources) -> String {
    let rows: Vec<_> = SETTINGS.iter().map(|setting| (setting.name, setting.shown(config))).collect();
    let names = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let values = rows.iter().map(|(_, value)| value.chars().count()).max().unwrap_or(0).min(32);
    let mut text = String::new();
    for (name, value) in rows {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{name:names$} = {value:values$} ({})", sources.of(name));
    }
    text
}

/// What stands before the reference in its file.
pub const REFERENCE_BELOW: &str =
    "<!-- Below: written by `hubbub config docs --into docs/configuration.md`. -->\n";

/// The reference of all settings, as `docs/configuration.md` holds it.
pub fn reference() -> String {
    let mut text = String::new();
    let mut section = None;
    for setting in SETTINGS {
        let (in_section, _) = setting.name.split_once('.').unwrap_or(("", setting.name));
        if section != Some(in_section) {
            section = Some(in_section);
            let title =
                if in_section.is_empty() { "The server".to_owned() } else { format!("`[{in_section}]`") };
            let _ = write!(
                text,
                "\n### {title}\n\n| setting | variable | flag | is | default |\n|---|---|---|---|---|\n"
            );
        }
        let flag = setting.flag.map_or(String::new(), |flag| format!("`--{flag}`"));
        let default =
            if setting.default.is_empty() { "none".to_owned() } else { format!("`{}`", setting.default) };
        let _ = writeln!(
            text,
            "| `{}`: {} | `{}` | {flag} | {} | {default} |",
            setting.name,
            setting.summary(),
            setting.variable,
            setting.form(),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{REFERENCE_BELOW, reference};

    #[test]
    fn the_reference_is_fresh() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
        let text = std::fs::read_to_string(file).unwrap();
        let (_, written) = text.split_once(REFERENCE_BELOW).expect("the marker");
        assert!(written == reference(), "run `cargo run -- config docs --into docs/configuration.md`");
    }
}
