//! What the program prints about itself, and what it says of Xpra's options.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use farpane::config::{layers, xpra_options};

use crate::support::xpra::{Generation, attach_help};

fn farpane(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_farpane"));
    command
        .args(arguments)
        .env("FARPANE_CONFIG", "")
        .env_remove("FARPANE_LOG")
        .env_remove("FARPANE_PASSWORD");
    command.output().expect("the program starts")
}

fn stdout(arguments: &[&str]) -> String {
    let output = farpane(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn refused(arguments: &[&str]) -> String {
    let output = farpane(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    String::from_utf8(output.stderr).expect("UTF-8")
}

/// The long options in Xpra's help: indented a little, their explanations further.
fn long_options(help: &str) -> BTreeSet<String> {
    let is_option =
        |line: &&str| line.trim_start().starts_with('-') && line.find('-').is_some_and(|at| at < 8);
    let words = help.lines().filter(is_option).flat_map(|line| {
        // `-z LEVEL, --compression_level=LEVEL`
        let names = line.trim_start().split("  ").next().unwrap_or_default();
        names.split([' ', ',']).filter_map(|word| word.strip_prefix("--")).collect::<Vec<_>>()
    });
    words.map(|word| word.split(['=', '[']).next().unwrap_or_default().to_owned()).collect()
}

/// Each option of Xpra's clients is one of Farpane's, or it is said why not.
#[test]
fn every_option_of_xpra_is_answered() {
    for generation in [Generation::V3_1, Generation::V6_5] {
        let names = long_options(&attach_help(generation));
        assert!(names.len() > 100, "{names:?}");
        let is_answered = |name: &String| {
            let is_clap = ["version", "help"].contains(&name.as_str());
            is_clap || layers::long_name(name).is_ok() || xpra_options::lacking(name).is_some()
        };
        let missing: Vec<&String> = names.iter().filter(|name| !is_answered(name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        let both: Vec<&String> = names
            .iter()
            .filter(|name| layers::long_name(name).is_ok() && xpra_options::lacking(name).is_some())
            .collect();
        assert!(both.is_empty(), "{both:?}");
    }
}

/// Each command of Xpra's is one of Farpane's, or it is said who has it.
#[test]
fn every_command_of_xpra_is_answered() {
    for generation in [Generation::V3_1, Generation::V6_5] {
        let help = attach_help(generation);
        let lines = help.lines().filter_map(|line| line.trim_start().strip_prefix("xpra "));
        let names: BTreeSet<&str> = lines.filter_map(|line| line.split_whitespace().next()).collect();
        assert!(names.len() > 15, "{names:?}");
        let ours = [
            "attach",
            "detach",
            "exit",
            "info",
            "list",
            "screenshot",
            "shadow",
            "start",
            "start-desktop",
            "stop",
        ];
        let missing: Vec<&&str> = names
            .iter()
            .filter(|name| ours.contains(name) == xpra_options::lacking_command(name).is_some())
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}

#[test]
fn options_that_farpane_lacks_are_explained() {
    for (word, message) in [
        ("--printing=no", "Farpane has no files"),
        ("--no-speaker", "plays no sound"),
        ("--exit-ssh", "ends ssh with the session"),
        ("--start-child=xterm", "only attaches to running ones"),
        ("--qualty=3", "--quality"),
    ] {
        let error = refused(&[":1", word]);
        assert!(error.contains(message), "{word}: {error}");
    }
}

#[test]
fn configuration_is_shown_with_its_origin() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("my.toml");
    let file = path.display().to_string();
    std::fs::write(&path, "quality = 33\nspeed = 44\n").expect("writable");
    let shown = stdout(&["config", "--show", "--config", &file, "--speed", "55"]);
    assert!(shown.contains(&format!("quality = 33  # from {file}:1")), "{shown}");
    assert!(shown.contains("speed = 55  # from the command line"), "{shown}");
    let paths = stdout(&["config", "--path", "--config", &file]);
    assert!(paths.contains(&file) && paths.contains("system"), "{paths}");
    std::fs::write(&path, "qualty = 33\n").expect("writable");
    let error = refused(&["info", ":1", "--config", &file]);
    assert!(error.contains("my.toml:1: there is no option `qualty` (did you mean `quality`?)"), "{error}");
    // That still says where the file is.
    assert!(stdout(&["config", "--path", "--config", &file]).contains(&file));
}

#[test]
fn links_and_session_files_are_checked_before_anything_happens() {
    let error = refused(&["xpra+ssl://host/?ssl-server-verify-mode=none"]);
    assert!(error.contains("say `--ssl-server-verify-mode=none` yourself"), "{error}");
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("s.xpra");
    std::fs::write(&path, "host=h\nport=x\n").expect("writable");
    let error = refused(&[&path.display().to_string()]);
    assert!(error.contains("s.xpra:2: expected a port number"), "{error}");
}

#[test]
fn completions_know_commands_and_options() {
    for shell in ["bash", "zsh", "fish"] {
        let script = stdout(&["completions", shell]);
        for word in ["screenshot", "overlay-key", "ssl-server-verify-mode"] {
            assert!(script.contains(word), "{word} in the completions for {shell}");
        }
    }
    let script = stdout(&["completions", "bash"]);
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("farpane.bash");
    std::fs::write(&path, script).expect("writable");
    let ask = "source \"$0\"; COMP_WORDS=(farpane scr); COMP_CWORD=1; _farpane farpane scr farpane; echo \"${COMPREPLY[*]}\"";
    let output = Command::new("bash").args(["-c", ask]).arg(&path).output().expect("bash");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "screenshot");
}

#[test]
fn manual_pages_are_complete_and_well_formed() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    stdout(&["man", "--out", &dir.path().display().to_string()]);
    let pages: BTreeSet<String> = std::fs::read_dir(dir.path())
        .expect("a directory")
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .collect();
    for page in ["farpane.1", "farpane-attach.1", "farpane-screenshot.1", "farpane-config.1"] {
        assert!(pages.contains(page), "{pages:?}");
    }
    let main = std::fs::read_to_string(dir.path().join("farpane.1")).expect("a page");
    assert_eq!(main, stdout(&["man"]));
    for section in ["SYNOPSIS", "OPTIONS", "EXAMPLES", "EXIT STATUS", "ENVIRONMENT", "FILES"] {
        assert!(main.contains(section), "{section}");
    }
    for page in pages {
        check_page(&dir.path().join(page));
    }
}

/// `man` formats it without a word of complaint.
fn check_page(page: &Path) {
    let output = Command::new("man")
        .args(["--warnings", "-E", "UTF-8", "-l"])
        .arg(page)
        .env("MANWIDTH", "100")
        .output();
    let output = output.expect("man is installed");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaints.trim().is_empty(), "{}: {complaints}", page.display());
    assert!(!output.stdout.is_empty(), "{}", page.display());
}
