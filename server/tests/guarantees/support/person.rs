//! Someone with an account and a session.

use std::collections::BTreeMap;

use hubbub_client::{
    Client, Connection, ServerAddress,
    connection::Options,
    http::{HttpClient, HttpError},
    reconnect::{Events, Settings},
};
use hubbub_protocol::{
    http::{LogIn, LoggedIn, SignUp},
    id::{Cursor, SessionId, StreamId, UserId},
    model::{Device, DeviceClass, User},
};
use serde::Deserialize;

use super::{
    Link, Node, PATIENCE, TestCluster,
    link::{Refusal, options},
    services::unique,
};

/// The password of everyone who has one.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Someone with a session.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    /// As others see them.
    pub(crate) user: User,
    /// The access token.
    pub(crate) token: String,
    /// The refresh token.
    pub(crate) refresh_token: String,
    /// The session.
    pub(crate) session: SessionId,
}

/// A line that `hubbub user create --tokens` prints.
#[derive(Deserialize)]
pub(super) struct CreatedUser {
    #[serde(flatten)]
    user: User,
    session_id: SessionId,
    access_token: String,
    refresh_token: String,
}

impl From<CreatedUser> for Person {
    fn from(created: CreatedUser) -> Self {
        Self {
            user: created.user,
            token: created.access_token,
            refresh_token: created.refresh_token,
            session: created.session_id,
        }
    }
}

impl From<LoggedIn> for Person {
    fn from(logged_in: LoggedIn) -> Self {
        Self {
            user: logged_in.user,
            token: logged_in.access_token,
            refresh_token: logged_in.refresh_token,
            session: logged_in.session.id,
        }
    }
}

impl Person {
    /// The account.
    pub(crate) fn id(&self) -> UserId {
        self.user.id
    }

    /// Connects a tab to a node; entries from now on are heard.
    pub(crate) async fn connect(&self, node: &Node) -> Link {
        self.connect_to(&node.address).await
    }

    /// As [`Person::connect`], by address.
    pub(crate) async fn connect_to(&self, address: &ServerAddress) -> Link {
        self.try_connect_to(address).await.unwrap_or_else(|refusal| panic!("no session: {refusal:?}"))
    }

    /// Connects to a node and takes up what the cursors miss.
    pub(crate) async fn resume(&self, node: &Node, cursors: BTreeMap<StreamId, Cursor>) -> Link {
        let opened = Link::open(&node.address, &options(), &self.token, cursors).await;
        opened.unwrap_or_else(|refusal| panic!("no session: {refusal:?}"))
    }

    /// Connects, if the session is accepted.
    pub(crate) async fn try_connect(&self, node: &Node) -> Result<Link, Refusal> {
        self.try_connect_to(&node.address).await
    }

    /// As [`Person::try_connect`], by address.
    pub(crate) async fn try_connect_to(&self, address: &ServerAddress) -> Result<Link, Refusal> {
        Link::open(address, &options(), &self.token, BTreeMap::new()).await
    }

    /// A bare connection with limits of its own, whose pushes the test reads itself.
    pub(crate) async fn connect_bare(
        &self,
        node: &Node,
        options: &Options,
    ) -> (Connection, hubbub_client::connection::Pushes) {
        let opened = Connection::open(&node.address, options).await.expect("a connection");
        opened.0.start(&self.token, BTreeMap::new()).await.expect("a session");
        opened
    }

    /// A client that comes back; it tries the nodes in turn, beginning with `first`.
    pub(crate) fn keep_connected(&self, cluster: &TestCluster, first: usize) -> (Client, Events) {
        self.keep_connected_to(cluster.addresses_from(first))
    }

    /// A client that comes back to these addresses in turn.
    pub(crate) fn keep_connected_to(&self, addresses: Vec<ServerAddress>) -> (Client, Events) {
        let mut settings = Settings::new(addresses, &self.token);
        settings.refresh_token = Some(self.refresh_token.clone());
        settings.connection = options();
        settings.events_waiting = 10_000;
        settings.answer_limit = PATIENCE;
        Client::start(settings)
    }
}

/// An account with a password, made through the front door; nobody is logged in yet.
pub(crate) async fn sign_up(node: &Node) -> String {
    let username = unique("u")[..20].to_owned() + &unique("")[22..];
    let account = SignUp { username: username.clone(), password: PASSWORD.to_owned(), display_name: None };
    node.http().sign_up(&account).await.expect("an account");
    username
}

/// Logs in with a device of this name.
pub(crate) async fn try_log_in(node: &Node, username: &str, device: &str) -> Result<Person, HttpError> {
    try_log_in_at(&node.address, username, device, PASSWORD).await
}

/// As [`try_log_in`], by address.
pub(crate) async fn try_log_in_at(
    address: &ServerAddress,
    username: &str,
    device: &str,
    password: &str,
) -> Result<Person, HttpError> {
    let device =
        Device { id: device.to_owned(), class: DeviceClass::Desktop, name: format!("{device} of a test") };
    let log_in = LogIn { username: username.to_owned(), password: password.to_owned(), device };
    HttpClient::new(address.clone()).log_in(&log_in).await.map(Person::from)
}

/// Logs in with a device of this name.
pub(crate) async fn log_in(node: &Node, username: &str, device: &str) -> Person {
    try_log_in(node, username, device).await.expect("a login")
}
