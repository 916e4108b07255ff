//! One question for every door: may this person do this here.

use hubbub_protocol::{
    error::Reason,
    id::{RoomId, Seq, SessionId, UserId},
    model::{Role, RoomKind},
};

use super::Chat;
use crate::{
    clock,
    error::CommandError,
    store::{rooms, sessions},
};

/// What a member of a room with a name may do, by role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Bring people in, make invitations.
    Invite,
    /// Rename, change the topic.
    Update,
    /// Put out someone with this role.
    Remove(Role),
    /// Give someone with the first role the second.
    SetRole(Role, Role),
    /// Take back someone else's message.
    RecallOthers,
    /// Leave.
    Leave,
}

/// Refuses what the role does not allow. In a direct room nobody may do any of these.
pub(super) fn authorise(role: Role, kind: RoomKind, act: Act) -> Result<(), CommandError> {
    let allowed = kind != RoomKind::Direct
        && match act {
            Act::Invite | Act::Leave => true,
            Act::Update | Act::RecallOthers => role >= Role::Admin,
            Act::Remove(target) => role == Role::Owner || role > target,
            Act::SetRole(from, to) => {
                role == Role::Owner || (role == Role::Admin && from < Role::Owner && to < Role::Owner)
            }
        };
    if allowed { Ok(()) } else { Err(Reason::NotAllowed.into()) }
}

impl Chat {
    /// The newest seq of a room that this person may read.
    ///
    /// # Errors
    /// `unknown_room`, `not_a_member`.
    pub(super) async fn readable(&self, room: RoomId, user: UserId) -> Result<Seq, CommandError> {
        let (_role, head) = rooms::access(&self.0.db, room, user).await?.require()?;
        Ok(head)
    }

    /// Refuses a session that is over. For what is not written to a stream, where the transaction asks.
    pub(super) async fn require_live(&self, session: SessionId) -> Result<(), CommandError> {
        let ended = sessions::ended_among(&self.0.db, &[session], clock::now_ms()).await?;
        if ended.is_empty() { Ok(()) } else { Err(Reason::SessionEnded.into()) }
    }
}

#[cfg(test)]
mod tests {
    use hubbub_protocol::model::{
        Role::{Admin, Member, Owner},
        RoomKind::{Channel, Direct, Group},
    };

    use super::{Act, authorise};

    #[test]
    fn each_role_may_what_the_table_says() {
        // (act, member, admin, owner)
        let table = [
            (Act::Invite, true, true, true),
            (Act::Leave, true, true, true),
            (Act::Update, false, true, true),
            (Act::RecallOthers, false, true, true),
            (Act::Remove(Member), false, true, true),
            (Act::Remove(Admin), false, false, true),
            (Act::Remove(Owner), false, false, true),
            (Act::SetRole(Member, Admin), false, true, true),
            (Act::SetRole(Admin, Member), false, true, true),
            (Act::SetRole(Member, Owner), false, false, true),
            (Act::SetRole(Owner, Member), false, false, true),
        ];
        for (act, member, admin, owner) in table {
            for (role, expected) in [(Member, member), (Admin, admin), (Owner, owner)] {
                assert_eq!(authorise(role, Group, act).is_ok(), expected, "{act:?} {role:?}");
                assert_eq!(authorise(role, Channel, act).is_ok(), expected, "{act:?} {role:?}");
                assert!(authorise(role, Direct, act).is_err(), "{act:?} {role:?}");
            }
        }
    }
}
