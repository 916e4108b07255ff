//! What the store promises, asked of both databases: every test here runs on SQLite and on Postgres.
//!
//! Postgres is found through `HUBBUB_TEST_DATABASE_URL`; run the tests through `scripts/with-services`.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it expects")]

#[path = "store_contract/activity.rs"]
mod activity;
#[path = "store_contract/fixture.rs"]
mod fixture;
#[path = "store_contract/logs.rs"]
mod logs;
#[path = "store_contract/opening.rs"]
mod opening;
#[path = "store_contract/people.rs"]
mod people;
#[path = "store_contract/presence.rs"]
mod presence;
#[path = "store_contract/rooms.rs"]
mod rooms;
#[path = "store_contract/sessions.rs"]
mod sessions;

/// Makes two tests of each function: one on a new SQLite file, one on a new Postgres database; those about connections
/// to a server only the latter.
macro_rules! on_both {
    ([$($module:ident::$name:ident,)+] on_postgres [$($only:ident::$alone:ident,)+]) => {
        mod sqlite {
            $(#[test] fn $name() { crate::fixture::on_sqlite(crate::$module::$name); })+
        }
        mod postgres {
            $(#[test] fn $name() { crate::fixture::on_postgres(crate::$module::$name); })+
            $(#[test] fn $alone() { crate::fixture::on_postgres(crate::$only::$alone); })+
        }
    };
}

on_both! {[
    opening::nodes_that_start_at_once_make_one_database,
    opening::a_database_is_found_again,
    opening::a_newer_database_is_refused,
    opening::a_transaction_goes_on_without_its_caller,
    opening::a_failed_or_abandoned_transaction_leaves_nothing,
    opening::a_panic_is_an_error_of_that_transaction_alone,
    opening::a_new_life_is_seen_and_ends_sessions_only_when_asked,
    people::a_username_is_given_once,
    people::an_account_has_a_stream,
    people::many_accounts_are_made_at_once,
    people::people_are_found_by_how_their_names_begin,
    people::a_display_name_changes,
    sessions::of_many_logins_at_once_one_session_stays,
    sessions::a_login_names_the_device_that_displaced,
    sessions::a_refresh_token_is_good_once,
    sessions::of_many_refreshes_at_once_one_wins,
    sessions::a_session_is_ended_once_and_only_by_its_owner,
    sessions::the_others_are_ended,
    sessions::use_is_written_once_a_minute_and_revives_nothing,
    sessions::sessions_that_are_over_are_told,
    sessions::what_ended_long_ago_is_deleted,
    rooms::a_person_sees_their_rooms,
    rooms::a_direct_room_is_called_by_the_other,
    rooms::unread_is_a_subtraction,
    rooms::a_preview_is_short_and_forgets_what_was_recalled,
    rooms::access_tells_stranger_from_unknown,
    rooms::members_come_in_pages,
    rooms::channels_come_in_pages_by_name,
    rooms::an_invitation_ends,
    rooms::the_newer_draft_stays,
    presence::the_latest_time_stays,
    presence::who_shares_a_room_is_found,
    presence::small_rooms_are_found,
    activity::messages_are_counted_by_time,
    activity::rooms_are_listed_for_one_person,
    logs::streams_written_lately_are_known_with_their_heads,
    logs::entries_come_back_as_they_were_written,
    logs::pages_of_a_log_have_no_holes,
    logs::pages_of_a_timeline_agree_with_the_log,
    logs::messages_are_found_by_their_places,
    logs::heads_are_read_together,
    logs::batches_at_once_leave_one_dense_order,
    logs::a_key_is_answered_once,
    logs::an_ended_session_writes_nothing,
]
    on_postgres [
    opening::connections_that_died_are_replaced,
    opening::a_statement_that_takes_too_long_is_ended,
    opening::a_database_that_can_only_be_read_does_not_answer,
]}
