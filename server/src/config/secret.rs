//! URLs that hold a password: shown without it, and refused when it is one from an example.

use std::fmt;

use super::value::Value;

/// A URL with a password in it. Neither `Debug` nor `Display` shows the password.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(String);

/// Passwords of examples and tutorials: whoever scans for servers tries them first.
const SAMPLES: &[&str] = &[
    "changeme",
    "change-me",
    "change_me",
    "changeit",
    "password",
    "passwd",
    "secret",
    "example",
    "sample",
    "your-password",
    "your_password",
    "yourpassword",
    "replace-me",
    "replace_me",
    "replaceme",
];

/// What every kind of database and Redis URL begins with.
const SCHEMES: &[&str] = &[
    "postgres",
    "postgresql",
    "redis",
    "rediss",
    "redis-cluster",
    "rediss-cluster",
    "redis-sentinel",
    "rediss-sentinel",
];

struct Parts<'a> {
    scheme: &'a str,
    user: Option<&'a str>,
    password: Option<&'a str>,
    /// Host, port, path and query.
    rest: &'a str,
}

fn parts(url: &str) -> Option<Parts<'_>> {
    let (scheme, after) = url.split_once("://")?;
    let authority = &after[..after.find(['/', '?', '#']).unwrap_or(after.len())];
    let (user_info, rest) = match authority.rfind('@') {
        Some(at) => (Some(&after[..at]), &after[at + 1..]),
        None => (None, after),
    };
    let (user, password) = match user_info.map(|info| info.split_once(':').ok_or(info)) {
        Some(Ok((user, password))) => (Some(user), Some(password)),
        Some(Err(user)) => (Some(user), None),
        None => (None, None),
    };
    Some(Parts { scheme, user, password, rest })
}

impl SecretUrl {
    /// The whole URL, for whoever connects with it. Never log it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The URL with its passwords replaced.
    pub fn redacted(&self) -> String {
        let Some(parts) = parts(&self.0) else { return "***".to_owned() };
        let user_info = match (parts.user, parts.password) {
            (Some(user), Some(_)) => format!("{user}:***@"),
            (Some(user), None) => format!("{user}@"),
            (None, _) => String::new(),
        };
        let (place, query) = parts.rest.split_once('?').map_or((parts.rest, None), |(p, q)| (p, Some(q)));
        let query = query.map(|query| {
            let kept = query.split('&').map(|pair| match pair.split_once('=') {
                Some((name, _)) if name.to_ascii_lowercase().contains("pass") => format!("{name}=***"),
                _ => pair.to_owned(),
            });
            format!("?{}", kept.collect::<Vec<_>>().join("&"))
        });
        format!("{}://{user_info}{place}{}", parts.scheme, query.unwrap_or_default())
    }

    /// Whether it names a PostgreSQL database; if not, it names a Redis.
    pub fn is_postgres(&self) -> bool {
        self.0.starts_with("postgres://") || self.0.starts_with("postgresql://")
    }

    /// Whether it names a Redis that is spoken to over TLS.
    pub(super) fn is_encrypted(&self) -> bool {
        self.0.starts_with("rediss")
    }
}

impl Value for SecretUrl {
    fn parse(text: &str) -> Result<Self, String> {
        let parts = parts(text).ok_or("it is a URL, such as postgres://user:password@host/name")?;
        if !SCHEMES.contains(&parts.scheme) {
            return Err(format!("it begins with one of {}", SCHEMES.join(", ")));
        }
        if parts.rest.is_empty() || parts.rest.starts_with(['/', ':', '?', '#']) {
            return Err("the host is missing".to_owned());
        }
        let is_redis = !parts.scheme.starts_with("postgres");
        match parts.password {
            Some("") => {
                return Err("the password is empty: a variable in it may not have been set".to_owned());
            }
            None if is_redis && parts.user.is_some() => {
                return Err("it has a user but no password; write redis://user:password@host".to_owned());
            }
            Some(password) if SAMPLES.contains(&password.to_ascii_lowercase().as_str()) => {
                return Err(
                    "the password is one from an example; make one with `openssl rand -hex 24`".to_owned()
                );
            }
            _ => {}
        }
        Ok(Self(text.to_owned()))
    }

    fn show(&self) -> String {
        self.redacted()
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.redacted())
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.redacted())
    }
}

#[cfg(test)]
mod tests {
    use super::{SecretUrl, Value};

    fn url(text: &str) -> SecretUrl {
        SecretUrl::parse(text).expect("a good URL")
    }

    #[test]
    fn a_password_is_never_shown() {
        let shown = [
            ("postgres://ann:t0p@db:5432/hubbub", "postgres://ann:***@db:5432/hubbub"),
            ("redis://:t0p@cache:6379/2", "redis://:***@cache:6379/2"),
            ("rediss://ann:t0p@r@cache", "rediss://ann:***@cache"),
            ("redis://cache", "redis://cache"),
            (
                "postgres://ann@db/x?sslmode=require&sslpassword=t0p",
                "postgres://ann@db/x?sslmode=require&sslpassword=***",
            ),
            (
                "redis-sentinel://a:t0p@s:26379?sentinelPassword=t0p",
                "redis-sentinel://a:***@s:26379?sentinelPassword=***",
            ),
        ];
        for (text, redacted) in shown {
            let url = url(text);
            assert_eq!(url.redacted(), redacted);
            assert_eq!((format!("{url:?}"), format!("{url}")), (redacted.to_owned(), redacted.to_owned()));
            assert_eq!(url.expose(), text);
        }
    }

    #[test]
    fn sample_secrets_are_refused_and_the_refusal_does_not_repeat_them() {
        let refused = [
            "postgres://ann:changeme@db/x",
            "redis://:Password@cache",
            "redis://default:secret@cache",
            "redis://default:@cache",
            "redis://default@cache",
            "redis://:@cache",
            "postgres://ann:@db/x",
            "mysql://ann:t0p@db/x",
            "postgres://ann:t0p@/x",
            "db.example.com",
        ];
        for text in refused {
            let error = SecretUrl::parse(text).expect_err(text);
            assert!(!error.contains("changeme") && !error.contains("t0p"), "{error}");
        }
    }
}
