//! Any command, entry, push and JSON value.

use hubbub_protocol::{
    close::EndReason,
    command::{
        Command, DraftSetParams, MarkerSetParams, MessageEditParams, MessageGetParams, MessageRecallParams,
        MessageSendParams, PingParams, PresenceGetParams, PresenceSetParams, RoomAddParams, RoomCreateParams,
        RoomHistoryParams, RoomInviteParams, RoomJoinParams, RoomListParams, RoomMembersParams, RoomParams,
        RoomReadParams, RoomRemoveParams, RoomRoleParams, RoomUpdateParams, SessionStartParams,
        UserFindParams, UserGetParams, UserUpdateParams,
    },
    entry::{Entry, EntryBody},
    id::{Cursor, EntryId, Epoch, RoomId, Seq, SessionId, StreamId, UserId},
    model::{
        Device, DeviceClass, Draft, Marker, Presence, PresenceState, Preview, Role, Room, RoomKind, Session,
        SessionEnd, User,
    },
    push::{Push, Signal},
};
use proptest::{collection, option, prelude::*, sample::select, strategy::Union};
use serde_json::Value;
use uuid::Uuid;

/// The largest whole number that JSON readers agree on.
const EXACT: u64 = 1 << 53;

fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

fn room_id() -> impl Strategy<Value = RoomId> {
    uuid().prop_map(RoomId)
}

fn user_id() -> impl Strategy<Value = UserId> {
    uuid().prop_map(UserId)
}

fn stream() -> impl Strategy<Value = StreamId> {
    prop_oneof![room_id().prop_map(StreamId::Room), user_id().prop_map(StreamId::User)]
}

fn seq() -> impl Strategy<Value = Seq> {
    (0..EXACT).prop_map(Seq)
}

fn at() -> impl Strategy<Value = i64> {
    0..1_i64 << 53
}

fn text() -> impl Strategy<Value = String> {
    any::<String>()
}

fn role() -> impl Strategy<Value = Role> {
    select(vec![Role::Member, Role::Admin, Role::Owner])
}

fn room_kind() -> impl Strategy<Value = RoomKind> {
    select(vec![RoomKind::Direct, RoomKind::Group, RoomKind::Channel])
}

fn cursor() -> impl Strategy<Value = Cursor> {
    (uuid(), seq()).prop_map(|(epoch, seq)| Cursor { epoch: Epoch(epoch), seq })
}

fn users() -> impl Strategy<Value = Vec<UserId>> {
    collection::vec(user_id(), 0..5)
}

/// Any command.
pub(crate) fn command() -> impl Strategy<Value = Command> {
    Union::new(session_commands().into_iter().chain(room_commands()).chain(message_commands()))
}

fn session_commands() -> Vec<BoxedStrategy<Command>> {
    let start = (text(), collection::btree_map(stream(), cursor(), 0..4))
        .prop_map(|(token, cursors)| Command::SessionStart(SessionStartParams { token, cursors }));
    let get = users().prop_map(|users| Command::UserGet(UserGetParams { users }));
    let find = (text(), option::of(any::<u16>()))
        .prop_map(|(query, limit)| Command::UserFind(UserFindParams { query, limit }));
    let update = text().prop_map(|display_name| Command::UserUpdate(UserUpdateParams { display_name }));
    let ask = (option::of(room_id()), option::of(users()))
        .prop_map(|(room, users)| Command::PresenceGet(PresenceGetParams { room, users }));
    let say = select(vec![PresenceState::Active, PresenceState::Away])
        .prop_map(|state| Command::PresenceSet(PresenceSetParams { state }));
    vec![
        ask.boxed(),
        say.boxed(),
        start.boxed(),
        Just(Command::Ping(PingParams {})).boxed(),
        get.boxed(),
        find.boxed(),
        update.boxed(),
    ]
}

fn room_commands() -> Vec<BoxedStrategy<Command>> {
    let about_room = |command: fn(RoomParams) -> Command| {
        room_id().prop_map(move |room| command(RoomParams { room })).boxed()
    };
    let create =
        (text(), room_kind(), text(), text(), users()).prop_map(|(key, kind, name, topic, members)| {
            Command::RoomCreate(RoomCreateParams { key, kind, name, topic, members })
        });
    let join = (option::of(room_id()), option::of(text()))
        .prop_map(|(room, code)| Command::RoomJoin(RoomJoinParams { room, code }));
    let add = (room_id(), users()).prop_map(|(room, users)| Command::RoomAdd(RoomAddParams { room, users }));
    let remove =
        (room_id(), user_id()).prop_map(|(room, user)| Command::RoomRemove(RoomRemoveParams { room, user }));
    let set_role = (room_id(), user_id(), role())
        .prop_map(|(room, user, role)| Command::RoomRole(RoomRoleParams { room, user, role }));
    let update = (room_id(), option::of(text()), option::of(text()))
        .prop_map(|(room, name, topic)| Command::RoomUpdate(RoomUpdateParams { room, name, topic }));
    let invite =
        (room_id(), option::of(0..EXACT), option::of(0..EXACT)).prop_map(|(room, expires_in_s, max_uses)| {
            Command::RoomInvite(RoomInviteParams { room, expires_in_s, max_uses })
        });
    let list = (option::of(text()), option::of(text()), option::of(any::<u16>()))
        .prop_map(|(query, after, limit)| Command::RoomList(RoomListParams { query, after, limit }));
    let members = (room_id(), option::of(user_id()), option::of(any::<u16>()))
        .prop_map(|(room, after, limit)| Command::RoomMembers(RoomMembersParams { room, after, limit }));
    let read = (room_id(), option::of(seq()), option::of(seq()), option::of(any::<u16>())).prop_map(
        |(room, before, after, limit)| Command::RoomRead(RoomReadParams { room, before, after, limit }),
    );
    let history =
        (room_id(), option::of(seq()), option::of(seq()), option::of(seq()), option::of(any::<u16>()))
            .prop_map(|(room, before, after, around, limit)| {
                Command::RoomHistory(RoomHistoryParams { room, before, after, around, limit })
            });
    vec![
        about_room(Command::RoomLeave),
        about_room(Command::RoomGet),
        about_room(Command::TypingSet),
        create.boxed(),
        join.boxed(),
        add.boxed(),
        remove.boxed(),
        set_role.boxed(),
        update.boxed(),
        invite.boxed(),
        list.boxed(),
        members.boxed(),
        read.boxed(),
        history.boxed(),
    ]
}

fn message_commands() -> Vec<BoxedStrategy<Command>> {
    let send = (room_id(), text(), text(), option::of(seq())).prop_map(|(room, key, text, reply_to)| {
        Command::MessageSend(MessageSendParams { room, key, text, reply_to })
    });
    let edit = (room_id(), text(), seq(), text())
        .prop_map(|(room, key, seq, text)| Command::MessageEdit(MessageEditParams { room, key, seq, text }));
    let recall = (room_id(), text(), seq())
        .prop_map(|(room, key, seq)| Command::MessageRecall(MessageRecallParams { room, key, seq }));
    let get = (room_id(), collection::vec(seq(), 0..5))
        .prop_map(|(room, seqs)| Command::MessageGet(MessageGetParams { room, seqs }));
    let marker = (room_id(), seq()).prop_map(|(room, seq)| Command::MarkerSet(MarkerSetParams { room, seq }));
    let draft = (room_id(), text(), option::of(seq()))
        .prop_map(|(room, text, reply_to)| Command::DraftSet(DraftSetParams { room, text, reply_to }));
    vec![send.boxed(), edit.boxed(), recall.boxed(), get.boxed(), marker.boxed(), draft.boxed()]
}

fn user() -> impl Strategy<Value = User> {
    (user_id(), text(), text()).prop_map(|(id, username, display_name)| User { id, username, display_name })
}

fn device() -> impl Strategy<Value = Device> {
    let class = select(vec![DeviceClass::Desktop, DeviceClass::Phone, DeviceClass::Tablet, DeviceClass::Bot]);
    (text(), class, text()).prop_map(|(id, class, name)| Device { id, class, name })
}

fn session() -> impl Strategy<Value = Session> {
    (uuid(), device(), text(), at(), at(), any::<bool>()).prop_map(
        |(id, device, place, started_at, used_at, current)| Session {
            id: SessionId(id),
            device,
            place,
            started_at,
            used_at,
            current,
        },
    )
}

fn marker() -> impl Strategy<Value = Marker> {
    (seq(), 0..EXACT).prop_map(|(seq, unread)| Marker { seq, unread })
}

fn room() -> impl Strategy<Value = Room> {
    let preview = (seq(), user_id(), option::of(text()), at()).prop_map(|(seq, sender, text, at)| Preview {
        seq,
        sender,
        text,
        at,
    });
    let names = (room_id(), room_kind(), text(), text(), role());
    let places = (0..EXACT, option::of(user()), seq(), marker(), option::of(preview), at());
    (names, places).prop_map(
        |((id, kind, name, topic, role), (member_count, peer, head, marker, last, created_at))| Room {
            id,
            kind,
            name,
            topic,
            role,
            member_count,
            peer,
            head,
            marker,
            last,
            created_at,
        },
    )
}

fn entry_body() -> impl Strategy<Value = EntryBody> {
    Union::new([
        (text(), option::of(seq()))
            .prop_map(|(text, reply_to)| EntryBody::Message { text, reply_to })
            .boxed(),
        (seq(), text()).prop_map(|(target, text)| EntryBody::Edit { target, text }).boxed(),
        seq().prop_map(|target| EntryBody::Recall { target }).boxed(),
        (room_kind(), text())
            .prop_map(|(room_kind, name)| EntryBody::RoomCreated { room_kind, name })
            .boxed(),
        (text(), text()).prop_map(|(name, topic)| EntryBody::RoomUpdated { name, topic }).boxed(),
        user().prop_map(|user| EntryBody::MemberJoined { user }).boxed(),
        user().prop_map(|user| EntryBody::MemberAdded { user }).boxed(),
        user().prop_map(|user| EntryBody::MemberLeft { user }).boxed(),
        user().prop_map(|user| EntryBody::MemberRemoved { user }).boxed(),
        (user_id(), role()).prop_map(|(user, role)| EntryBody::RoleChanged { user, role }).boxed(),
        room().prop_map(|room| EntryBody::RoomJoined { room: Box::new(room) }).boxed(),
        (room_id(), any::<bool>()).prop_map(|(room, removed)| EntryBody::RoomLeft { room, removed }).boxed(),
        (room_id(), marker()).prop_map(|(room, marker)| EntryBody::MarkerMoved { room, marker }).boxed(),
        session().prop_map(|session| EntryBody::SessionStarted { session }).boxed(),
        user().prop_map(|user| EntryBody::ProfileChanged { user }).boxed(),
    ])
}

/// Any entry.
pub(crate) fn entry() -> impl Strategy<Value = Entry> {
    (stream(), seq(), uuid(), at(), user_id(), option::of(text()), entry_body()).prop_map(
        |(stream, seq, id, at, sender, key, body)| Entry {
            stream,
            seq,
            id: EntryId(id),
            at,
            sender,
            key,
            body,
        },
    )
}

fn presence() -> impl Strategy<Value = Presence> {
    let class = select(vec![DeviceClass::Desktop, DeviceClass::Phone, DeviceClass::Tablet, DeviceClass::Bot]);
    let times = (option::of(at()), option::of(at()));
    (user_id(), any::<bool>(), any::<bool>(), collection::vec(class, 0..4), times).prop_map(
        |(user, online, away, devices, (since, last_seen_at))| Presence {
            user,
            online,
            away,
            devices,
            since,
            last_seen_at,
        },
    )
}

fn signal() -> impl Strategy<Value = Signal> {
    let draft = (room_id(), text(), option::of(seq()), at()).prop_map(|(room, text, reply_to, at)| Draft {
        room,
        text,
        reply_to,
        at,
    });
    prop_oneof![
        (room_id(), user_id()).prop_map(|(room, user)| Signal::Typing { room, user }),
        (room_id(), user_id(), seq()).prop_map(|(room, user, seq)| Signal::Read { room, user, seq }),
        draft.prop_map(|draft| Signal::Draft { draft }),
        presence().prop_map(|presence| Signal::Presence { presence }),
    ]
}

fn session_end() -> impl Strategy<Value = SessionEnd> {
    let reason = select(vec![
        EndReason::Displaced,
        EndReason::LoggedOut,
        EndReason::PasswordChanged,
        EndReason::Banned,
        EndReason::AccountDeleted,
        EndReason::Expired,
        EndReason::TokenReused,
    ]);
    (reason, option::of(device()), option::of(text()), at())
        .prop_map(|(reason, device, place, at)| SessionEnd { reason, device, place, at })
}

/// Any push.
pub(crate) fn push() -> impl Strategy<Value = Push> {
    prop_oneof![
        entry().prop_map(Push::Entry),
        signal().prop_map(Push::Signal),
        session_end().prop_map(Push::SessionEnded),
    ]
}

/// Any JSON value, up to some twenty deep.
pub(crate) fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(20, 40, 3, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            collection::btree_map(text(), inner, 0..3)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}
