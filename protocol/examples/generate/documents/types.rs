//! Every type of the wire, in the order in which documents show them.

use hubbub_protocol::{close, command, entry, error, http, id, model, push};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};
use ts_rs::TS;

/// A type as a TypeScript module declares it.
pub(super) struct TypeScriptType {
    /// Its name.
    pub(super) name: String,
    /// Its comment, with a line end; empty for none.
    pub(super) docs: String,
    /// `type Name = …;`
    pub(super) declaration: String,
    /// Names of the types it mentions.
    pub(super) mentions: Vec<String>,
}

macro_rules! wire_types {
    ($($module:ident { $($name:ident)+ })+) => {
        /// Every type, declared in TypeScript.
        pub(super) fn typescript(config: &ts_rs::Config) -> Vec<TypeScriptType> {
            vec![$($(declare::<$module::$name>(config),)+)+]
        }

        /// The JSON Schema of every type, by name.
        pub(super) fn schemas(settings: SchemaSettings) -> Map<String, Value> {
            let mut generator = settings.into_generator();
            $($(let _ = generator.subschema_for::<$module::$name>();)+)+
            generator.take_definitions(true)
        }
    };
}

wire_types! {
    id { UserId RoomId SessionId EntryId Epoch StreamId Seq Cursor }
    model {
        User DeviceClass Device Session SessionEnd RoomKind Role Marker Preview Room PublicRoom Member TimelineItem
        Recalled Draft Presence PresenceState Invite
    }
    close { EndReason }
    entry { Entry EntryBody }
    push { Push Signal }
    error { Reason ErrorObject ErrorData Problem }
    command {
        SessionStartParams SessionStartResult Resume Limits PingParams PingResult Empty RoomParams RoomCreateParams
        RoomResult RoomJoinParams SeqResult RoomAddParams RoomRemoveParams RoomRoleParams RoomUpdateParams
        RoomInviteParams RoomListParams RoomListResult RoomMembersParams RoomMembersResult RoomReadParams EntriesPage
        RoomHistoryParams HistoryPage MessageSendParams Sent MessageEditParams MessageRecallParams MessageGetParams
        MessagesResult MarkerSetParams DraftSetParams DraftResult PresenceGetParams PresenceResult
        PresenceSetParams UserGetParams UserFindParams UsersResult
        UserUpdateParams UserResult
    }
    http {
        SignUp Account LogIn LoggedIn Refresh Sessions ServerInfo SignInWay SessionPolicy SessionScope PasswordRules
        InviteInfo Activity ActivityDay ActiveRoom ActivePerson Readiness
    }
}

fn declare<T: TS + 'static>(config: &ts_rs::Config) -> TypeScriptType {
    TypeScriptType {
        name: T::ident(config),
        docs: T::docs().unwrap_or_default(),
        declaration: T::decl(config),
        mentions: T::dependencies(config).into_iter().map(|dependency| dependency.ts_name).collect(),
    }
}
