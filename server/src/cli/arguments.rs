//! The flags of the settings, made from their declarations.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, builder::ValueParser};

use crate::config::{self, Config, Problems, SETTINGS, Setting, Sources};

/// `--config` and the flags that settings have.
#[derive(Debug, Default)]
pub(super) struct ConfigArguments {
    file: Option<PathBuf>,
    flags: Vec<(&'static Setting, String)>,
}

impl ConfigArguments {
    /// The configuration in force, with where each value came from.
    pub(super) fn load(&self) -> Result<(Config, Sources), Problems> {
        // Ours are plain text; a variable that is not is someone else's.
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
        });
        config::load(self.file.as_deref(), variables, &self.flags)
    }
}

impl Args for ConfigArguments {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new("config")
            .long("config")
            .value_name("FILE")
            .value_parser(ValueParser::path_buf())
            .help("TOML file with settings [env: HUBBUB_CONFIG]");
        let flags = SETTINGS.iter().filter_map(|setting| {
            let argument = Arg::new(setting.name).long(setting.flag?).value_name(setting.unit);
            let default = if setting.default.is_empty() { "none" } else { setting.default };
            let help = format!("{} [env: {}] [default: {default}]", setting.summary(), setting.variable);
            let argument = argument.help(help);
            // A switch may stand alone.
            let is_switch = setting.unit == "true or false";
            Some(if is_switch { argument.num_args(0..=1).default_missing_value("true") } else { argument })
        });
        command.arg(file).args(flags)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ConfigArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut arguments = Self::default();
        arguments.update_from_arg_matches(matches)?;
        Ok(arguments)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.file = matches.get_one::<PathBuf>("config").cloned();
        let with_flags = SETTINGS.iter().filter(|setting| setting.flag.is_some());
        self.flags = with_flags
            .filter_map(|setting| Some((setting, matches.get_one::<String>(setting.name)?.clone())))
            .collect();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args, Command, FromArgMatches};

    use super::ConfigArguments;

    fn flags(line: &str) -> Vec<(&'static str, String)> {
        let matches = ConfigArguments::augment_args(Command::new("serve")).get_matches_from(line.split(' '));
        let arguments = ConfigArguments::from_arg_matches(&matches).unwrap();
        arguments.flags.into_iter().map(|(setting, value)| (setting.name, value)).collect()
    }

    #[test]
    fn flags_come_from_the_declarations() {
        let given = flags("serve --listen 127.0.0.1:0 --conformance-echo");
        assert_eq!(given, [("listen", "127.0.0.1:0".to_owned()), ("conformance_echo", "true".to_owned())]);
        assert_eq!(flags("serve --conformance-echo=false"), [("conformance_echo", "false".to_owned())]);
        assert!(flags("serve").is_empty());
    }
}
