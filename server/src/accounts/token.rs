//! Opaque tokens: 256 random bits, stored as their SHA-256.
//!
//! A token is looked up by its hash, so no comparison of secrets takes longer for a better guess.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{digest, error::CommandError};

/// Longest token that is looked at; ours have 43 characters.
const LONGEST: usize = 128;

/// A new token, and what is stored of it.
pub(super) struct Minted {
    pub(super) token: String,
    pub(super) hash: String,
}

/// Makes a token.
pub(super) fn mint() -> Result<Minted, CommandError> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| CommandError::Internal(error.to_string().into()))?;
    let token = URL_SAFE_NO_PAD.encode(bytes);
    let hash = digest::of(&token);
    Ok(Minted { token, hash })
}

/// What is stored of a token that someone shows; `None` for what cannot be one.
pub(super) fn hash(token: &str) -> Option<String> {
    (!token.is_empty() && token.len() <= LONGEST).then(|| digest::of(token))
}

#[cfg(test)]
mod tests {
    use super::{hash, mint};

    #[test]
    fn a_token_is_found_by_its_hash() {
        let minted = mint().expect("randomness");
        assert_eq!((minted.token.len(), hash(&minted.token)), (43, Some(minted.hash)));
        assert_ne!(mint().expect("randomness").token, minted.token);
        assert_eq!((hash(""), hash(&"x".repeat(129))), (None, None));
    }
}
