//! Links come from anybody: what they may do, and what they never do.

use farpane::config::request::{HARMLESS, LinkError, OpenError};
use farpane::config::{ConfigError, Layer, Origin, Request, Sender, SessionFile, Settings, layers};
use farpane::net::{Endpoint, HostPort, Secret};
use farpane::protocol::{CipherMode, KeyData};
use farpane::session::{Encryption, Profile};
use proptest::prelude::*;

fn open(text: &str) -> Request {
    Request::address(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn at(host: &str, port: u16) -> HostPort {
    HostPort { host: host.to_owned(), port }
}

#[test]
fn each_form_leads_where_xpras_client_goes() {
    for (link, endpoint) in [
        ("xpra://host/", Endpoint::Tcp(at("host", 14500))),
        ("XPRA://host/", Endpoint::Tcp(at("host", 14500))),
        ("xpra+tcp://host:1/", Endpoint::Tcp(at("host", 1))),
        ("xpra+ssl://host/", Endpoint::Tls(at("host", 443))),
        ("xpras://host:1/", Endpoint::Tls(at("host", 1))),
        ("xpra+ws://host/", Endpoint::WebSocket { at: at("host", 80), secure: false }),
        ("xpra+wss://host/", Endpoint::WebSocket { at: at("host", 443), secure: true }),
        ("xpra+ssh://host/", Endpoint::Ssh(at("host", 22))),
        ("farpane://host:2/", Endpoint::Tcp(at("host", 2))),
        ("farpane:ssl://host:2/", Endpoint::Tls(at("host", 2))),
        ("Farpane:host:2", Endpoint::Tcp(at("host", 2))),
    ] {
        let request = open(link);
        assert_eq!(request.target.endpoint, endpoint, "{link}");
        assert_eq!(request.sender, Sender::Link, "{link}");
    }
    // A path is a display; options may stand in it (`add_path` in xpra/scripts/parsing.py).
    let request = open("xpra://me:pw@host/100,quality=50&speed=20?encoding=png");
    assert_eq!(request.target.display.as_deref(), Some("100"));
    let said = |name| request.options.value(name).map(|value| value.text.to_string_lossy().into_owned());
    assert_eq!(said("quality").as_deref(), Some("50"));
    assert_eq!((said("speed").as_deref(), said("encoding").as_deref()), (Some("20"), Some("png")));
    assert_eq!(request.password.as_ref().map(|password| password.expose()), Some("pw"));
    let request = open("xpra://host/quality=50");
    assert_eq!((request.target.display, request.options.values().count()), (None, 1));
    // What is typed is no link, but its options come the same way.
    assert_eq!(open("tcp://host/").sender, Sender::Typed);
}

#[test]
fn links_lead_to_the_network_only() {
    for link in [
        "farpane::100",
        "farpane:100",
        "farpane:/run/docker.sock",
        "farpane:socket:///run/docker.sock",
        "farpane:@abstract",
        "farpane:wayland-1",
        "farpane:/home/me/evil.xpra",
    ] {
        let error = Request::open(link).expect_err(link);
        assert_eq!(error, OpenError::Link(LinkError::Local), "{link}");
    }
    for link in [
        "farpane:farpane:host",
        "xpra+socket:///run/x",
        "xprax://host/",
        "farpane:file:///etc/passwd",
        "farpane:javascript://x",
    ] {
        assert!(matches!(Request::open(link), Err(OpenError::Target(_))), "{link}");
    }
    let long = format!("xpra://host/{}", "a".repeat(5000));
    assert!(matches!(Request::open(&long), Err(OpenError::Link(LinkError::TooLong { .. }))));
    for link in ["xpra://host/\n-x", "xpra://a%1b%5b31m@host/", "xpra://host/?record=%0Ax", "farpane:h/%07"] {
        assert_eq!(Request::open(link).expect_err(link), OpenError::Link(LinkError::Control));
    }
}

/// What asks for encryption does not lead to a connection without.
#[test]
fn no_plain_connection_where_aes_was_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    let (key, empty) = (file("key", "\r\nin the file\n"), file("empty", "\n"));
    let wanted = |request: &Request, settings: &Settings| {
        settings.config(request).map(|config| config.connection.session.encryption)
    };
    let given = |words: &[(&str, &str)]| {
        let mut settings = Settings::default();
        words.iter().for_each(|(n, v)| settings.given.set(n, v, Origin::CommandLine).expect(n));
        settings
    };
    let content = KeyData::new(Vec::from(b"in the file").into()).expect("a key");
    let with = given(&[("encryption-keyfile", &key)]);
    for (address, mode) in [
        ("tcp://host/?encryption=AES", CipherMode::Cbc),
        ("xpra://host:1/7?encryption=aes-ctr", CipherMode::Ctr),
        ("tcp://host/?tcp_encryption=AES-CBC&encryption=none", CipherMode::Cbc),
        ("host/encryption=AES", CipherMode::Cbc),
        ("ws://host/?encryption=AES", CipherMode::Cbc),
        // The file alone asks for it too.
        ("tcp://host/", CipherMode::Cbc),
    ] {
        let encryption = wanted(&open(address), &with).expect(address).expect(address);
        assert_eq!(encryption, Encryption { mode, key: content.clone() }, "{address}");
    }
    let refusal =
        |address: &str, settings: &Settings| wanted(&open(address), settings).expect_err(address).to_string();
    let aes = "tcp://host/?encryption=AES";
    assert!(refusal(aes, &Settings::default()).contains("--encryption-keyfile=FILE"));
    assert!(refusal(aes, &given(&[("encryption-keyfile", &empty)])).contains("it is empty"));
    assert!(
        refusal(aes, &given(&[("encryption-keyfile", "/nonexistent")])).contains("key file /nonexistent")
    );
    for address in
        ["ssl://host/?encryption=AES", "socket:///run/x?encryption=AES", "ssh://host/?encryption=AES"]
    {
        assert!(refusal(address, &with).contains("for tcp:// and ws:// addresses"), "{address}");
    }
    for address in
        ["tcp://host/?encryption=AES-GCM", "xpra://host/?tcp-encryption=yes", "host/encryption=DES"]
    {
        let error = Request::open(address).expect_err(address).to_string();
        assert!(error.contains("expected none, AES, AES-CBC or AES-CTR"), "{address}: {error}");
    }
    let error = Request::open("tcp://host/?keydata=secret").expect_err("a key").to_string();
    assert!(error.contains("put the key into a file") && !error.contains("secret"), "{error}");
    // What configuration files say is for the user's own servers, and for those that it makes sense for.
    let mut configured = Settings::default();
    let origin = || Origin::File { path: "config.toml".into(), line: 1 };
    configured.files.set("encryption", "AES", origin()).expect("valid");
    configured.files.set("encryption-keyfile", &key, origin()).expect("valid");
    assert!(wanted(&open("tcp://host/"), &configured).expect("valid").is_some());
    assert!(wanted(&open("socket:///run/x"), &configured).expect("valid").is_none());
    assert!(wanted(&open("tcp://host/?encryption=none"), &configured).expect("valid").is_none());
    assert!(refusal("xpra://host/", &configured).contains("a configuration file does not count"));
}

/// A link neither chooses the file whose content is proven to a server, nor switches encryption off.
#[test]
fn no_link_chooses_a_key_or_none() {
    let asked = |link: &str| {
        let questions = open(link).questions.into_iter();
        questions.map(|question| (question.name, question.value)).collect::<Vec<_>>()
    };
    let question = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    assert_eq!(asked("xpra://host/?encryption=AES"), []);
    assert_eq!(asked("xpra://host/?encryption=off"), question("encryption", "off"));
    for name in ["encryption-keyfile", "tcp_encryption_keyfile", "keyfile"] {
        let link = format!("xpra://host/?{name}=/etc/hostname");
        assert_eq!(asked(&link), question("encryption-keyfile", "/etc/hostname"), "{link}");
        // One's own address may; the file is enough to ask for encryption.
        let typed = open(&format!("tcp://host/?{name}=/etc/hostname"));
        assert_eq!(typed.questions, []);
        let config = Settings::default().config(&typed).expect("valid");
        assert!(config.connection.session.encryption.is_some());
    }
    let file = SessionFile::parse("host=a\nmode=tcp + aes-ctr\ntcp_encryption_keyfile=/etc/hostname\n");
    assert_eq!(file.problems(), []);
    let strangers = file.request(false).expect("valid");
    let names: Vec<&str> = strangers.questions.iter().map(|question| question.name.as_str()).collect();
    assert_eq!(names, ["encryption-keyfile"]);
    let config = Settings::default().config(&file.request(true).expect("valid")).expect("valid");
    let mode = config.connection.session.encryption.map(|encryption| encryption.mode);
    assert_eq!(mode, Some(CipherMode::Ctr));
    // Saved anew, with the kind of connection in Farpane's words, it asks for the same.
    let (mut saved, own) = (file.clone(), file.request(true).expect("valid"));
    saved.update(&own.target, &own.options).expect("it can be said");
    let again = Settings::default().config(&saved.request(true).expect("valid")).expect("valid");
    let mode = again.connection.session.encryption.map(|encryption| encryption.mode);
    assert_eq!((saved.value("mode"), mode), (Some("tcp"), Some(CipherMode::Ctr)));
}

/// Whoever runs a proxy reads what is not encrypted: a link chooses none, and switches none off.
#[test]
fn no_link_chooses_a_proxy() {
    const WORDS: &str = "proxy-host=gate&proxy-username=anna&proxy-password=hunter2";
    let login = "socks5://anna@gate:1080";
    for link in [
        &format!("xpra://host/?{WORDS}"),
        &format!("xpra://host/100,{WORDS}"),
        "xpra+wss://host/?proxy=socks5://anna:hunter2@gate:1080",
    ] {
        let mut request = open(link);
        let asked: Vec<_> = request.questions.iter().map(|q| (q.name.as_str(), q.value.as_str())).collect();
        assert_eq!(asked, [("proxy", login)], "{link}");
        assert!(request.questions[0].why.contains("through that machine"));
        let refused = Settings::default().config(&request).expect_err(link);
        assert!(matches!(refused, ConfigError::Questions(_)) && !refused.to_string().contains("hunter2"));
        request.consent("proxy");
        let config = Settings::default().config(&request).expect("allowed");
        let proxy = config.connection.proxy.expect("a proxy");
        assert_eq!(proxy.to_string(), login);
        assert_eq!(proxy.password.as_ref().map(Secret::expose), Some("hunter2"));
    }
    assert_eq!(open("xpra://host/?proxy=none").questions.len(), 1);
    let file = SessionFile::parse("host=host\nproxy-host=gate\nproxy-type=HTTP\nproxy-port=3128\n");
    let stranger = file.request(false).expect("valid");
    assert_eq!(
        (stranger.questions[0].name.as_str(), &*stranger.questions[0].value),
        ("proxy", "http://gate:3128")
    );
    // One's own is followed, and so is what is typed.
    let proxy_of = |request: &Request| {
        let config = Settings::default().config(request).expect("valid");
        config.connection.proxy.map(|proxy| proxy.to_string())
    };
    assert_eq!(proxy_of(&file.request(true).expect("valid")).as_deref(), Some("http://gate:3128"));
    assert_eq!(proxy_of(&open(&format!("tcp://host/?{WORDS}"))).as_deref(), Some(login));
    // What needs none has none.
    assert_eq!(proxy_of(&open(&format!("socket:///run/x?{WORDS}"))), None);
}

/// What cannot be a proxy leads to no connection without one.
#[test]
fn words_about_proxies_are_checked() {
    for (words, problem) in [
        ("proxy-type=SOCKS5", "needs proxy-host"),
        ("proxy-port=1080", "needs proxy-host"),
        ("proxy-host=gate&proxy-type=VPN", "expected SOCKS5, SOCKS4 or HTTP"),
        ("proxy-host=gate&proxy-port=0", "expected a port number"),
        ("proxy-host=gate&proxy-port=80x", "expected a port number"),
        ("proxy-host=a b", "expected the name or address of a host"),
        ("proxy-host=evil/?x", "expected the name or address of a host"),
        ("proxy-host=gate&proxy-rdns=perhaps", "expected yes or no"),
        ("proxy-host=gate&proxy-password=hunter2", "a password with a name"),
        ("proxy=socks7://gate", "no kind of proxy"),
        ("proxy=anna:hunter2@:0", "no host and port"),
    ] {
        let error = Request::open(&format!("tcp://host/?{words}")).expect_err(words).to_string();
        assert!(error.contains(problem) && !error.contains("hunter2"), "{words}: {error}");
    }
    let text = |words: &str| {
        let request = open(&format!("tcp://host/?{words}"));
        request.options.value("proxy").map(|value| value.text.to_string_lossy().into_owned())
    };
    assert_eq!(text("proxy-host=::1&proxy-rdns=no").as_deref(), Some("socks5://[::1]:1080/?rdns=no"));
    assert_eq!(text("proxy-host=gate&proxy-type=socks4").as_deref(), Some("socks4a://gate:1080"));
    assert_eq!(text("proxy-host=").as_deref(), None);
}

/// Every option there is, also those that come later, is harmless or asked for.
#[test]
fn only_harmless_options_are_followed_unasked() {
    let mut asked = 0;
    layers::each_definition(|arg| {
        let name = arg.get_long().expect("a long name");
        let value = arg.get_default_values().first().map_or("x".into(), |value| value.to_string_lossy());
        // Another command than the one that is run anyway.
        let value = if name == "ssh" { "x".to_owned() } else { value.replace('+', "%2B") };
        let link = format!("xpra://host/?{name}={value}");
        let request = open(&link);
        let is_set = request.options.value(name).is_some();
        let is_asked = request.questions.iter().any(|question| question.name == name);
        assert_eq!(is_set, HARMLESS.contains(&name), "{name}");
        assert_eq!(is_asked, !HARMLESS.contains(&name), "{name}");
        // In words, with the value in them or a word for it.
        if let Some(question) = request.questions.first() {
            let words = question.words();
            assert!(words.contains(' ') && !words.contains(&format!("--{name}")), "{words}");
            assert!(!words.contains(&format!("{name}={}", question.value)), "{words}");
        }
        asked += usize::from(is_asked);
    });
    assert!(asked >= 8, "{asked}");
    for name in HARMLESS {
        assert_eq!(layers::long_name(name).as_deref(), Ok(name));
        assert!(!name.starts_with("ssl-") && !name.ends_with("file"), "{name}");
    }
}

/// A link that is made leads to the same, without secrets, files, and what somebody would have to be asked about.
#[test]
fn links_are_made_that_lead_to_the_same() {
    let options = "quality=70&encodings=png,jpeg&record=/tmp/x&password-file=/tmp/secret&sharing=yes";
    for (address, link) in [
        ("tcp://anna:pa55@host:14500/", "xpra+tcp://anna@host:14500/"),
        ("ssl://host/7", "xpra+ssl://host:443/7"),
        ("ws://host/path", "xpra+ws://host:80/path"),
        ("wss://[::1]:10000/", "xpra+wss://[::1]:10000/"),
        ("ssh://anna@host/100", "xpra+ssh://anna@host:22/100"),
        ("quic://host:1/", "farpane:quic://host:1/"),
    ] {
        let typed = open(&format!("{address}?{options}"));
        let made = typed.link().expect("a link");
        assert_eq!(made, format!("{link}?encodings=png%2Cjpeg&quality=70"), "{address}");
        let followed = open(&made);
        assert_eq!(followed.sender, Sender::Link);
        let without_password = |request: &Request| {
            let target = &request.target;
            (target.endpoint.clone(), target.username.clone(), target.display.clone())
        };
        assert_eq!(without_password(&followed), without_password(&typed), "{made}");
        assert!(followed.questions.is_empty() && followed.password.is_none(), "{followed:?}");
        for name in ["quality", "encodings"] {
            let value = |request: &Request| request.options.value(name).map(|value| value.text.clone());
            assert_eq!(value(&followed), value(&typed), "{name}");
        }
    }
    for here in [":100", "/run/xpra/socket", "@abstract", "vsock://2:14500/"] {
        assert_eq!(open(here).link(), None, "{here}");
    }
}

#[test]
fn a_link_can_switch_the_clipboard_off_and_not_on() {
    for (value, is_asked) in [("no", false), ("off", false), ("yes", true)] {
        let request = open(&format!("xpra://host/?clipboard={value}"));
        assert_eq!(request.questions.len(), usize::from(is_asked), "{value}");
        assert_eq!(request.options.value("clipboard").is_some(), !is_asked, "{value}");
    }
    for option in ["clipboard-direction=disabled", "clipboard-limit=1", "clipboard-selections=PRIMARY"] {
        assert_eq!(open(&format!("xpra://host/?{option}")).questions.len(), 1, "{option}");
    }
}

#[test]
fn nothing_that_is_asked_for_happens_before_a_yes() {
    let mut request = open("xpra+ssl://host/?ssl-server-verify-mode=none&record=/tmp/x&quality=50");
    let mut settings = Settings::default();
    let Err(ConfigError::Questions(questions)) = settings.config(&request) else { panic!("not asked") };
    assert_eq!(questions.len(), 2);
    let words = ConfigError::Questions(questions).to_string();
    assert!(words.contains("it would change how the server is checked"), "{words}");
    assert!(words.contains("say `--record=/tmp/x` yourself"), "{words}");
    // On the command line, the user's own word answers the question.
    settings.given.set("record", "/tmp/mine", Origin::CommandLine).expect("valid");
    settings.given.set("ssl-server-verify-mode", "required", Origin::CommandLine).expect("valid");
    let config = settings.config(&request).expect("answered");
    assert!(config.connection.tls.verify);
    assert_eq!(config.record.as_deref(), Some(std::path::Path::new("/tmp/mine")));
    // In a window, a yes.
    request.consent("ssl-server-verify-mode");
    assert_eq!(request.questions.len(), 1);
    request.consent("record");
    let config = Settings::default().config(&request).expect("allowed");
    assert!(!config.connection.tls.verify && config.record.is_some());
}

/// Options of Xpra that run commands or touch files mean nothing here.
#[test]
fn xpras_dangerous_options_are_ignored() {
    let request =
        open("xpra://host/?start=xterm&open-command=x&env=A=B&remote-xpra=x&password-files=/etc/passwd");
    assert_eq!(request.options, Layer::default());
    assert_eq!((request.questions.len(), request.ignored.len()), (0, 5));
}

/// The one option that runs a program on this machine: nobody's link, file or pasted address may set it unasked.
#[test]
fn no_link_chooses_the_command_for_ssh() {
    let command = |request: &Request| {
        let config = Settings::default().config(request);
        config.map(|config| config.connection.ssh.command).map_err(|error| error.to_string())
    };
    for address in
        ["xpra+ssh://host/?ssh=sh%20-c%20x", "ssh://host/?ssh=sh%20-c%20x", "ssh://host/7,ssh=sh -c x"]
    {
        let mut request = open(address);
        let error = command(&request).expect_err("a question");
        assert!(error.contains("it would run this command on your machine"), "{error}");
        request.consent("ssh");
        assert_eq!(command(&request), Ok(["sh", "-c", "x"].map(str::to_owned).to_vec()));
    }
    let file = SessionFile::parse("host=h\nmode=ssh\nssh=sh -c x\n");
    assert!(command(&file.request(false).expect("valid")).is_err());
    assert_eq!(command(&file.request(true).expect("valid")).map(|command| command.len()), Ok(3));
    // What Xpra's own files say most often changes nothing.
    for same in ["auto", "ssh", "paramiko"] {
        let file = SessionFile::parse(&format!("host=h\nmode=ssh\nssh={same}\n"));
        assert_eq!(command(&file.request(false).expect("valid")), Ok(vec!["ssh".to_owned()]), "{same}");
    }
    // The account's password there is ssh's, not the session's.
    let config = Settings::default().config(&open("ssh://anna:secret@host/")).expect("valid").connection;
    assert_eq!(config.ssh.password, Some(Secret::new("secret".to_owned())));
    assert_eq!(config.session.password, None);
}

#[test]
fn a_server_that_a_link_names_gets_no_configured_password() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), "configured\n").expect("writable");
    let mut files = Layer::default();
    let origin = Origin::File { path: "c.toml".into(), line: 1 };
    files.set("password-file", file.path(), origin).expect("valid");
    let variable = Some(Secret::new("variable".to_owned()));
    let mut settings = Settings { files, variable: variable.clone(), ..Settings::default() };
    let password = |settings: &Settings, text: &str| {
        let config = settings.config(&open(text)).expect("valid");
        config.connection.session.password.map(|password| password.expose().to_owned())
    };
    assert_eq!(password(&settings, "xpra://host/"), None);
    assert_eq!(password(&settings, "tcp://host/").as_deref(), Some("configured"));
    let only_variable = Settings { variable, ..Settings::default() };
    assert_eq!(password(&only_variable, "tcp://host/").as_deref(), Some("variable"));
    assert_eq!(password(&only_variable, "xpra://host/"), None);
    let strangers = SessionFile::parse("host=h\n");
    for (own, expected) in [(false, None), (true, Some("variable"))] {
        let config = only_variable.config(&strangers.request(own).expect("valid")).expect("valid");
        let password = config.connection.session.password;
        assert_eq!(password.as_ref().map(Secret::expose), expected, "own: {own}");
    }
    assert_eq!(password(&settings, "tcp://me:own@host/").as_deref(), Some("own"));
    settings.given.set("password-file", file.path(), Origin::CommandLine).expect("valid");
    assert_eq!(password(&settings, "xpra://me:own@host/").as_deref(), Some("configured"));
}

/// Who configured a name for one server does not tell it to every other one.
#[test]
fn a_server_that_a_link_names_learns_no_configured_name_and_no_host_name() {
    let mut files = Layer::default();
    files.set("username", "configured", Origin::File { path: "c.toml".into(), line: 1 }).expect("valid");
    let mut settings = Settings { files, ..Settings::default() };
    let identity = |settings: &Settings, text: &str| {
        settings.config(&open(text)).expect("valid").connection.session.identity
    };
    let typed = identity(&settings, "tcp://host/");
    assert_eq!(typed.username, "configured");
    let link = identity(&settings, "xpra://host/");
    assert_ne!(link.username, "configured");
    assert_eq!((link.hostname.as_str(), typed.hostname.is_empty()), ("", false));
    assert_eq!(identity(&settings, "xpra://me@host/").username, "me");
    settings.given.set("username", "said", Origin::CommandLine).expect("valid");
    assert_eq!(identity(&settings, "xpra://me@host/").username, "said");
    // One process is one client, however often it connects; the next one is another.
    assert_eq!(link.uuid, typed.uuid);
    assert_ne!(link.session_id, typed.session_id);
    // Windows remember their order for who attaches as the account: who shares, asks or follows a link does not.
    let attached =
        |text: &str, profile| settings.config(&open(text)).expect("valid").net(profile).session.identity.uuid;
    assert_ne!(attached("tcp://host/", Profile::Attach), typed.uuid);
    for (text, profile) in [
        ("xpra://host/", Profile::Attach),
        ("tcp://host/?sharing=yes", Profile::Attach),
        ("tcp://host/", Profile::Info),
        ("tcp://host/", Profile::Identify),
    ] {
        assert_eq!(attached(text, profile), typed.uuid, "{text} {profile:?}");
    }
}

proptest! {
    /// Whatever a link says: no panic, nothing but harmless options, never a local endpoint.
    #[test]
    fn hostile_links(
        scheme in "(xpra|farpane|xpra\\+(tcp|ssl|ws|wss|ssh)|FARPANE)",
        middle in "(://|:|:///|:tcp://|:socket://|:/|:@)",
        rest in "([a-z0-9.:@/?&=,%\\[\\]#-]|\\PC){0,60}",
        name in "(record|stats-json|log|config|password-file|ssl-ca-certs|ssl-server-verify-mode|quality|start)",
    ) {
        for link in [format!("{scheme}{middle}{rest}"), format!("{scheme}://h/{rest}?{name}={rest}")] {
            let Ok(request) = Request::open(&link) else { continue };
            prop_assert_eq!(request.sender, Sender::Link);
            prop_assert!(!matches!(request.target.endpoint, Endpoint::Unix(_) | Endpoint::Abstract(_) | Endpoint::Display(_)), "{}", link);
            for (name, _) in request.options.values() {
                prop_assert!(HARMLESS.contains(&name), "{}: {}", link, name);
            }
            if let Ok(config) = Settings::default().config(&request) {
                prop_assert!(config.record.is_none() && config.stats_json.is_none());
                prop_assert!(!config.connection.session.share);
                prop_assert!(config.connection.tls.verify && config.connection.tls.check_hostname);
                prop_assert!(config.connection.tls.ca_certs.is_none());
            }
        }
    }
}
