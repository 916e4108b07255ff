use std::path::PathBuf;

use super::{Config, Problems, SETTINGS, Setting, Source, Sources, load, table};

/// A file of its own in the temporary folder, removed when dropped.
struct File(PathBuf);

impl File {
    fn with(text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("hubbub-config-{}.toml", uuid::Uuid::now_v7()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn setting(name: &str) -> &'static Setting {
    SETTINGS.iter().find(|setting| setting.name == name).unwrap()
}

fn loaded(
    file: &str,
    variables: &[(&str, &str)],
    flags: &[(&str, &str)],
) -> Result<(Config, Sources), Problems> {
    let file = File::with(file);
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let flags: Vec<_> = flags.iter().map(|(name, value)| (setting(name), (*value).to_owned())).collect();
    load(Some(&file.0), variables, &flags)
}

/// What is said about a configuration that cannot be used.
fn refused(file: &str, variables: &[(&str, &str)]) -> String {
    loaded(file, variables, &[]).expect_err("a problem").to_string()
}

#[test]
fn every_default_is_valid() {
    let mut config = Config::default();
    for setting in SETTINGS {
        let shown = (setting.show)(&config);
        (setting.set)(&mut config, setting.default)
            .unwrap_or_else(|error| panic!("{}: {error}", setting.name));
        assert_eq!(shown, setting.default, "{}", setting.name);
        assert!(!setting.summary().is_empty());
    }
    load(None, [], &[]).expect("the defaults start a server");
}

#[test]
fn a_variable_is_named_after_its_setting() {
    for setting in SETTINGS {
        let name = setting.name.replace('.', "_").to_uppercase();
        let expected = if setting.is_secret() { name } else { format!("HUBBUB_{name}") };
        assert_eq!(setting.variable, expected);
    }
}

#[test]
fn later_layers_win_and_each_value_knows_its_source() {
    let file = "listen = '127.0.0.1:1000'\nserver_name = 'File'\n[drain]\ngrace_s = 5\nwave_ms = 1_0\n";
    let variables = [("HUBBUB_SERVER_NAME", "Variable"), ("HUBBUB_DRAIN_GRACE_S", "6"), ("HOME", "/root")];
    let (config, sources) = loaded(file, &variables, &[("server_name", "Flag")]).unwrap();
    assert_eq!((config.server_name.as_str(), config.drain.grace_s, config.drain.wave_ms), ("Flag", 6, 10));
    assert_eq!(sources.of("server_name"), Source::Flag("server-name"));
    assert_eq!(sources.of("drain.grace_s"), Source::Environment("HUBBUB_DRAIN_GRACE_S".to_owned()));
    assert!(matches!(sources.of("drain.wave_ms"), Source::File(_, 5)));
    assert_eq!(sources.of("cache.entries"), Source::Default);
    let shown = table(&config, &sources);
    assert!(shown.contains("(--server-name)") && shown.contains(".toml:1)"), "{shown}");
}

#[test]
fn lists_and_truths_are_read_from_every_layer() {
    let file = "trusted_proxies = ['10.0.0.0/8', '192.0.2.1']\n[accounts]\nsign_up = false\n";
    let (config, _) = loaded(file, &[("HUBBUB_CONFORMANCE_ECHO", "1")], &[]).unwrap();
    assert_eq!(
        (config.trusted_proxies.len(), config.accounts.sign_up, config.conformance_echo),
        (2, false, true)
    );
}

#[test]
fn the_operations_address_follows_the_port() {
    let port = |listen: &str| loaded("", &[("HUBBUB_LISTEN", listen)], &[]).unwrap().0.ops_listen.to_string();
    assert_eq!(port("0.0.0.0:8081"), "127.0.0.1:9081");
    assert_eq!(port("localhost:0"), "127.0.0.1:0");
    assert_eq!(port("127.0.0.1:65000"), "127.0.0.1:64000");
    let (config, _) =
        loaded("", &[("HUBBUB_LISTEN", "[::]:8081"), ("HUBBUB_OPS_LISTEN", "[::1]:1")], &[]).unwrap();
    assert_eq!(config.ops_listen.to_string(), "[::1]:1");
}

#[test]
fn what_is_unknown_is_refused_with_the_nearest_name() {
    let said = refused("[drian]\ngrace_s = 1\n", &[("HUBBUB_LISTN", "x"), ("HUBBUB_DATABASE_URL", "x")]);
    assert!(said.contains("drian.grace_s is no setting; the nearest is drain.grace_s"), "{said}");
    assert!(said.contains("HUBBUB_LISTN is no variable of Hubbub; the nearest is HUBBUB_LISTEN"), "{said}");
    assert!(
        said.contains("HUBBUB_DATABASE_URL is no variable of Hubbub; the nearest is DATABASE_URL"),
        "{said}"
    );
}

#[test]
fn variables_of_others_are_left_alone() {
    let others = [
        ("HUBBUB_SERVICE_HOST", "10.0.0.1"),
        ("HUBBUB_PORT", "tcp://10.0.0.1:80"),
        ("HUBBUB_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("HUBBUB_REDIS_SERVICE_PORT", "6379"),
        ("HUBBUB_TEST_REDIS_URL", "redis://x"),
        ("DATABASE_URL", ""),
    ];
    loaded("", &others, &[]).expect("nothing to refuse");
}

#[test]
fn a_bad_value_is_refused_with_what_would_be_right() {
    let said = refused(
        "listen = '8080'\nlisten2 = 1\n[cache]\nentries = 0\n",
        &[("HUBBUB_DRAIN_GRACE_S", "20s"), ("HUBBUB_LOG_LEVEL", "verbose"), ("HUBBUB_MODE", "single")],
    );
    for part in [
        "listen is \"8080\", but it is an address with a port",
        "cache.entries is \"0\", but 0 is outside of 1 to 10000",
        "drain.grace_s is \"20s\", but it is a whole number, without a unit (HUBBUB_DRAIN_GRACE_S)",
        "log.level is error, warn, info",
        "mode is \"single\", but it is one of auto, embedded, cluster",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    assert!(refused("listen = \n", &[]).contains(".toml:1: "));
    assert!(load(Some("/nowhere.toml".as_ref()), [], &[]).unwrap_err().to_string().contains("/nowhere.toml"));
}

#[test]
fn a_cluster_needs_both_urls() {
    let (database, redis) = (("DATABASE_URL", "postgres://u:p@db/x"), ("REDIS_URL", "redis://:p@cache"));
    assert!(loaded("", &[database, redis], &[]).unwrap().0.is_cluster());
    assert!(refused("", &[database]).contains("REDIS_URL is not"));
    assert!(refused("", &[redis]).contains("DATABASE_URL is not"));
    assert!(refused("mode = 'cluster'", &[]).contains("neither DATABASE_URL nor REDIS_URL"));
    assert!(refused("mode = 'embedded'", &[database, redis]).contains("take them away"));
    let swapped = [("DATABASE_URL", redis.1), ("REDIS_URL", database.1)];
    assert!(refused("", &swapped).contains("names no PostgreSQL"));
}

#[test]
fn no_secret_is_ever_said() {
    let said =
        refused("", &[("DATABASE_URL", "postgres://u:t0p-s3cret@/x"), ("REDIS_URL", "redis://:changeme@c")]);
    assert!(said.contains("database.url: the host is missing (DATABASE_URL)"), "{said}");
    assert!(said.contains("redis.url: the password is one from an example"), "{said}");
    assert!(!said.contains("t0p-s3cret") && !said.contains("changeme"), "{said}");
    let good = [("DATABASE_URL", "postgres://u:t0p-s3cret@db/x"), ("REDIS_URL", "redis://:t0p-s3cret@cache")];
    let (config, sources) = loaded("", &good, &[]).unwrap();
    let (shown, debug) = (table(&config, &sources), format!("{config:?}"));
    assert!(shown.contains("postgres://u:***@db/x"), "{shown}");
    assert!(!shown.contains("t0p-s3cret") && !debug.contains("t0p-s3cret"));
}

#[test]
fn limits_that_contradict_each_other_are_refused() {
    assert!(refused("[connections]\nheartbeat_ms = 60000\n", &[]).contains("idle_timeout_ms must be more"));
    assert!(refused("[accounts]\nrefresh_ttl_s = 60\n", &[]).contains("refresh_ttl_s must be more"));
    assert!(refused("ops_listen = '127.0.0.1:8080'", &[]).contains("same as listen"));
    assert!(refused("[redis]\nprefix = '{x}'", &[]).contains("redis.prefix may hold"));
    assert!(refused("[redis]\nca_file = 'ca.pem'", &[]).contains("redis.ca_file is for TLS"));
}
