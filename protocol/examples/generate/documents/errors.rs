//! Which method and which address may answer with which error.

use hubbub_protocol::error::Reason::{
    self, AlreadyStarted, Internal, InvalidParams, KeyConflict, LastOwner, MalformedJson, MissingParameter,
    NotAMember, NotAllowed, Recalled, SessionEnded, TooFrequent, TooLarge, Unauthenticated, Unavailable,
    UnknownInvite, UnknownMessage, UnknownRoom, UnknownUser, UnsupportedMediaType,
};

use super::endpoints::Endpoint;

/// What every method can be answered with.
pub(super) const OF_EVERY_METHOD: &[Reason] =
    &[InvalidParams, TooFrequent, Unauthenticated, SessionEnded, Unavailable, Internal];

/// What a method can be answered with beside [`OF_EVERY_METHOD`].
pub(super) fn of_method(name: &str) -> &'static [Reason] {
    match name {
        "session.start" => &[MissingParameter, AlreadyStarted, TooLarge],
        "ping" | "room.list" => &[],
        "room.create" => &[MissingParameter, UnknownUser, KeyConflict, TooLarge],
        "room.join" => &[UnknownRoom, UnknownInvite, NotAllowed],
        "room.leave" => &[MissingParameter, UnknownRoom, NotAMember, NotAllowed, LastOwner],
        "room.add" => &[MissingParameter, UnknownRoom, NotAMember, NotAllowed, UnknownUser, TooLarge],
        "room.remove" => &[MissingParameter, UnknownRoom, NotAMember, NotAllowed, UnknownUser],
        "room.role" => &[MissingParameter, UnknownRoom, NotAMember, NotAllowed, UnknownUser, LastOwner],
        "room.update" => &[MissingParameter, UnknownRoom, NotAMember, NotAllowed, TooLarge],
        "room.invite" => &[MissingParameter, UnknownRoom, NotAMember, NotAllowed],
        "room.get" | "room.members" | "room.read" | "room.history" | "marker.set" | "typing.set" => {
            &[MissingParameter, UnknownRoom, NotAMember]
        }
        "message.send" => {
            &[MissingParameter, UnknownRoom, NotAMember, KeyConflict, UnknownMessage, Recalled, TooLarge]
        }
        "message.edit" => &[
            MissingParameter,
            UnknownRoom,
            NotAMember,
            NotAllowed,
            KeyConflict,
            UnknownMessage,
            Recalled,
            TooLarge,
        ],
        "message.recall" => {
            &[MissingParameter, UnknownRoom, NotAMember, NotAllowed, KeyConflict, UnknownMessage, Recalled]
        }
        "message.get" | "draft.set" => &[MissingParameter, UnknownRoom, NotAMember, TooLarge],
        "presence.get" => &[UnknownRoom, NotAMember, TooLarge],
        "user.get" => &[MissingParameter, TooLarge],
        "presence.set" | "user.find" | "user.update" => &[MissingParameter],
        other => panic!("say in errors.rs which errors {other} has"),
    }
}

/// What an address can be answered with.
pub(super) fn of_endpoint(endpoint: &Endpoint) -> Vec<Reason> {
    let mut reasons = endpoint.errors.to_vec();
    if endpoint.body.is_some() {
        reasons.extend([MalformedJson, InvalidParams, MissingParameter, TooLarge, UnsupportedMediaType]);
    }
    if endpoint.signed_in {
        reasons.extend([Unauthenticated, SessionEnded]);
    }
    if endpoint.path.starts_with("/v1/") {
        reasons.extend([TooFrequent, Unavailable, Internal]);
    }
    reasons.sort_unstable_by_key(|reason| Reason::ALL.iter().position(|known| known == reason));
    reasons.dedup();
    reasons
}
