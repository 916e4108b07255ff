//! Taking the addresses to listen on, with errors that say what to do.

use std::{io, net::SocketAddr};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpSocket};

/// Connections that wait to be accepted: after a restart every client comes back within a second or two.
const BACKLOG: u32 = 4_096;

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("{address} {why}; choose another address with --{flag} or {variable}")]
pub(super) struct CannotListen {
    address: SocketAddr,
    why: String,
    flag: &'static str,
    variable: &'static str,
}

/// Listens on the address of the setting that `flag` and `variable` belong to.
pub(super) fn listen(
    address: SocketAddr,
    flag: &'static str,
    variable: &'static str,
) -> Result<TcpListener, CannotListen> {
    open(address).map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::AddrInUse => "is taken by another program".to_owned(),
            io::ErrorKind::PermissionDenied => "needs a permission that this user does not have".to_owned(),
            io::ErrorKind::AddrNotAvailable => "is no address of this machine".to_owned(),
            _ => format!("cannot be listened on ({error})"),
        };
        CannotListen { address, why, flag, variable }
    })
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart need not wait for connections of the last run to be forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Each connection is an open file, and the usual limit of a shell is 1024: takes what the system allows.
pub(super) fn allow_many_connections() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current < limit.maximum || limit.maximum.is_none() {
        // Not allowed to is not worth a word: the server runs, and says so when it cannot accept.
        setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::listen;

    #[tokio::test]
    async fn a_taken_port_says_what_to_do() {
        let any = "127.0.0.1:0".parse().unwrap();
        let first = listen(any, "listen", "HUBBUB_LISTEN").unwrap();
        let taken = first.local_addr().unwrap();
        let error = listen(taken, "listen", "HUBBUB_LISTEN").unwrap_err().to_string();
        let expected = "is taken by another program; choose another address with --listen or HUBBUB_LISTEN";
        assert_eq!(error, format!("{taken} {expected}"));
    }

    #[tokio::test]
    async fn a_foreign_address_says_so() {
        let error = listen("192.0.2.1:80".parse().unwrap(), "listen", "HUBBUB_LISTEN").unwrap_err();
        assert!(error.to_string().contains("is no address of this machine"), "{error}");
    }
}
