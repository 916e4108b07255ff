//! The form in which settings are declared, once each.

use super::{settings::Config, value::Value};

/// One setting as the documentation, the file, the environment and the flags know it.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The key in the TOML file, with its section: `drain.grace_s`.
    pub name: &'static str,
    /// The environment variable.
    pub variable: &'static str,
    /// The flag without its dashes, where there is one.
    pub flag: Option<&'static str>,
    /// What the value is: a unit, or the form of the text.
    pub unit: &'static str,
    /// The default, as it would be written; empty for none.
    pub default: &'static str,
    /// Least and most, where there are such.
    pub range: Option<&'static str>,
    /// What it does, in one line.
    pub doc: &'static str,
    /// Parses, checks and sets the value; the error says what would be right.
    pub(super) set: fn(&mut Config, &str) -> Result<(), String>,
    /// The value in force as text, without its secrets.
    pub(super) show: fn(&Config) -> String,
}

/// The value of a default, which a test has parsed.
pub(super) fn default<T: Value>(text: &'static str) -> T {
    T::parse(text).expect("the test `every_default_is_valid` has parsed it")
}

/// Refuses what is outside of `range`.
pub(super) fn within<T>(value: T, range: &std::ops::RangeInclusive<T>) -> Result<T, String>
where
    T: PartialOrd + std::fmt::Display,
{
    if range.contains(&value) {
        return Ok(value);
    }
    Err(format!("{value} is outside of {} to {}", range.start(), range.end()))
}

/// Declares [`Config`], its sections and the table of settings, each setting in one place:
///
/// `name: Type = "default", "HUBBUB_NAME", "unit" [, flag "name"] [, within 1..=9];`
macro_rules! settings {
    (
        $(#[doc = $config_doc:literal])*
        Config {
            $($(#[doc = $doc:literal])+ $field:ident: $type:ty = $default:literal, $variable:literal, $unit:literal
                $(, flag $flag:literal)? $(, within $range:expr)?;)*
        }
        $($(#[doc = $section_doc:literal])+ $section:ident: $Section:ident {
            $($(#[doc = $s_doc:literal])+ $s_field:ident: $s_type:ty = $s_default:literal, $s_variable:literal,
                $s_unit:literal $(, flag $s_flag:literal)? $(, within $s_range:expr)?;)*
        })*
    ) => {
        $(#[doc = $config_doc])*
        #[derive(Clone, Debug)]
        pub struct Config {
            $($(#[doc = $doc])+ pub $field: $type,)*
            $($(#[doc = $section_doc])+ pub $section: $Section,)*
        }

        $($(#[doc = $section_doc])+
        #[derive(Clone, Debug)]
        pub struct $Section { $($(#[doc = $s_doc])+ pub $s_field: $s_type,)* })*

        impl Default for Config {
            fn default() -> Self {
                Self {
                    $($field: crate::config::declare::default($default),)*
                    $($section: $Section { $($s_field: crate::config::declare::default($s_default),)* },)*
                }
            }
        }

        /// Every setting, in the order of the documentation.
        pub const SETTINGS: &[Setting] = &[
            $(settings!(@one [stringify!($field)] [$field] $type = $default, $variable, $unit,
                [$($flag)?] [$($range)?] [$($doc)+]),)*
            $($(settings!(@one [concat!(stringify!($section), ".", stringify!($s_field))] [$section.$s_field]
                $s_type = $s_default, $s_variable, $s_unit, [$($s_flag)?] [$($s_range)?] [$($s_doc)+]),)*)*
        ];
    };
    (@one [$name:expr] [$($place:tt)+] $type:ty = $default:literal, $variable:literal, $unit:literal,
        [$($flag:literal)?] [$($range:expr)?] [$($doc:literal)+]) => {
        Setting {
            name: $name,
            variable: $variable,
            flag: settings!(@option $($flag)?),
            unit: $unit,
            default: $default,
            range: settings!(@option $(stringify!($range))?),
            doc: concat!($($doc),+),
            set: |config, text| {
                let value = <$type as Value>::parse(text)?;
                $(let value = crate::config::declare::within(value, &$range)?;)?
                config.$($place)+ = value;
                Ok(())
            },
            show: |config| Value::show(&config.$($place)+),
        }
    };
    (@option) => { None };
    (@option $value:expr) => { Some($value) };
}

pub(super) use settings;
