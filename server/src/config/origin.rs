//! The origin of a page: scheme, host and port, as browsers write it.

use super::value::Value;

/// `https://chat.example.com`: a scheme, a host, and a port where it is not the usual one. No path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

const FORM: &str = "it is a scheme and a host, such as https://chat.example.com, without a path";

impl Origin {
    /// As browsers send it in `Origin`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Host and port, as browsers send them in `Host`.
    pub fn host(&self) -> &str {
        self.0.split_once("://").map_or("", |(_, host)| host)
    }
}

impl Value for Origin {
    fn parse(text: &str) -> Result<Self, String> {
        // What people write and browsers do not: capitals, the usual port, a slash at the end.
        let text = text.trim_end_matches('/').to_ascii_lowercase();
        let (scheme, host) = text.split_once("://").ok_or(FORM)?;
        let usual_port = match scheme {
            "https" => ":443",
            "http" => ":80",
            _ => return Err(FORM.to_owned()),
        };
        let host = host.strip_suffix(usual_port).unwrap_or(host);
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
        if host.is_empty() || !host.chars().all(allowed) {
            return Err(FORM.to_owned());
        }
        Ok(Self(format!("{scheme}://{host}")))
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::{Origin, Value};
    use crate::config::Config;

    fn config(public_url: &str, allowed: &str) -> Config {
        Config {
            public_url: Option::parse(public_url).unwrap(),
            allowed_origins: Vec::parse(allowed).unwrap(),
            ..Config::default()
        }
    }

    #[test]
    fn an_origin_is_kept_as_browsers_write_it() {
        for text in ["https://Chat.example.com/", "https://chat.example.com:443", "https://chat.example.com"]
        {
            assert_eq!(Origin::parse(text).unwrap().as_str(), "https://chat.example.com");
        }
        for text in
            ["chat.example.com", "ftp://a", "https://", "https://a/b", "https://a?b", "https://a b", "null"]
        {
            assert!(Origin::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn without_configuration_a_page_of_the_same_host_may_connect() {
        let config = config("", "");
        assert!(config.allows_origin("http://127.0.0.1:8080", Some("127.0.0.1:8080")));
        assert!(config.allows_origin("https://chat.example.com", Some("chat.example.com")));
        for foreign in ["http://evil.example", "null", "http://127.0.0.1:9999", "ws://127.0.0.1:8080", ""] {
            assert!(!config.allows_origin(foreign, Some("127.0.0.1:8080")), "{foreign}");
        }
        assert!(!config.allows_origin("http://127.0.0.1:8080", None));
    }

    #[test]
    fn a_public_url_is_exact() {
        let config = config("https://good.com", "");
        assert!(config.allows_origin("https://good.com", Some("good.com")));
        assert!(config.allows_origin("https://good.com", Some("10.0.0.7:8080")));
        let foreign = [
            "https://good.com.evil.com",
            "http://good.com",
            "https://Good.com",
            "https://good.com.",
            "https://good.com:8443",
            "https://evil.com",
        ];
        for foreign in foreign {
            assert!(!config.allows_origin(foreign, Some("good.com")), "{foreign}");
        }
    }

    #[test]
    fn a_list_of_origins_is_the_whole_list() {
        let config = config("", "https://a.example, https://b.example:8443");
        assert!(config.allows_origin("https://b.example:8443", Some("chat.example")));
        assert!(!config.allows_origin("https://chat.example", Some("chat.example")));
    }
}
