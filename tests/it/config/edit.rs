//! One option of a configuration file is changed, and nothing else in it.

use std::path::Path;

use farpane::config::edit::with_option;
use farpane::config::file::parse;

const FILE: &str =
    "# mine\nquality = 40  # enough\nencodings = [\n  'png',  # sharp\n  'webp',\n]\n\noverlay = true\n";

#[track_caller]
fn changed(text: &str, name: &str, value: Option<&str>) -> String {
    with_option(text, Path::new("c.toml"), name, value).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn only_that_option_changes() {
    let quality = changed(FILE, "quality", Some("70"));
    assert_eq!(quality, FILE.replace("40", "70"), "its comment stays");
    let list = changed(FILE, "encodings", Some("rgb,jpeg"));
    assert_eq!(list, "# mine\nquality = 40  # enough\nencodings = [\"rgb\", \"jpeg\"]\n\noverlay = true\n");
    assert_eq!(changed(FILE, "overlay", Some("no")), FILE.replace("true", "false"));
    let added = changed(FILE, "title", Some("a \"b\\c"));
    assert!(added.starts_with(FILE), "{added}");
    let layer = parse(&added, Path::new("c.toml")).expect("it can be read");
    assert_eq!(layer.value("title").map(|value| value.text.clone()), Some("a \"b\\c".into()));
}

#[test]
fn an_option_is_taken_out() {
    assert_eq!(changed(FILE, "quality", None), FILE.replace("quality = 40  # enough\n", ""));
    assert_eq!(changed(FILE, "encodings", None), "# mine\nquality = 40  # enough\n\noverlay = true\n");
    assert_eq!(changed(FILE, "speed", None), FILE);
    assert_eq!(changed("", "speed", Some("30")), "speed = 30\n");
    assert_eq!(changed("quality = 1", "speed", Some("30")), "quality = 1\nspeed = 30\n");
    // By another name for the same.
    assert_eq!(changed("compression_level = 3\n", "compression-level", Some("5")), "compression_level = 5\n");
}

#[test]
fn what_is_wrong_is_refused() {
    let error = |text: &str, name: &str, value: &str| {
        with_option(text, Path::new("c.toml"), name, Some(value)).expect_err("refused").to_string()
    };
    assert!(error(FILE, "quality", "300").contains("`300` is not a value for `quality`"));
    assert!(error(FILE, "qualty", "3").contains("did you mean `quality`?"));
    // A file that is not understood is left alone.
    assert!(error("quality = \n", "speed", "3").starts_with("c.toml:1"));
}
