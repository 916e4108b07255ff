//! How the text of a setting becomes its value, and how a value is shown.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

/// A value that can be written in a file, a variable or a flag.
pub(super) trait Value: Sized {
    /// The value that `text` means; the error says what would be right.
    fn parse(text: &str) -> Result<Self, String>;
    /// As it would be written, without secrets.
    fn show(&self) -> String;
}

/// Alone, or in a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A cluster where both URLs are given, alone where neither is.
    Auto,
    /// Alone; a URL is a mistake.
    Embedded,
    /// A node of a cluster; a missing URL is a mistake.
    Cluster,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

macro_rules! words {
    ($($type:ident { $($variant:ident = $word:literal),+ })+) => {$(
        impl Value for $type {
            fn parse(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(format!("it is one of {}", [$($word),+].join(", "))),
                }
            }

            fn show(&self) -> String {
                match self { $(Self::$variant => $word.to_owned(),)+ }
            }
        }
    )+};
}

words! {
    Mode { Auto = "auto", Embedded = "embedded", Cluster = "cluster" }
    LogFormat { Text = "text", Json = "json" }
}

macro_rules! numbers {
    ($($type:ty),+) => {$(
        impl Value for $type {
            fn parse(text: &str) -> Result<Self, String> {
                text.parse().map_err(|_| "it is a whole number, without a unit".to_owned())
            }

            fn show(&self) -> String {
                self.to_string()
            }
        }
    )+};
}

numbers!(u32, u64, usize);

impl Value for bool {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err("it is true or false".to_owned()),
        }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for String {
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.chars().any(char::is_control) {
            return Err("it is a text that can be printed, and not empty".to_owned());
        }
        Ok(text.to_owned())
    }

    fn show(&self) -> String {
        self.clone()
    }
}

impl Value for PathBuf {
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("it is a path".to_owned());
        }
        Ok(Self::from(text))
    }

    fn show(&self) -> String {
        self.display().to_string()
    }
}

impl Value for SocketAddr {
    fn parse(text: &str) -> Result<Self, String> {
        let local = text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
        if let Some(port) = local {
            return Ok(Self::from((Ipv4Addr::LOCALHOST, port)));
        }
        text.parse()
            .map_err(|_| "it is an address with a port, such as 127.0.0.1:8080 or [::]:8080".to_owned())
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl<T: Value> Value for Option<T> {
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() { Ok(None) } else { T::parse(text).map(Some) }
    }

    fn show(&self) -> String {
        self.as_ref().map(T::show).unwrap_or_default()
    }
}

impl<T: Value> Value for Vec<T> {
    fn parse(text: &str) -> Result<Self, String> {
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(T::parse).collect()
    }

    fn show(&self) -> String {
        self.iter().map(T::show).collect::<Vec<_>>().join(",")
    }
}
