//! The layers, and what is wrong with them. Every problem is found in one go, not one a start.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use toml::de::{DeTable, DeValue};

use super::{
    check,
    declare::Setting,
    settings::{Config, SETTINGS},
};

/// Names the TOML file; the flag `--config` goes before it.
const FILE_VARIABLE: &str = "HUBBUB_CONFIG";

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nobody said otherwise.
    Default,
    /// A line of the TOML file.
    File(PathBuf, usize),
    /// An environment variable.
    Environment(String),
    /// A flag, without its dashes.
    Flag(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Environment(variable) => f.write_str(variable),
            Self::Flag(flag) => write!(f, "--{flag}"),
        }
    }
}

/// What each value in force came from, by the name of its setting.
#[derive(Clone, Debug, Default)]
pub struct Sources(BTreeMap<&'static str, Source>);

impl Sources {
    /// Where the value of the setting `name` came from.
    pub fn of(&self, name: &str) -> Source {
        self.0.get(name).cloned().unwrap_or(Source::Default)
    }
}

/// One thing that keeps the server from starting, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem(pub String);

/// Everything that keeps the server from starting.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the configuration cannot be used:")?;
        self.0.iter().try_for_each(|problem| writeln!(f, "  - {}", problem.0))
    }
}

/// Puts the layers over each other: defaults, file, `variables` of the environment, `flags`.
///
/// `file` is the flag `--config`; without it the variable `HUBBUB_CONFIG` names the file, and without that there is
/// none. A variable that is set to nothing counts as not set.
///
/// # Errors
/// Everything that is wrong, each with where it is and what would be right; secrets are not repeated.
pub fn load(
    file: Option<&Path>,
    variables: impl IntoIterator<Item = (String, String)>,
    flags: &[(&'static Setting, String)],
) -> Result<(Config, Sources), Problems> {
    let mut layers = Layers::default();
    let variables: Vec<_> = variables.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let named = variables.iter().find(|(name, _)| name == FILE_VARIABLE).map(|(_, path)| Path::new(path));
    if let Some(path) = file.or(named) {
        layers.read_file(path);
    }
    for (name, value) in &variables {
        layers.read_variable(name, value);
    }
    for (setting, value) in flags {
        layers.set(setting, value, Source::Flag(setting.flag.unwrap_or(setting.name)));
    }
    layers.finish()
}

#[derive(Default)]
struct Layers {
    config: Config,
    sources: Sources,
    problems: Vec<Problem>,
    /// A URL was given and cannot be used: that it is missing need not be said as well.
    url_refused: bool,
}

impl Layers {
    fn set(&mut self, setting: &'static Setting, value: &str, source: Source) {
        match (setting.set)(&mut self.config, value.trim()) {
            Ok(()) => {
                self.sources.0.insert(setting.name, source);
            }
            Err(expected) => {
                self.url_refused |= setting.is_secret();
                let value = if setting.is_secret() { String::new() } else { format!(" is {value:?}, but") };
                let colon = if setting.is_secret() { ":" } else { "" };
                self.problem(format!("{}{colon}{value} {expected} ({source})", setting.name));
            }
        }
    }

    fn problem(&mut self, text: String) {
        self.problems.push(Problem(text));
    }

    fn read_variable(&mut self, name: &str, value: &str) {
        if let Some(setting) = SETTINGS.iter().find(|setting| setting.variable == name) {
            self.set(setting, value, Source::Environment(name.to_owned()));
        } else if name.starts_with("HUBBUB_") && name != FILE_VARIABLE && !is_anothers(name, value) {
            let bare = |name: &'static str| name.trim_start_matches("HUBBUB_");
            let wanted = name.trim_start_matches("HUBBUB_");
            let nearest = SETTINGS.iter().min_by_key(|setting| distance(bare(setting.variable), wanted));
            let nearest = nearest.map_or("", |setting| setting.variable);
            self.problem(format!("{name} is no variable of Hubbub; the nearest is {nearest}"));
        }
    }

    fn read_file(&mut self, path: &Path) {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                return self.problem(format!("the file {} cannot be read: {error}", path.display()));
            }
        };
        match DeTable::parse(&text) {
            Ok(table) => self.read_table(path, &text, "", table.get_ref()),
            Err(error) => {
                let line = error.span().map_or(1, |span| line_at(&text, span.start));
                self.problem(format!("{}:{line}: {}", path.display(), error.message()));
            }
        }
    }

    fn read_table(&mut self, path: &Path, text: &str, section: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let name = if section.is_empty() {
                key.get_ref().to_string()
            } else {
                format!("{section}.{}", key.get_ref())
            };
            let source = Source::File(path.to_owned(), line_at(text, key.span().start));
            let known = SETTINGS.iter().find(|setting| setting.name == name);
            match (known, value.get_ref(), written(value.get_ref())) {
                (Some(setting), _, Some(value)) => {
                    // An empty value says "none" here too, where none is possible; elsewhere it is a mistake.
                    self.set(setting, &value, source);
                }
                (None, DeValue::Table(inner), _) if section.is_empty() => {
                    self.read_table(path, text, &name, inner);
                }
                _ => {
                    let nearest = SETTINGS.iter().min_by_key(|setting| distance(setting.name, &name));
                    let nearest = nearest.map_or("", |setting| setting.name);
                    self.problem(format!("{name} is no setting; the nearest is {nearest} ({source})"));
                }
            }
        }
    }

    fn finish(mut self) -> Result<(Config, Sources), Problems> {
        if !self.sources.0.contains_key("ops_listen") {
            let port = self.config.listen.port();
            // Port 0 stays "any free one"; near the end of the range there is room only below.
            let ops_port = if port == 0 { 0 } else { port.checked_add(1000).unwrap_or(port - 1000) };
            self.config.ops_listen.set_port(ops_port);
        }
        self.problems.extend(check::problems(&self.config, self.url_refused).into_iter().map(Problem));
        if self.problems.is_empty() { Ok((self.config, self.sources)) } else { Err(Problems(self.problems)) }
    }
}

/// A value of the file as it would be written in a variable; `None` for a table.
fn written(value: &DeValue<'_>) -> Option<String> {
    Some(match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => i128::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| number.to_string(), |n| n.to_string()),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(values) => {
            values.iter().map(|value| written(value.get_ref())).collect::<Option<Vec<_>>>()?.join(",")
        }
        DeValue::Table(_) => return None,
    })
}

fn line_at(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|byte| *byte == b'\n').count() + 1
}

/// Variables that begin like ours and are not: those of our own tools, examples and tests, and those that Kubernetes sets
/// in every pod beside a service called `hubbub` or `hubbub-…`.
fn is_anothers(name: &str, value: &str) -> bool {
    let tools = ["HUBBUB_BIN", "HUBBUB_URL", "HUBBUB_TOKEN", "HUBBUB_IMAGE_TAG"].contains(&name);
    let tests = name.starts_with("HUBBUB_TEST_");
    let mutant = cfg!(feature = "mutants") && name == "HUBBUB_MUTANT";
    let service = name.ends_with("_SERVICE_HOST") || name.contains("_SERVICE_PORT");
    let port = name.contains("_PORT") && (value.starts_with("tcp://") || value.starts_with("udp://"));
    tools || tests || mutant || service || port || name.contains("_TCP") || name.contains("_UDP")
}

/// Letters to add, remove or change to make one of the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, c) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, d) in other.iter().enumerate() {
            let substituted = diagonal + usize::from(c != *d);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}
