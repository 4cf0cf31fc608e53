//! One option of a configuration file, changed where it stands: everything else in the file stays as it was.

use std::path::Path;

use toml::de::DeTable;

use super::file::{ConfigFileError, parse, written};
use super::layers::{each_definition, long_name};

/// The text of a configuration file in which `name` has this value, as the command line would have it, or is not said any
/// more; `path` is for the words of errors.
///
/// # Errors
/// If the text was no configuration before, or there is no such option, or it does not take the value.
pub fn with_option(
    text: &str,
    path: &Path,
    name: &str,
    value: Option<&str>,
) -> Result<String, ConfigFileError> {
    let option = |source| ConfigFileError::Option { path: path.to_owned(), line: 0, source };
    parse(text, path)?;
    let name = long_name(name).map_err(option)?;
    let mut line = None;
    each_definition(|arg| {
        if arg.get_long() == Some(&name) {
            line = value.map(|value| written(arg, value));
        }
    });
    let changed = match (place(text, &name), line) {
        (Some((_, value, _)), Some(line)) => replaced(text, value, &line),
        (Some((key, _, end)), None) => replaced(text, key..end, ""),
        (None, Some(line)) => {
            let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            format!("{text}{gap}{name} = {line}\n")
        }
        (None, None) => text.to_owned(),
    };
    parse(&changed, path)?;
    Ok(changed)
}

/// Where an option stands: the beginning of its line, its value, and the end of the last line.
fn place(text: &str, name: &str) -> Option<(usize, std::ops::Range<usize>, usize)> {
    let table = DeTable::parse(text).ok()?;
    let is_it = |key: &str| long_name(key).is_ok_and(|long| long == name);
    let (key, value) = table.get_ref().iter().find(|(key, _)| is_it(key.get_ref()))?;
    let (key, value) = (key.span(), value.span());
    let begin = text.get(..key.start)?.rfind('\n').map_or(0, |at| at + 1);
    let end = text.get(value.end..)?.find('\n').map_or(text.len(), |at| value.end + at + 1);
    Some((begin, value, end))
}

fn replaced(text: &str, range: std::ops::Range<usize>, with: &str) -> String {
    let (before, after) =
        (text.get(..range.start).unwrap_or_default(), text.get(range.end..).unwrap_or_default());
    format!("{before}{with}{after}")
}
