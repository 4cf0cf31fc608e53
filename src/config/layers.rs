//! What one place says of the options, as text, checked against their definition.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, Parser};

use zeroize::Zeroizing;

use super::Options;
use crate::net::Secret;
use crate::net::address::redacted;
use crate::net::proxy::{Proxy, ProxyChoice, escaped, with_password, without_password};

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    CommandLine,
    /// The connect window.
    Window,
    /// This variable.
    Environment(String),
    /// A configuration or session file, and the line in it.
    File {
        path: PathBuf,
        line: usize,
    },
    /// The URL that was opened.
    Link,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine => f.write_str("the command line"),
            Self::Window => f.write_str("the connect window"),
            Self::Environment(name) => write!(f, "the variable {name}"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Link => f.write_str("the URL"),
        }
    }
}

/// One option's value as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// Without the password that a proxy's address may hold.
    pub text: OsString,
    /// That password, as it was written.
    pub secret: Option<Secret>,
    pub origin: Origin,
}

impl Value {
    fn new(name: &str, text: OsString, origin: Origin) -> Self {
        match text.to_str().filter(|_| name == PROXY).map(without_password) {
            Some((text, secret)) => Self { text: text.into(), secret, origin },
            None => Self { text, secret: None, origin },
        }
    }

    /// As it was written.
    fn whole(&self) -> Zeroizing<String> {
        let text = self.text.to_string_lossy();
        let whole = self.secret.as_ref().map(|secret| with_password(&text, secret));
        Zeroizing::new(whole.map_or_else(|| text.into_owned(), |whole| whole.expose().to_owned()))
    }
}

/// The option whose value may hold a password.
pub const PROXY: &str = "proxy";

/// An option that does not exist, or a value that it does not take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    #[error("there is no option `{name}`{}", suggested(.suggestion.as_deref()))]
    Unknown { name: String, suggestion: Option<String> },
    #[error("`{got}` is not a value for `{name}`: {why}")]
    Value { name: String, got: String, why: String },
}

fn suggested(name: Option<&str>) -> String {
    name.map(|name| format!(" (did you mean `{name}`?)")).unwrap_or_default()
}

/// What one place says of the options, by their long names. Every value in it is one that the
/// option takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layer {
    values: BTreeMap<String, Value>,
}

impl Layer {
    /// Sets an option, by its long name or one that means the same.
    ///
    /// # Errors
    /// If there is no such option, or it does not take `text`.
    pub fn set(&mut self, name: &str, text: impl Into<OsString>, origin: Origin) -> Result<(), OptionError> {
        let name = long_name(name)?;
        let mut one = Self::default();
        let value = Value::new(&name, text.into(), origin);
        one.values.insert(name, value);
        one.options()?;
        self.values.append(&mut one.values);
        Ok(())
    }

    /// Sets the proxy.
    pub fn set_proxy(&mut self, proxy: &Proxy, origin: Origin) {
        let secret = proxy.password.as_ref().map(escaped);
        self.values.insert(PROXY.to_owned(), Value { text: proxy.to_string().into(), secret, origin });
    }

    /// Takes over what another layer says of the option with this long name.
    pub fn take(&mut self, name: &str, value: &Value) {
        self.values.insert(name.to_owned(), value.clone());
    }

    /// Nothing is said of the option with this long name any more.
    pub fn unset(&mut self, name: &str) {
        self.values.remove(name);
    }

    /// What was said of the option with this long name.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// The options with their values, sorted by their long names.
    pub fn values(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// This layer over another one, whose values count where this one has none.
    #[must_use]
    pub fn over(mut self, below: &Self) -> Self {
        for (name, value) in &below.values {
            self.values.entry(name.clone()).or_insert_with(|| value.clone());
        }
        self
    }

    /// All options, those without a value at their default.
    ///
    /// # Errors
    /// If a value is not one that its option takes, which [`Layer::set`] has excluded.
    pub fn options(&self) -> Result<Options, OptionError> {
        let words = self.values.iter().map(|(name, value)| {
            let mut word = OsString::from(format!("--{name}="));
            // clap keeps copies of what it is given.
            word.push(if value.secret.is_some() { OsStr::new("none") } else { &value.text });
            word
        });
        let parsed = Alone::try_parse_from(words);
        let mut options = parsed.map(|alone| alone.options).map_err(|error| self.explained(&error))?;
        if let Some(value) = self.values.get(PROXY).filter(|value| value.secret.is_some()) {
            let got = redacted(&value.text.to_string_lossy());
            let error = |why| OptionError::Value { name: PROXY.to_owned(), got, why };
            options.proxy = ProxyChoice::parse(&value.whole()).map_err(error)?;
        }
        Ok(options)
    }

    fn explained(&self, error: &clap::Error) -> OptionError {
        let text = |kind| match error.get(kind) {
            Some(ContextValue::String(text)) => Some(text.clone()),
            Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
            _ => None,
        };
        let of_error = text(ContextKind::InvalidArg).unwrap_or_default();
        let name =
            of_error.trim_start_matches('-').split([' ', '=', '[']).next().unwrap_or_default().to_owned();
        let got = self.value(&name).map(|value| match value.text.to_string_lossy() {
            text if name == PROXY => redacted(&text),
            text => text.into_owned(),
        });
        let why = match (error.source(), text(ContextKind::ValidValue)) {
            (Some(why), _) => why.to_string(),
            (None, Some(valid)) => format!("expected one of {valid}"),
            (None, None) => "expected a value".to_owned(),
        };
        OptionError::Value { name, got: got.unwrap_or_default(), why }
    }
}

/// The options and nothing else.
#[derive(Debug, Parser)]
#[command(name = "farpane", no_binary_name = true)]
struct Alone {
    #[command(flatten)]
    options: Options,
}

/// Looks at the definition of every option, in the order of `--help`.
pub fn each_definition(mut look: impl FnMut(&Arg)) {
    let command = Options::augment_args(Command::new("farpane"));
    command.get_arguments().filter(|arg| arg.get_long().is_some()).for_each(&mut look);
}

/// Whether the option with this long name takes several values.
pub fn is_list(name: &str) -> bool {
    let mut found = false;
    each_definition(|arg| {
        found |= arg.get_long() == Some(name) && arg.get_value_delimiter().is_some();
    });
    found
}

/// The long name of the option that is called `name`.
pub fn long_name(name: &str) -> Result<String, OptionError> {
    let (mut found, mut names) = (None, Vec::new());
    each_definition(|arg| {
        let long = arg.get_long().unwrap_or_default();
        let aliases = arg.get_all_aliases().unwrap_or_default();
        if long == name || aliases.contains(&name) {
            found = Some(long.to_owned());
        }
        names.push(long.to_owned());
    });
    found.ok_or_else(|| OptionError::Unknown { name: name.to_owned(), suggestion: suggestion(name, &names) })
}

/// The one of `names` that was probably meant by `name`.
pub fn suggestion(name: &str, names: &[impl AsRef<str>]) -> Option<String> {
    /// Less alike is another word, not a slip.
    const ALIKE: f64 = 0.75;
    let name = name.replace('_', "-").to_ascii_lowercase();
    let alike = |other: &str| strsim::jaro_winkler(&name, other);
    let best = names.iter().map(|other| (alike(other.as_ref()), other.as_ref()));
    let best = best.max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(likeness, _)| *likeness >= ALIKE).map(|(_, other)| other.to_owned())
}

/// The options of the command line and the environment, as they were typed: takes the place of
/// [`Options`] in a command's definition.
#[derive(Clone, Debug, Default)]
pub struct CliLayer(pub Layer);

impl Args for CliLayer {
    fn augment_args(command: Command) -> Command {
        Options::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Options::augment_args_for_update(command)
    }
}

impl FromArgMatches for CliLayer {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = Self::default();
        given.update_from_arg_matches(matches)?;
        Ok(given)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        each_definition(|arg| {
            let id = arg.get_id().as_str();
            let origin = match matches.value_source(id) {
                Some(ValueSource::CommandLine) => Origin::CommandLine,
                Some(ValueSource::EnvVariable) => {
                    Origin::Environment(arg.get_env().unwrap_or_default().to_string_lossy().into_owned())
                }
                _ => return,
            };
            let words: Vec<&OsStr> = matches.get_raw(id).into_iter().flatten().collect();
            let name = arg.get_long().unwrap_or_default();
            let value = Value::new(name, words.join(OsStr::new(",")), origin);
            self.0.values.insert(name.to_owned(), value);
        });
        Ok(())
    }
}
