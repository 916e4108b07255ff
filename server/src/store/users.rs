//! Accounts.

use std::collections::HashSet;

use hubbub_protocol::{id::UserId, model::User};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{Db, Tx, list, on, on_tx};

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// As others will see it.
    pub user: User,
    /// PHC string; absent for an account that has no password.
    pub password_hash: Option<String>,
    /// Now.
    pub at_ms: i64,
}

/// What a login is checked against.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Who.
    pub user: User,
    /// PHC string; absent for an account that has no password.
    pub password_hash: Option<String>,
}

/// What became of a new account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It exists.
    Yes,
    /// Somebody has that username.
    UsernameTaken,
}

/// Makes an account and its stream.
pub async fn insert(db: &Db, new: NewUser) -> sqlx::Result<Inserted> {
    let made = db.transact(move |tx| Box::pin(async move { insert_many(tx, &[new]).await })).await?;
    Ok(if made.is_empty() { Inserted::UsernameTaken } else { Inserted::Yes })
}

/// Makes accounts and their streams, in statements of many rows; gives the ids of those whose username was free.
pub async fn insert_many(tx: &mut Tx, new: &[NewUser]) -> sqlx::Result<HashSet<UserId>> {
    let mut made = HashSet::with_capacity(new.len());
    for some in new.chunks(list::ROWS_PER_STATEMENT) {
        let sql = format!(
            "INSERT INTO users (id, username, display_name, display_name_folded, password_hash, created_at_ms, fence)
             VALUES {} ON CONFLICT (username) DO NOTHING RETURNING id",
            list::rows(1, some.len(), 7)
        );
        let ids: Vec<Uuid> = on_tx!(tx, conn => {
            let mut query = sqlx::query_scalar(AssertSqlSafe(sql));
            for NewUser { user, password_hash, at_ms } in some {
                query = query.bind(user.id.as_uuid()).bind(&user.username).bind(&user.display_name)
                    .bind(user.display_name.to_lowercase()).bind(password_hash).bind(at_ms).bind(0_i64);
            }
            query.fetch_all(conn)
        })?;
        insert_streams(tx, &ids).await?;
        made.extend(ids.into_iter().map(UserId));
    }
    Ok(made)
}

async fn insert_streams(tx: &mut Tx, ids: &[Uuid]) -> sqlx::Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let rows = list::rows(1, ids.len(), 4);
    let sql = format!("INSERT INTO streams (id, head, messages, last_message_seq) VALUES {rows}");
    on_tx!(execute tx, {
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for id in ids {
            query = query.bind(id).bind(0_i64).bind(0_i64).bind(0_i64);
        }
        query
    })?;
    Ok(())
}

type Row = (Uuid, String, String);

fn user((id, username, display_name): Row) -> User {
    User { id: UserId(id), username, display_name }
}

/// The accounts with these ids, in no order; unknown ids are left out.
pub async fn by_ids(db: &Db, ids: &[UserId]) -> sqlx::Result<Vec<User>> {
    let mut found = Vec::with_capacity(ids.len());
    for some in ids.chunks(list::ROWS_PER_STATEMENT) {
        let some = list::padded(some.iter().map(|id| id.as_uuid()));
        let places = list::placeholders(1, some.len());
        let sql = format!("SELECT id, username, display_name FROM users WHERE id IN ({places})");
        let rows: Vec<Row> = on!(db, pool => {
            let mut query = sqlx::query_as(AssertSqlSafe(sql));
            for id in &some {
                query = query.bind(id);
            }
            query.fetch_all(pool)
        })?;
        found.extend(rows.into_iter().map(user));
    }
    Ok(found)
}

/// The account with this username (in lower case), to be logged in to.
pub async fn by_username(db: &Db, username: &str) -> sqlx::Result<Option<Credentials>> {
    const SQL: &str = "SELECT id, username, display_name, password_hash FROM users WHERE username = $1";
    let row: Option<(Uuid, String, String, Option<String>)> =
        on!(db, pool => sqlx::query_as(SQL).bind(username).fetch_optional(pool))?;
    let credentials = |(id, username, display_name, password_hash)| Credentials {
        user: user((id, username, display_name)),
        password_hash,
    };
    Ok(row.map(credentials))
}

/// Up to `limit` accounts whose username or display name begins with `query`, in any case, by username, after the
/// username `after`.
pub async fn find(db: &Db, query: &str, after: Option<&str>, limit: u16) -> sqlx::Result<Vec<User>> {
    const SQL: &str = r"
        SELECT id, username, display_name FROM users
        WHERE (username LIKE $1 ESCAPE '\' OR display_name_folded LIKE $1 ESCAPE '\') AND username > $2
        ORDER BY username LIMIT $3";
    let rows: Vec<Row> = on!(db, pool => sqlx::query_as(SQL)
        .bind(list::prefix(query)).bind(after.unwrap_or_default()).bind(i64::from(limit)).fetch_all(pool))?;
    Ok(rows.into_iter().map(user).collect())
}

/// Gives an account another display name, inside the transaction that tells of it; the account as it is then.
pub async fn set_display_name(tx: &mut Tx, id: UserId, display_name: &str) -> sqlx::Result<Option<User>> {
    const SQL: &str = "
        UPDATE users SET display_name = $1, display_name_folded = $2 WHERE id = $3
        RETURNING id, username, display_name";
    let row: Option<Row> = on_tx!(tx, conn => sqlx::query_as(SQL)
        .bind(display_name).bind(display_name.to_lowercase()).bind(id.as_uuid()).fetch_optional(conn))?;
    Ok(row.map(user))
}
