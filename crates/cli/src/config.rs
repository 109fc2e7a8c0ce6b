//! Configuration files: options of the command line as TOML.
//!
//! Each key is the name of an option without `--`. A value on the command line overrides that of the file:
//! `--fsync=false` switches off `fsync = true`.
//!
//! ```toml
//! storage = "/srv/uploads"
//! listen = "0.0.0.0:8080"
//! max-upload = "20GB"
//! fsync = true
//! ```

use std::ffi::OsString;
use std::path::Path;

use clap::{Args as _, Command};
use toml::{Table, Value};

use crate::serve::ServeArguments;

/// The option that names the file.
pub const OPTION: &str = "--config";

/// Returns the command line with the options of the configuration file, if it names one, before its own.
///
/// # Errors
///
/// The path with the reason that the file cannot be used.
pub fn expand(mut arguments: Vec<OsString>) -> Result<Vec<OsString>, String> {
    let Some(path) = named(&arguments) else { return Ok(arguments) };
    let explain = |reason: &dyn std::fmt::Display| format!("{}: {reason}", path.to_string_lossy());
    let text = std::fs::read_to_string(&path).map_err(|error| explain(&error))?;
    let table = text.parse::<Table>().map_err(|error| explain(&error))?;
    let mut options = Vec::new();
    for (key, value) in table {
        option(&key, value, &mut options).map_err(|reason| explain(&reason))?;
    }
    // After the name of the program and the command.
    arguments.splice(2..2, options);
    Ok(arguments)
}

/// Returns the value of the option that names the file.
fn named(arguments: &[OsString]) -> Option<OsString> {
    if arguments.get(1)? != "serve" {
        return None;
    }
    let mut arguments = arguments.iter().skip(2);
    while let Some(argument) = arguments.next() {
        if argument == OPTION {
            return arguments.next().cloned();
        }
        let assigned = argument.to_str().and_then(|it| it.strip_prefix(OPTION)?.strip_prefix('='));
        if let Some(path) = assigned {
            return Some(Path::new(path).into());
        }
    }
    None
}

fn option(key: &str, value: Value, options: &mut Vec<OsString>) -> Result<(), String> {
    if !is_option(key) {
        return Err(format!("{key:?} is not the name of an option"));
    }
    let text = match value {
        Value::Boolean(is_set) => is_set.to_string(),
        Value::Array(values) => {
            return values.into_iter().try_for_each(|value| option(key, value, options));
        }
        Value::String(text) => text,
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Datetime(_) | Value::Table(_) => {
            return Err(format!("{key}: expected a text, a number, true, false or a list"));
        }
    };
    options.push(format!("--{key}={text}").into());
    Ok(())
}

/// Returns true if `bits serve` has an option with this long name.
fn is_option(key: &str) -> bool {
    let command = ServeArguments::augment_args(Command::new("serve"));
    command.get_arguments().any(|it| {
        let aliases = it.get_all_aliases();
        it.get_long() == Some(key) || aliases.is_some_and(|names| names.contains(&key))
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn expanded(config: &str, arguments: &[&str]) -> Result<Vec<String>, String> {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(config.as_bytes()).expect("a writable file");
        let path = file.path().to_str().expect("UTF-8");
        let command = [&["bits", "serve", "--config", path], arguments].concat();
        let all = expand(command.into_iter().map(OsString::from).collect())?;
        let all = all.into_iter().map(|it| it.into_string().expect("UTF-8"));
        Ok(all.filter(|it| it != path && it != "--config").collect())
    }

    #[test]
    fn options_of_the_file_precede_those_of_the_command_line() {
        let config = "storage = '/srv'\nmax-sessions = 5\nfsync = true\nlenient = false";
        let all = expanded(config, &["--max-sessions", "7"]).expect("valid");
        let own = ["--fsync=true", "--lenient=false", "--max-sessions=5", "--storage=/srv"];
        let mut found = all[2..6].to_vec();
        found.sort();
        assert_eq!(found, own);
        assert_eq!(all[6..], ["--max-sessions", "7"]);
    }

    #[test]
    fn a_list_repeats_the_option() {
        let all = expanded("root = ['a', 'b']", &[]).expect("valid");
        assert_eq!(all[2..], ["--root=a", "--root=b"]);
    }

    #[test]
    fn unusable_files_are_named() {
        assert!(expanded("a = ", &[]).expect_err("invalid").contains("a = "));
        assert!(expanded("[metrics]", &[]).expect_err("a table").contains("metrics: expected"));
        for key in ["A_b", "fsnyc", "version", "section.storage"] {
            let error = expanded(&format!("{key} = false"), &[]).expect_err("no option");
            assert!(error.contains("is not the name of an option"), "{error}");
        }
        let missing = ["bits", "serve", "--config=/nonexistent"].map(OsString::from).to_vec();
        assert!(expand(missing).expect_err("missing").starts_with("/nonexistent: "));
    }
}
