//! Who asks, and from where.

use std::{convert::Infallible, net::IpAddr};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header::AUTHORIZATION, request::Parts},
};
use hubbub_protocol::error::Reason;

use super::{Services, connection::Peer, error::ApiError};
use crate::{
    accounts::Caller,
    config::{client_address, place},
};

/// Someone with a live session: `Authorization: Bearer <access token>`.
pub(super) struct Authenticated(pub(super) Caller);

impl FromRequestParts<Services> for Authenticated {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, services: &Services) -> Result<Self, ApiError> {
        let token = bearer(&parts.headers).ok_or(Reason::Unauthenticated)?;
        Ok(Self(services.accounts.authenticate(token).await?))
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Where a request comes from.
#[derive(Clone, Copy)]
pub(super) struct ClientAddress(pub(super) IpAddr);

impl ClientAddress {
    /// What people are shown of it.
    pub(super) fn place(self) -> String {
        place(self.0)
    }
}

impl FromRequestParts<Services> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, services: &Services) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<Peer>().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0);
        let lines = parts.headers.get_all("x-forwarded-for").into_iter();
        let lines = lines.filter_map(|line| line.to_str().ok());
        Ok(Self(client_address(peer, lines, &services.config.trusted_proxies)))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, header::AUTHORIZATION};

    use super::bearer;

    #[test]
    fn a_token_comes_in_one_form() {
        let token = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, value.parse().unwrap());
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(token("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(token("bearer  abc").as_deref(), Some("abc"));
        assert_eq!(token("Basic abc"), None);
        assert_eq!(token("abc"), None);
        assert_eq!(bearer(&HeaderMap::new()), None);
    }
}
