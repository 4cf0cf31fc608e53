//! Xpra's own encryption, with real servers. 6.5.5 has all of it, and nothing that switches it on for a connection: it
//! runs with that one line put back, and as it is.

use std::path::{Path, PathBuf};

use x11rb::protocol::Event;

use super::attach::wait_picture;
use super::for_every_server;
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::relay::Relay;
use crate::support::viewer::{Viewer, command};
use crate::support::xpra::{Generation, Options, XpraServer};

for_every_server!(a_session, the_wrong_key);

const LOGIN_REFUSED: i32 = 7;

/// Starts 6.5.5 with what it lacks: the options of a socket are looked at.
const WITH_ENCRYPTION: &str = r#"
import sys
from xpra.server import core
from xpra.server.subsystem.encryption import parse_encryption
core.ServerCore.parse_encryption = lambda self, protocol, options: parse_encryption(protocol, options, "", "")
from xpra.scripts.main import main
sys.exit(main("xpra", sys.argv))
"#;

/// Two key files that differ, and what starts a 6.5.5.
struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        let files = Self { folder: tempfile::tempdir().expect("a folder") };
        for (name, text) in [("key", "a key, 100% \n"), ("other", "another\n"), ("start.py", WITH_ENCRYPTION)]
        {
            std::fs::write(files.path(name), text).expect("a file");
        }
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn option(&self, name: &str) -> String {
        format!("--encryption-keyfile={}", self.path(name).display())
    }
}

/// A server that insists.
fn insisting(generation: Generation, files: &Files, password: Option<&str>) -> XpraServer {
    let key = files.path("key");
    let mut options = Options { password: password.map(str::to_owned), ..Options::default() };
    if generation == Generation::V3_1 {
        let file = format!("--tcp-encryption-keyfile={}", key.display());
        options.switches = vec!["--tcp-encryption=AES".to_owned(), file, "--html=on".to_owned()];
    } else {
        options.script = Some(files.path("start.py"));
        options.socket_options = format!(",encryption=AES,keyfile={}", key.display());
        options.switches = vec!["--html=on".to_owned()];
    }
    XpraServer::start(generation, &options)
}

fn info(words: &[&str]) -> (i32, String) {
    let output = command(&[&["info"], words].concat()).output().expect("the program starts");
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (output.status.code().expect("a code"), said)
}

/// A password, pixels, keys, a connection that is lost and made again, information, over tcp and ws.
fn a_session(generation: Generation) {
    let files = Files::new();
    let server = insisting(generation, &files, Some("open"));
    let password = server.directory().join("password");
    let password = format!("--password-file={}", password.display());
    let (first, second) = (Picture::sharp(501, 403), Picture::smooth(501, 403));
    let card = Card::open(server.x().name(), "not for others", &first, &Look::default());
    let raw = ["--encodings", "rgb", "--compressors", "none", "--compression-level", "0", &password];
    let key = files.option("key");
    let modes: &[&str] = if generation == Generation::V3_1 { &["CBC"] } else { &["CBC", "CTR"] };
    for mode in modes {
        let display = Display::with_window_manager();
        let relay = Relay::to(server.address());
        let encryption = format!("--encryption=AES-{mode}");
        let url = relay.url();
        let mut viewer = Viewer::start(&display, &[&[url.as_str(), &encryption, &key][..], &raw].concat());
        wait_picture(&mut viewer, "not for others", &first, &format!("encryption-{mode}"));
        assert!(!relay.server_said("not for others"), "the title can be read");
        type_a(&display, &card, &mut viewer);
        relay.close();
        card.show(&second);
        relay.open();
        wait_picture(&mut viewer, "not for others", &second, &format!("encryption-again-{mode}"));
        type_a(&display, &card, &mut viewer);
        let stats = viewer.stop();
        let words = stats["session"]["encryption"].as_str().expect("words");
        assert!(words.starts_with(&format!("AES-{mode} with a key file")), "{words}");
        card.show(&first);
    }
    let display = Display::bare();
    let url = format!("ws://{}/?encryption=AES&keyfile={}", server.address(), files.path("key").display());
    let mut viewer = Viewer::start(&display, &[&[url.as_str()][..], &raw].concat());
    wait_picture(&mut viewer, "not for others", &first, "encryption-ws");
    viewer.stop();
    let (code, said) = info(&[&server.url(), "--encryption=AES", &key, &password]);
    assert!(
        code == 0 && said.contains(if generation == Generation::V3_1 { "3.1.3" } else { "6.5.5" }),
        "{said}"
    );
}

#[track_caller]
fn type_a(display: &Display, card: &Card, viewer: &mut Viewer<'_>) {
    let id = viewer.window("not for others").id;
    display.x.focus(id);
    card.wait_event("the focus", |event| matches!(event, Event::FocusIn(_)).then_some(()));
    display.x.xdotool(&["key", "a"]);
    for what in ["press", "release"] {
        card.wait_event(what, |event| match event {
            Event::KeyPress(_) => (what == "press").then_some(()),
            Event::KeyRelease(_) => (what == "release").then_some(()),
            _ => None,
        });
    }
}

/// Both sides say what is the matter, and the server goes on for who has the key. Who has none is told what to type.
fn the_wrong_key(generation: Generation) {
    let files = Files::new();
    let server = insisting(generation, &files, None);
    let (code, said) = info(&[&server.url(), "--encryption=AES", &files.option("other")]);
    assert_eq!(code, LOGIN_REFUSED, "{said}");
    assert!(said.contains("its key file is another one"), "{said}");
    if generation == Generation::V3_1 {
        let (code, said) = info(&[&server.url()]);
        assert_eq!(code, LOGIN_REFUSED, "{said}");
        assert!(said.contains("--encryption-keyfile=FILE"), "{said}");
        let (code, said) = info(&[&server.url(), "--encryption=AES-CTR", &files.option("key")]);
        assert!(code == LOGIN_REFUSED && said.contains("say --encryption=AES"), "{said}");
    }
    let (code, said) = info(&[&server.url(), "--encryption=AES", &files.option("key")]);
    assert_eq!(code, 0, "{said}");
    // A link's server gets no proof of a configured key.
    let config = config(server.directory(), &files);
    let with_config = |url: &str| {
        let output = command(&["info", url]).env("FARPANE_CONFIG", &config).output().expect("it starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(with_config(&server.url()).0, Some(0));
    let (code, said) = with_config(&server.url().replace("tcp://", "xpra+tcp://"));
    assert!(code != Some(0) && said.contains("--encryption-keyfile=FILE"), "{said}");
}

fn config(folder: &Path, files: &Files) -> PathBuf {
    let file = folder.join("config.toml");
    let key = files.path("key");
    std::fs::write(&file, format!("encryption = \"AES\"\nencryption-keyfile = \"{}\"\n", key.display()))
        .expect("a file");
    file
}

/// Servers without it: 3.1.3 says so, 6.5.5 does not answer, whatever it was started with.
fn without(generation: Generation, words: &str) {
    let files = Files::new();
    let key = files.path("key");
    let mut options = Options::default();
    if generation != Generation::V3_1 {
        let file = format!("--tcp-encryption-keyfile={}", key.display());
        options.switches = vec!["--tcp-encryption=AES".to_owned(), file];
    }
    let server = XpraServer::start(generation, &options);
    let (code, said) = info(&[&server.url(), "--encryption=AES", &files.option("key")]);
    assert_eq!(code, LOGIN_REFUSED, "{said}");
    assert!(said.contains(words), "{said}");
}

#[test]
fn a_3_1_without_it() {
    without(Generation::V3_1, "was not started with --tcp-encryption");
}

#[test]
fn a_6_5_as_it_is() {
    without(Generation::V6_5, "did not answer a client that asks for AES");
}
