//! From the command line as typed to a configuration.

use clap::{CommandFactory, Parser};
use farpane::cli::{Invocation, RawArgs};
use farpane::config::{Config, KeyCombination, RendererChoice, Settings};
use farpane::net::{Endpoint, ProtocolPolicy};
use farpane::protocol::Dialect;
use farpane::protocol::packet::draw::Encoding;

fn invocation(line: &str) -> Invocation {
    let words = std::iter::once("farpane").chain(line.split_whitespace());
    let raw = RawArgs::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
    let settings = alone(&raw);
    raw.validate(settings).unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// What the command line says, without this machine's configuration files.
fn alone(raw: &RawArgs) -> Settings {
    Settings { given: raw.options.0.clone(), ..Settings::default() }
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
        Ok(raw) => {
            let settings = alone(&raw);
            raw.validate(settings).expect_err(line).to_string()
        }
    }
}

#[test]
fn the_definition_is_consistent() {
    RawArgs::command().debug_assert();
}

#[test]
fn a_server_alone_or_after_a_command_attaches() {
    assert_eq!(attach(":100").connection.target.endpoint, Endpoint::Display("100".into()));
    assert_eq!(attach("attach :100").connection.target, attach(":100").connection.target);
    assert!(attach("--overlay attach :100").overlay);
    assert!(attach("attach :100 --overlay").overlay);
}

#[test]
fn options_reach_the_configuration() {
    let config = attach(
        "host --encodings png,rgb --encoding png --quality 40 --speed 70 --compressors none \
         --compression_level 0 --protocol bencode --renderer cpu --overlay-key Ctrl+Alt+o --username me",
    );
    assert_eq!(
        config.connection.session.pictures.encodings,
        [Encoding::Png, Encoding::Rgb24, Encoding::Rgb32]
    );
    let session = &config.connection.session;
    assert_eq!(session.pictures.preferred.as_deref(), Some("png"));
    assert_eq!((session.pictures.quality, session.pictures.speed), (Some(40), Some(70)));
    assert!(session.compressors.is_empty() && !session.pictures.compress_rgb);
    assert_eq!(session.compression_level, 0);
    assert_eq!(config.connection.protocol, ProtocolPolicy::Only(Dialect::Legacy31));
    assert_eq!(session.identity.username, "me");
    assert_eq!(config.renderer, RendererChoice::Cpu);
    let key = KeyCombination { shift: false, control: true, alt: true, logo: false, key: "o".to_owned() };
    assert_eq!(config.overlay_key, key);
    assert_eq!(config.overlay_key.to_string(), "Ctrl+Alt+o");
    assert_eq!(attach("host").overlay_key, KeyCombination::shift("F11"));
    assert_eq!(attach("host").session_info_key, KeyCombination::shift("F10"));
}

#[test]
fn what_is_typed_wins_over_the_address() {
    let address = "tcp://me:pw@host/?encoding=png&quality=30&speed=20";
    let config = attach(&format!("{address} --encoding jpeg --quality 90 --username you"));
    let session = &config.connection.session;
    assert_eq!(session.pictures.preferred.as_deref(), Some("jpeg"));
    assert_eq!((session.pictures.quality, session.pictures.speed), (Some(90), Some(20)));
    assert_eq!(session.identity.username, "you");
    assert_eq!(session.password.as_ref().map(|p| p.expose()), Some("pw"));
    assert!(!format!("{config:?}").contains("pw"));
    assert_eq!(attach(address).connection.session.identity.username, "me");
}

#[test]
fn xpras_names_mean_the_same() {
    let config = attach(
        "host --opengl=no -z 3 --min-quality=30 --min-speed=20 --sharing=yes --ssl-server-verify-mode=optional",
    );
    assert_eq!(config.renderer, RendererChoice::Cpu);
    let session = &config.connection.session;
    assert_eq!((session.pictures.min_quality, session.pictures.min_speed), (Some(30), Some(20)));
    assert!(session.share && session.compression_level == 3 && config.connection.tls.verify);
    let config = attach("host --quality 0 --encodings all --encoding auto --sharing --overlay=no");
    let session = &config.connection.session;
    assert_eq!((session.pictures.quality, session.pictures.preferred.as_deref()), (None, None));
    assert!(session.share && session.pictures.encodings.len() > 5 && !config.overlay);
}

#[test]
fn a_password_file_gives_its_first_line() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), "secret\r\nmore\n").expect("writable");
    let config = attach(&format!("host --password-file {}", file.path().display()));
    assert_eq!(config.connection.session.password.as_ref().map(|p| p.expose()), Some("secret"));
}

#[test]
fn a_password_file_in_utf_16_is_refused() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    for text in ["secret\n", "\u{feff}secret\n"] {
        let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        std::fs::write(file.path(), bytes).expect("writable");
        let error = refused(&format!("host --password-file {}", file.path().display()));
        assert!(error.contains("it is not UTF-8"), "{error}");
    }
}

#[test]
fn mistakes_are_explained() {
    for (line, message) in [
        ("gopher://x", "is not a kind of connection"),
        ("host --quality 101", "expected a number from 0 to 100"),
        ("host --quality x", "expected a number from 0 to 100"),
        ("host -z 10", "expected a number from 0 to 9"),
        ("host --protocol yaml", "[possible values: auto, modern, bencode]"),
        ("host --encodings vp9", "`vp9` is not an encoding that Farpane shows"),
        ("host --compressors lzo", "`lzo` is not a compressor"),
        ("host --overlay-key Hyper+x", "is not a key combination"),
        ("host --password-file /does/not/exist", "cannot read the password file /does/not/exist"),
        (
            "tcp://host/?quality=best",
            "in the address: `best` is not a value for `quality`: expected a number from 0 to 100",
        ),
        ("xpra://host/?record=x", "say `--record=x` yourself"),
        ("/does/not/exist.xpra", "cannot read the session file /does/not/exist.xpra"),
        ("screenshot :1", "<FILE>"),
        (":1 info :1", "both a server"),
        ("demo --seconds soon", "expected seconds"),
    ] {
        let error = refused(line);
        assert!(error.contains(message), "{line}: {error}");
    }
}

/// What the user typed needs no consent: it is no link.
#[test]
fn options_in_a_typed_address_are_followed() {
    let config = attach("tcp://host/?record=/tmp/x&sharing=yes&protocol=bencode&ssl-check-hostname=no");
    assert_eq!(config.record.as_deref(), Some(std::path::Path::new("/tmp/x")));
    assert!(config.connection.session.share && !config.connection.tls.check_hostname);
    assert_eq!(config.connection.protocol, ProtocolPolicy::Only(Dialect::Legacy31));
}

/// A display after the port reaches the server as a proxy has it in its list.
#[test]
fn a_display_in_the_address_is_told_to_the_server() {
    let display = |line: &str| attach(line).connection.session.display_name;
    assert_eq!(display("tcp://host:1/100").as_deref(), Some(":100"));
    assert_eq!(display("tcp://host:1/:100").as_deref(), Some(":100"));
    assert_eq!(display("tcp://host:1/tcp://10.0.0.1:2").as_deref(), Some("tcp://10.0.0.1:2"));
    assert_eq!(display("wss://host/100").as_deref(), Some(":100"));
    assert_eq!(display("wss://host/apps/one/").as_deref(), None);
    assert_eq!(display("tcp://host:1/").as_deref(), None);
}

/// Neither a command line in memory nor what is said of a bad one shows a password.
#[test]
fn a_command_line_shows_no_password() {
    let words = ["farpane", "attach", "tcp://me:sesamsecret@host/"];
    let raw = RawArgs::try_parse_from(words).expect("valid");
    assert!(!format!("{raw:?}").contains("sesam"));
    for words in [
        &["farpane", "tcp://me:sesamsecret@host/", "info", "tcp://me:sesamsecret@host/"][..],
        &["farpane", "attach", "tcp://me:sesamsecret@host/", "tcp://me:sesamsecret@host/"],
        &["farpane", "tcp://me:sesamsecret:P/", "--quality", "x"],
        &["farpane", "me:sesamsecret@host", "me:sesamsecret@host"],
        &["farpane", "me:sesamsecret@host.xpra:x"],
        &["farpane", "me:sesamsecret@host.xpra"],
        &["farpane", "info", "me:sesam/secret@host.xpra"],
        &["farpane", "info", ":sesamsecret@host"],
    ] {
        let said = match RawArgs::try_parse_from(words) {
            Err(error) => {
                let words = words.iter().map(|word| (*word).to_owned());
                farpane::cli::args::without_passwords(&error.render().to_string(), words)
            }
            Ok(raw) => {
                let settings = alone(&raw);
                match raw.validate(settings) {
                    Ok(invocation) => format!("{invocation:?}"),
                    Err(error) => format!("{error} {error:?}"),
                }
            }
        };
        assert!(!said.contains("sesam"), "{words:?}: {said}");
    }
}

#[test]
fn a_password_file_may_begin_with_a_byte_order_mark() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), "\u{feff}secret\n").expect("writable");
    let config = attach(&format!("host --password-file {}", file.path().display()));
    assert_eq!(config.connection.session.password.as_ref().map(|p| p.expose()), Some("secret"));
}
