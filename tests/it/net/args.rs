//! From the command line as typed to a configuration.

use clap::{CommandFactory, Parser};
use farpane::cli::{Invocation, RawArgs};
use farpane::config::{Config, KeyCombination, ProtocolChoice, RendererChoice};
use farpane::net::Endpoint;

fn invocation(line: &str) -> Invocation {
    let words = std::iter::once("farpane").chain(line.split_whitespace());
    let raw = RawArgs::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
    raw.validate().unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn attach(line: &str) -> Config {
    match invocation(line) {
        Invocation::Attach(config) => config,
        other => panic!("{line}: {other:?}"),
    }
}

fn refused(line: &str) -> String {
    let words = std::iter::once("farpane").chain(line.split_whitespace());
    match RawArgs::try_parse_from(words) {
        Err(error) => error.to_string(),
        Ok(raw) => raw.validate().expect_err(line).to_string(),
    }
}

#[test]
fn the_definition_is_consistent() {
    RawArgs::command().debug_assert();
}

#[test]
fn a_server_alone_or_after_a_command_attaches() {
    assert_eq!(attach(":100").target.endpoint, Endpoint::Display("100".into()));
    assert_eq!(attach("attach :100").target, attach(":100").target);
    assert!(attach("--overlay attach :100").overlay);
    assert!(attach("attach :100 --overlay").overlay);
}

#[test]
fn options_reach_the_configuration() {
    let config = attach(
        "host --encodings png,rgb --encoding png --quality 40 --speed 70 --compressors none \
         --compression_level 0 --protocol bencode --renderer cpu --overlay-key Ctrl+Alt+o --username me",
    );
    assert_eq!(config.pictures.encodings.as_deref(), Some(&["png".to_owned(), "rgb".to_owned()][..]));
    assert_eq!(config.pictures.encoding.as_deref(), Some("png"));
    assert_eq!((config.pictures.quality, config.pictures.speed), (Some(40), Some(70)));
    assert_eq!(config.wire.compressors.as_deref(), Some(&[][..]));
    assert_eq!(config.wire.compression_level, Some(0));
    assert_eq!(config.wire.protocol, ProtocolChoice::Bencode);
    assert_eq!(config.renderer, RendererChoice::Cpu);
    assert_eq!(config.username.as_deref(), Some("me"));
    let key = KeyCombination { shift: false, control: true, alt: true, logo: false, key: "o".to_owned() };
    assert_eq!(config.overlay_key, key);
    assert_eq!(attach("host").overlay_key, KeyCombination::default());
}

#[test]
fn the_url_wins_over_options() {
    let config =
        attach("tcp://me:pw@host/?encoding=png&quality=30 --encoding jpeg --quality 90 --username you");
    assert_eq!(config.pictures.encoding.as_deref(), Some("png"));
    assert_eq!(config.pictures.quality, Some(30));
    assert_eq!(config.username.as_deref(), Some("me"));
    assert_eq!(config.password.as_ref().map(|p| p.expose()), Some("pw"));
    assert!(!format!("{config:?}").contains("pw"));
}

#[test]
fn a_password_file_gives_its_first_line() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), "secret\r\nmore\n").expect("writable");
    let config = attach(&format!("host --password-file {}", file.path().display()));
    assert_eq!(config.password.as_ref().map(|p| p.expose()), Some("secret"));
}

#[test]
fn mistakes_are_explained() {
    for (line, message) in [
        ("", "no server given"),
        ("gopher://x", "is not a kind of connection"),
        ("host --quality 0", "0 is not in 1..=100"),
        ("host --protocol yaml", "[possible values: auto, modern, bencode]"),
        ("host --overlay-key Hyper+x", "is not a key combination"),
        ("host --password-file /does/not/exist", "cannot read the password file /does/not/exist"),
        ("tcp://host/?quality=best", "quality=best is not valid: expected 1 to 100"),
        ("screenshot :1", "<FILE>"),
        (":1 info :1", "both a server"),
        ("demo --seconds soon", "expected seconds"),
    ] {
        let error = refused(line);
        assert!(error.contains(message), "{line}: {error}");
    }
}
