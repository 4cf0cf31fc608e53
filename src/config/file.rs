//! Configuration files: TOML, one key an option, by its long name.
//!
//! Two of them: the system's, which the administrator writes, under the user's. The user's is
//! `--config FILE`, else the variable `FARPANE_CONFIG`, else `farpane/config.toml` in the
//! platform's place. Read once, at the start.

use std::any::TypeId;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Arg;
use etcetera::BaseStrategy;
use toml::de::{DeTable, DeValue};

use super::layers::each_definition;
use super::{Layer, OptionError, Origin};

/// A larger file would be a mistake in its name, in bytes.
const MAX_BYTES: u64 = 256 * 1024;
/// Names the user's file.
pub const VARIABLE: &str = "FARPANE_CONFIG";

/// The files to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigFiles {
    /// The administrator's; need not exist.
    pub system: Option<PathBuf>,
    /// The user's.
    pub user: Option<PathBuf>,
    /// Somebody named the user's file: it must exist.
    pub user_is_named: bool,
}

/// A configuration file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigFileError {
    #[error("cannot read the configuration file {}: {why}", path.display())]
    Read { path: PathBuf, why: String },
    #[error("{}:{line}: {why}", path.display())]
    Syntax { path: PathBuf, line: usize, why: String },
    #[error("{}:{line}: {source}", path.display())]
    Option { path: PathBuf, line: usize, source: OptionError },
}

impl ConfigFiles {
    /// Where they are; `named` is the file of `--config`, if it was given. An empty
    /// `FARPANE_CONFIG` stands for no file of the user's.
    pub fn locate(named: Option<PathBuf>) -> Self {
        let named = named.or_else(|| std::env::var_os(VARIABLE).map(PathBuf::from));
        let system = system_folder().map(|folder| folder.join("config.toml"));
        match named {
            Some(named) if named.as_os_str().is_empty() => Self { system, ..Self::default() },
            Some(named) => Self { system, user: Some(named), user_is_named: true },
            None => {
                let user = etcetera::choose_base_strategy().ok();
                let user = user.map(|base| base.config_dir().join("farpane").join("config.toml"));
                Self { system, user, user_is_named: false }
            }
        }
    }

    /// The user's file over the system's.
    ///
    /// # Errors
    /// If one cannot be read, is no TOML, or says something that no option understands.
    pub fn read(&self) -> Result<Layer, ConfigFileError> {
        let system = self.system.as_deref().map(|path| read(path, false)).transpose()?.unwrap_or_default();
        let user = self.user.as_deref().map(|path| read(path, self.user_is_named)).transpose()?;
        Ok(user.unwrap_or_default().over(&system))
    }
}

/// Where administrators put what holds for all users.
fn system_folder() -> Option<PathBuf> {
    if cfg!(windows) {
        std::env::var_os("ProgramData").map(|folder| PathBuf::from(folder).join("farpane"))
    } else if cfg!(target_os = "macos") {
        Some(PathBuf::from("/Library/Application Support/Farpane"))
    } else {
        Some(PathBuf::from("/etc/farpane"))
    }
}

fn read(path: &Path, must_exist: bool) -> Result<Layer, ConfigFileError> {
    parse(&text(path, must_exist)?, path)
}

/// What a configuration file has in it; nothing if it need not exist and does not.
///
/// # Errors
/// If it cannot be read.
pub fn text(path: &Path, must_exist: bool) -> Result<String, ConfigFileError> {
    match super::private_file::read_text(path, MAX_BYTES) {
        // Some editors begin a file with a byte order mark.
        Ok(text) => Ok(match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        }),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound && !must_exist => Ok(String::new()),
        Err(why) => Err(ConfigFileError::Read { path: path.to_owned(), why: why.to_string() }),
    }
}

/// What the text of a configuration file says; `path` is for the words of errors.
///
/// # Errors
/// If it is no TOML, or says something that no option understands.
pub fn parse(text: &str, path: &Path) -> Result<Layer, ConfigFileError> {
    let line_of = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
    let syntax = |at: usize, why: &str| ConfigFileError::Syntax {
        path: path.to_owned(),
        line: line_of(at),
        why: why.to_owned(),
    };
    let table = DeTable::parse(text)
        .map_err(|error| syntax(error.span().unwrap_or_default().start, error.message()))?;
    let mut layer = Layer::default();
    for (key, value) in table.get_ref() {
        let name = key.get_ref();
        let line = line_of(key.span().start);
        let option = |source| ConfigFileError::Option { path: path.to_owned(), line, source };
        // A wrong name first: that a table stands under it matters less.
        super::layers::long_name(name).map_err(option)?;
        let text = as_text(value.get_ref()).ok_or_else(|| {
            syntax(
                value.span().start,
                &format!("expected text, a number, true or false, or a list of texts for `{name}`"),
            )
        })?;
        layer.set(name, text, Origin::File { path: path.to_owned(), line }).map_err(option)?;
    }
    Ok(layer)
}

/// A value as the command line would have it.
fn as_text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.clone().into_owned()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok().map(|n| n.to_string())
        }
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(yes) => Some(if *yes { "yes" } else { "no" }.to_owned()),
        DeValue::Array(list) => {
            let texts = list.iter().map(|item| match item.get_ref() {
                DeValue::String(text) => Some(text.as_ref()),
                _ => None,
            });
            texts.collect::<Option<Vec<&str>>>().map(|texts| texts.join(","))
        }
        DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}

/// A configuration file that says what `layer` says, every option explained and the others at
/// their defaults in comments: what `farpane config --show` prints, and a file to begin with.
pub fn shown(layer: &Layer) -> String {
    let mut text = String::from(
        "# Farpane's configuration. An option behind a # is at its default.\n\
         # The command line wins over a session file or link, that over this file, and the user's\n\
         # file over the system's.\n",
    );
    each_definition(|arg| {
        let name = arg.get_long().unwrap_or_default();
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        text.push('\n');
        for line in help.lines() {
            let _ = writeln!(text, "# {line}");
        }
        for value in arg.get_possible_values().iter().filter(|value| !value.is_hide_set() && !is_flag(arg)) {
            let help = value.get_help().map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(
                text,
                "#   {}{}{}",
                value.get_name(),
                if help.is_empty() { "" } else { ": " },
                help.trim_end_matches('.')
            );
        }
        match layer.value(name) {
            Some(value) => {
                let _ = writeln!(
                    text,
                    "{name} = {}  # from {}",
                    written(arg, &value.text.to_string_lossy()),
                    value.origin
                );
            }
            None if arg.get_default_values().is_empty() => {
                let kind = arg.get_value_names().and_then(|names| names.first()).map_or("VALUE", |name| name);
                let _ = writeln!(text, "# {name} = \"{kind}\"  # not set");
            }
            None => {
                let default = arg.get_default_values().iter().map(|value| value.to_string_lossy());
                let default = default.collect::<Vec<_>>().join(",");
                let _ = writeln!(text, "# {name} = {}", written(arg, &default));
            }
        }
    });
    text
}

/// A value in TOML.
pub(super) fn written(arg: &Arg, text: &str) -> String {
    let kind = arg.get_value_parser().type_id();
    if is_flag(arg)
        && let Ok(yes) = super::flag(text)
    {
        return yes.to_string();
    }
    let is_number = kind == TypeId::of::<u8>() || kind == TypeId::of::<Duration>();
    if is_number && text.parse::<f64>().is_ok_and(|number| number.to_string() == text) {
        return text.to_owned();
    }
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    if arg.get_value_delimiter().is_some() {
        let items = text.split(',').map(|item| quoted(item.trim())).collect::<Vec<_>>();
        return format!("[{}]", items.join(", "));
    }
    quoted(text)
}

/// Whether an option is `yes` or `no`.
pub fn is_flag(arg: &Arg) -> bool {
    arg.get_value_parser().type_id() == TypeId::of::<bool>()
}
