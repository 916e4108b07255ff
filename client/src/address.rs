//! Where a server is.

use std::{fmt, str::FromStr};

/// The address of a node or of the proxy before it: `http://host:port`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServerAddress {
    authority: String,
}

/// An address that is not `http://host:port`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an address is http://host:port")]
pub struct NotAnAddress;

impl ServerAddress {
    /// `host:port`.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The address of the WebSocket.
    pub(crate) fn web_socket_url(&self) -> String {
        format!("ws://{}/v1/ws", self.authority)
    }
}

impl FromStr for ServerAddress {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let authority = text.strip_prefix("http://").ok_or(NotAnAddress)?.trim_end_matches('/');
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, port.parse::<u16>().map_err(|_| NotAnAddress)?),
            None => (authority, 80),
        };
        if host.is_empty() || host.contains(['/', '@', '?', '#']) {
            return Err(NotAnAddress);
        }
        Ok(Self { authority: format!("{host}:{port}") })
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::{NotAnAddress, ServerAddress};

    #[test]
    fn an_address_is_a_host_and_a_port() {
        let authority = |text: &str| text.parse::<ServerAddress>().map(|address| address.authority);
        assert_eq!(authority("http://127.0.0.1:8080/"), Ok("127.0.0.1:8080".to_owned()));
        assert_eq!(authority("http://chat.example"), Ok("chat.example:80".to_owned()));
        for wrong in ["127.0.0.1:8080", "https://chat.example", "http://:80", "http://a/b", "http://a:x"] {
            assert_eq!(authority(wrong), Err(NotAnAddress), "{wrong}");
        }
    }
}
