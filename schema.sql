-- The whole schema of Hubbub, for PostgreSQL and for SQLite: only what both understand.
-- The server applies it at start, one node at a time; every statement can be run again.
-- Ids are UUIDv7, times are milliseconds since 1970-01-01 UTC, names end in their unit.
-- What changed since an older version is in server/src/store/migrate.rs.

-- One row: the life of this database. Cursors of another epoch are told to reload.
CREATE TABLE IF NOT EXISTS epoch (
    one BIGINT PRIMARY KEY NOT NULL,
    epoch_id UUID NOT NULL,
    schema_version BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS users (
    id UUID PRIMARY KEY NOT NULL,
    username TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL,
    -- What user.find compares: lower case.
    display_name_folded TEXT NOT NULL,
    -- PHC string of argon2id; null for an account that has no password.
    password_hash TEXT,
    -- Grows by one with every login; a session carries the value it was made with.
    fence BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS users_by_display_name ON users (display_name_folded);

CREATE TABLE IF NOT EXISTS sessions (
    id UUID PRIMARY KEY NOT NULL,
    user_id UUID NOT NULL REFERENCES users (id),
    fence BIGINT NOT NULL,
    device_id TEXT NOT NULL,
    device_class TEXT NOT NULL,
    device_name TEXT NOT NULL,
    place TEXT NOT NULL,
    -- SHA-256 of the tokens, in hexadecimal.
    access_hash TEXT NOT NULL UNIQUE,
    access_expires_at_ms BIGINT NOT NULL,
    refresh_hash TEXT NOT NULL UNIQUE,
    refresh_expires_at_ms BIGINT NOT NULL,
    -- The refresh token before this one: whoever shows it again ends the session.
    spent_refresh_hash TEXT UNIQUE,
    started_at_ms BIGINT NOT NULL,
    used_at_ms BIGINT NOT NULL,
    -- Null while the session lives; every write asks for that under a share lock.
    ended_at_ms BIGINT,
    end_reason TEXT,
    -- The device, class, name and place that ended it, where one did (JSON).
    ended_by TEXT
);
CREATE INDEX IF NOT EXISTS sessions_of_user ON sessions (user_id, started_at_ms);

-- When people were last online; who is online now is not in SQL. Written behind.
CREATE TABLE IF NOT EXISTS last_seen (
    user_id UUID PRIMARY KEY NOT NULL REFERENCES users (id),
    at_ms BIGINT NOT NULL
);

-- A stream is the log of a room or of a user; its id is theirs.
CREATE TABLE IF NOT EXISTS streams (
    id UUID PRIMARY KEY NOT NULL,
    -- Seq of the newest entry; a write locks this row first, so that commit order is seq order.
    head BIGINT NOT NULL,
    -- Messages so far: the ordinal of the newest.
    messages BIGINT NOT NULL,
    -- Seq of the newest message, 0 for none.
    last_message_seq BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS entries (
    stream_id UUID NOT NULL REFERENCES streams (id),
    seq BIGINT NOT NULL,
    id UUID NOT NULL,
    at_ms BIGINT NOT NULL,
    sender_id UUID NOT NULL,
    kind TEXT NOT NULL,
    -- What is proper to the kind (JSON object).
    body TEXT NOT NULL,
    -- Idempotency key of the sender, and SHA-256 of what it was used for, in hexadecimal.
    idempotency_key TEXT,
    key_digest TEXT,
    PRIMARY KEY (stream_id, seq)
);
CREATE UNIQUE INDEX IF NOT EXISTS entries_by_key
    ON entries (stream_id, sender_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
-- What was written lately: nodes compare it with what they heard.
CREATE INDEX IF NOT EXISTS entries_by_time ON entries (at_ms);

CREATE TABLE IF NOT EXISTS rooms (
    id UUID PRIMARY KEY NOT NULL REFERENCES streams (id),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    name_folded TEXT NOT NULL,
    topic TEXT NOT NULL,
    -- Both people of a direct room, "<lower id>:<higher id>"; one such room a pair.
    direct_key TEXT UNIQUE,
    member_count BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS rooms_by_name ON rooms (kind, name_folded);

CREATE TABLE IF NOT EXISTS members (
    room_id UUID NOT NULL REFERENCES rooms (id),
    user_id UUID NOT NULL REFERENCES users (id),
    role TEXT NOT NULL,
    joined_at_ms BIGINT NOT NULL,
    -- Seq of the entry that brought them in.
    joined_seq BIGINT NOT NULL,
    -- The read marker: newest entry read, and the ordinal of the newest message at or below it.
    marker_seq BIGINT NOT NULL,
    marker_ordinal BIGINT NOT NULL,
    PRIMARY KEY (room_id, user_id)
);
CREATE INDEX IF NOT EXISTS members_of_user ON members (user_id, room_id);

-- The same log folded: messages with their present text. Written in the transaction of their entries.
CREATE TABLE IF NOT EXISTS messages (
    room_id UUID NOT NULL REFERENCES rooms (id),
    seq BIGINT NOT NULL,
    -- Its number among the messages of its room, so that unread counts are a subtraction.
    ordinal BIGINT NOT NULL,
    sender_id UUID NOT NULL,
    at_ms BIGINT NOT NULL,
    -- Empty once recalled.
    text TEXT NOT NULL,
    reply_to BIGINT,
    edited_at_ms BIGINT,
    recalled_at_ms BIGINT,
    recalled_by UUID,
    PRIMARY KEY (room_id, seq)
);
CREATE UNIQUE INDEX IF NOT EXISTS messages_by_ordinal ON messages (room_id, ordinal);
-- What counting by day reads.
CREATE INDEX IF NOT EXISTS messages_by_time ON messages (at_ms, room_id, sender_id);

CREATE TABLE IF NOT EXISTS invites (
    code TEXT PRIMARY KEY NOT NULL,
    room_id UUID NOT NULL REFERENCES rooms (id),
    invited_by UUID NOT NULL REFERENCES users (id),
    expires_at_ms BIGINT NOT NULL,
    -- Null for without limit.
    uses_left BIGINT
);

-- Written behind the drafts in the fabric.
CREATE TABLE IF NOT EXISTS drafts (
    user_id UUID NOT NULL REFERENCES users (id),
    room_id UUID NOT NULL REFERENCES rooms (id),
    text TEXT NOT NULL,
    reply_to BIGINT,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (user_id, room_id)
);
