//! No password in a `Debug` output: what holds one on its way from the command line, an address, a session file or a
//! text field to the challenge, and what says that something of it is wrong.

use std::fmt::Debug;

use clap::Parser as _;
use farpane::app::connect::Opened;
use farpane::channel::NetCommand;
use farpane::cli::args::RawArgs;
use farpane::config::{ConfigFiles, Request, SessionFile, Settings};
use farpane::net::{Secret, Target};
use farpane::session::{ConnectionInput, Input, SessionConfig};
use farpane::ui::{ConnectForm, PasswordReply, SecretText};

const PASSWORD: &str = "hunter2";

fn secret() -> Secret {
    Secret::new(PASSWORD.to_owned())
}

#[track_caller]
fn assert_silent(what: &impl Debug) {
    for said in [format!("{what:?}"), format!("{what:#?}")] {
        assert!(!said.contains(PASSWORD), "{said}");
    }
}

/// Addresses that hold the password, understood or not.
const ADDRESSES: [&str; 18] = [
    "tcp://anna:hunter2@host:14500/100",
    "ssl://:hunter2@host/",
    "wss://anna:hunter2@host/path",
    "anna:hunter2@host",
    "tcp:anna:hunter2@host:1",
    "socket://anna:hunter2@/run/socket",
    "xpra://anna:hunter2@host/?quality=50",
    "tcp://host/?password=hunter2",
    "tcp://host/100,password=hunter2",
    "tcp://host/password=hunter2",
    "socket:///run/socket?password=hunter2",
    "tcp://host/?proxy-host=gate&proxy-username=anna&proxy-password=hunter2",
    "xpra://host/?proxy-host=gate&proxy-username=anna&proxy-password=hunter2",
    "wss://host/?proxy=socks5://anna:hunter2@gate",
    "xpra://host/?proxy=http://anna:hunter2@gate:3128",
    // These cannot be.
    "tcp://anna:hunter2@host:port/",
    "gopher://anna:hunter2@host",
    "tcp://anna:/hunter2@host/",
];

#[test]
fn addresses_and_requests() {
    let mut understood = 0;
    for address in ADDRESSES {
        let target = Target::parse(address);
        understood += usize::from(target.is_ok());
        assert_silent(&target);
        assert_silent(&Request::address(address));
        assert_silent(&Request::open(address));
        assert_silent(&Opened::understand(address));
        assert_silent(&ConnectForm { address: address.to_owned().into(), ..ConnectForm::default() });
        if let Ok(request) = Request::address(address) {
            let config = Settings { variable: Some(secret()), ..Settings::default() }.config(&request);
            if let Ok(config) = &config {
                assert_silent(&config.connection.target);
                assert_silent(&config.connection);
            }
            assert_silent(&config);
        }
    }
    assert_eq!(understood, 15);
}

#[test]
fn the_command_line() {
    for address in ADDRESSES {
        for words in [
            &["farpane", address][..],
            &["farpane", "attach", address],
            &["farpane", "open", address],
            &["farpane", "info", address],
            &["farpane", "screenshot", address, "x.png"],
            &["farpane", "screenshot", "x.png", address],
            &["farpane", "record", address, "x.rec"],
            &["farpane", "record", "x.rec", address],
            &["farpane", address, "info", address],
        ] {
            // What looks like a file's name is one, in whichever place it stands.
            if words.get(2).is_some_and(|word| word.starts_with("x.")) && !address.contains("://") {
                continue;
            }
            let arguments = RawArgs::try_parse_from(words).expect("a command line");
            assert_silent(&arguments);
            let settings = arguments.settings(&ConfigFiles::default()).expect("defaults");
            let settings = Settings { variable: Some(secret()), ..settings };
            assert_silent(&settings);
            let invocation = arguments.validate(settings);
            if let Err(error) = &invocation {
                assert!(!error.to_string().contains(PASSWORD), "{error}");
            }
            assert_silent(&invocation);
        }
    }
}

/// The password of a proxy: in options, in their errors, in configuration files, in what is shown of them.
#[test]
fn proxies() {
    const GOOD: &str = "socks5://anna:hunter2@gate:1";
    for proxy in [
        GOOD,
        "http://anna:hunter2@gate",
        "anna:hunter2@gate",
        "socks9://anna:hunter2@gate",
        "socks5://gate:hunter2",
    ] {
        let option = format!("--proxy={proxy}");
        for words in [&["farpane", "tcp://host/", &option][..], &["farpane", "tcp://host/", "--proxy", proxy]]
        {
            let said = match RawArgs::try_parse_from(words) {
                Err(error) => {
                    let words = words.iter().map(|word| (*word).to_owned());
                    farpane::cli::args::without_passwords(&error.render().to_string(), words)
                }
                Ok(arguments) => {
                    assert_silent(&arguments);
                    let settings = arguments.settings(&ConfigFiles::default()).expect("defaults");
                    assert_silent(&settings);
                    assert_silent(&settings.options());
                    let shown = farpane::config::file::shown(&settings.layer());
                    let invocation = arguments.validate(settings).expect("valid");
                    format!("{shown}{invocation:?}")
                }
            };
            assert!(!said.contains(PASSWORD), "{words:?}: {said}");
        }
        let file =
            farpane::config::file::parse(&format!("proxy = '{proxy}'"), std::path::Path::new("x.toml"));
        assert!(!format!("{file:?}").contains(PASSWORD));
        if let Err(error) = file {
            assert!(!error.to_string().contains(PASSWORD), "{error}");
        }
    }
    // It reaches the proxy all the same.
    let arguments = RawArgs::try_parse_from(["farpane", "tcp://host/", "--proxy", GOOD]).expect("valid");
    let settings = arguments.settings(&ConfigFiles::default()).expect("defaults");
    let config = settings.config(&Request::address("tcp://host/").expect("valid")).expect("valid");
    assert_eq!(config.connection.proxy.and_then(|proxy| proxy.password), Some(secret()));
    let variable = |name: &str| (name == "ALL_PROXY").then(|| GOOD.to_owned());
    assert_silent(&farpane::net::proxy::Environment::read(variable));
}

#[test]
fn session_files() {
    for line in [
        "password=hunter2",
        "proxy_password = hunter2",
        "proxy-host=gate\nproxy-username=anna\nproxy-password=hunter2",
        "proxy=socks5://anna:hunter2@gate",
        "proxy=socks9://anna:hunter2@gate",
        "Password=hunter2",
        "ssl-key-password=hunter2",
        "#password=hunter2",
        "! hunter2",
        "hunter2",
        "pass\\\nword=hunter2",
        "=hunter2",
        "hunter2=",
        "tcp://anna:hunter2@host/?quality=50",
    ] {
        let file = SessionFile::parse(&format!("mode=tcp\nhost=host\nusername=anna\n{line}\n"));
        assert!(file.to_text().contains(PASSWORD));
        assert_silent(&file);
        assert_silent(&file.problems());
        assert_silent(&file.request(true));
        assert_silent(&file.request(false));
    }
    // A saved connection keeps the password of its proxy, until it is to forget all of them.
    for line in
        ["proxy-host=gate\nproxy-username=anna\nproxy-password=hunter2", "proxy=socks5://anna:hunter2@gate"]
    {
        let mut file = SessionFile::parse(&format!("mode=tcp\nhost=host\n{line}\n"));
        let request = file.request(true).expect("valid");
        file.update(&request.target, &request.options).expect("valid");
        let again = file.request(true).expect("valid");
        let config = Settings::default().config(&again).expect("valid");
        assert_eq!(config.connection.proxy.and_then(|proxy| proxy.password), Some(secret()), "{line}");
        file.forget_passwords();
        assert!(!file.to_text().contains(PASSWORD), "{}", file.to_text().as_str());
        // Another one, or none, takes its place.
        let mut file = SessionFile::parse(&format!("mode=tcp\nhost=host\n{line}\n"));
        let mut options = request.options.clone();
        options.unset("proxy");
        file.update(&request.target, &options).expect("valid");
        assert!(!file.to_text().contains("proxy"), "{}", file.to_text().as_str());
    }
    let mut file = SessionFile::parse("host=host");
    file.store_password(&secret()).expect("a line");
    assert_eq!(file.password(), Some(secret()));
    assert_silent(&file);
    assert_silent(&file.set("password", PASSWORD));
    assert_silent(&file.store_password(&Secret::new("hunter2\\".to_owned())));
}

#[test]
fn what_was_typed_on_its_way_to_the_challenge() {
    use egui::TextBuffer as _;
    let mut field = SecretText::default();
    field.insert_text(PASSWORD, egui::text::CharIndex(0));
    assert!(!field.as_str().contains(PASSWORD));
    let typed = field.take();
    assert_eq!(typed.expose(), PASSWORD);
    assert_silent(&typed);
    assert_silent(&PasswordReply::Password(typed.clone()));
    assert_silent(&Input::Connection(ConnectionInput::Password(typed.clone())));
    assert_silent(&NetCommand::Input(Input::Connection(ConnectionInput::Password(typed.clone()))));
    assert_silent(&SessionConfig { password: Some(typed), ..SessionConfig::default() });
}
