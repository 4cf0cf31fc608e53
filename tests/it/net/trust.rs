//! Trust on first use: the list of trusted servers, the question, and that nothing is sent before its answer; against
//! `openssl s_server`.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use farpane::net::HostPort;
use farpane::net::known_servers::{KnownServers, KnownServersError};
use farpane::net::tls::TlsOptions;
use farpane::session::{
    CertificateAnswer, CertificateQuestion, CloseReason, ConnectionEvent, ConnectionInput, Fingerprint,
};

use super::certificates::{certificate, dated, serve};
use super::cli::farpane;
use super::task::{Client, LIMIT};
use crate::support::wait_for;

const A_WHILE: Duration = Duration::from_millis(300);
const NOT_REACHED: i32 = 5;

fn at(host: &str, port: u16) -> HostPort {
    HostPort { host: host.to_owned(), port }
}

/// As `openssl x509 -fingerprint -sha256` prints one.
const PRINTED: &str = "sha256 Fingerprint=00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:0F";

#[test]
fn fingerprints_are_read_as_they_are_shown() {
    let printed = Fingerprint::parse(PRINTED).expect("OpenSSL's form");
    let shown = printed.to_string();
    assert_eq!(Fingerprint::parse(&shown), Some(printed));
    assert_eq!(
        Fingerprint::parse(&shown.to_lowercase().replace(':', " ").replace("sha256 ", "sha256:")),
        Some(printed)
    );
    assert_eq!(printed.groups().collect::<Vec<_>>()[3], "88:99:AA:BB:CC:DD:EE:0F");
    for wrong in ["", "SHA256:", "SHA1:00", &shown[..shown.len() - 1], &format!("{shown}:00"), "=", "ü=ü"] {
        assert_eq!(Fingerprint::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn the_list_of_trusted_servers_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("not/there/yet/known-servers");
    let list = KnownServers::at(&path);
    let (one, other) = (Fingerprint([1; 32]), Fingerprint([2; 32]));
    let desk = at("Desk.Example.", 443);
    assert_eq!(list.find(&desk), Ok(None));
    let day = SystemTime::UNIX_EPOCH + Duration::from_secs(1_796_000_000);
    list.trust(&desk, one, day).expect("it is written");
    list.trust(&at("::1", 14500), other, day).expect("it is written");
    list.trust(&desk, one, day).expect("it is there already");
    let mode = std::fs::metadata(&path).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let known = list.find(&at("desk.example", 443)).expect("it is read").expect("it is known");
    assert_eq!((known.fingerprint, known.since.as_str()), (one, "2026-11-30"));
    assert_eq!(list.find(&at("desk.example", 444)), Ok(None));
    let refused = list.trust(&desk, other, day).expect_err("it is another one");
    assert_eq!(refused, KnownServersError::Other { server: "desk.example:443".to_owned() });
    // What somebody else wrote there stays, and counts for nothing.
    let mut text = std::fs::read_to_string(&path).expect("the file");
    text.push_str("# desk.example:444 SHA256:00 today\nrubbish\nfar:1 SHA256:zz 2020-01-01\n\nlast:2 00");
    std::fs::write(&path, &text).expect("it is written");
    assert_eq!(list.list().expect("it is read").len(), 2);
    list.trust(&at("third", 1), other, day).expect("it is written");
    let now = std::fs::read_to_string(&path).expect("the file");
    assert!(now.starts_with(&text) && now.contains("\nthird:1 SHA256:02"), "{now}");
    assert_eq!(list.forget("DESK.example", None), Ok(1));
    assert_eq!(list.forget("::1", Some(14500)), Ok(1));
    assert_eq!(list.forget("::1", None), Ok(0));
    assert_eq!(list.list().expect("it is read").len(), 1);
    assert_eq!(
        std::fs::read_dir(path.parent().expect("a folder")).expect("it is there").count(),
        1,
        "left-overs"
    );
    // What cannot be read vouches for nobody, and is no empty list.
    std::fs::write(&path, vec![b'x'; 300 * 1024]).expect("it is written");
    assert!(matches!(list.find(&desk), Err(KnownServersError::Read { .. })));
    assert!(matches!(list.trust(&desk, one, day), Err(KnownServersError::Read { .. })));
}

/// A TLS server that takes a few connections, and what it was sent through them.
struct Server {
    child: Child,
    port: u16,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Server {
    fn start(folder: &std::path::Path, name: &str) -> Self {
        let (child, port, mut stdout) = serve(folder, 9, &format!("-cert {name}.pem -key {name}.key"));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let its = Arc::clone(&heard);
        let listen = move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = stdout.read(&mut buffer) {
                its.lock().expect("what was heard").extend(&buffer[..count]);
            }
        };
        std::thread::Builder::new().name("s_server".to_owned()).spawn(listen).expect("a thread");
        Self { child, port, heard }
    }

    /// Whether a hello came.
    fn was_greeted(&self) -> bool {
        let heard = self.heard.lock().expect("what was heard");
        heard.windows(8).any(|bytes| bytes == b"Farpane/")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn question(client: &Client) -> CertificateQuestion {
    client.next_event(|event| match event {
        ConnectionEvent::CertificateAsks(question) => Some(*question),
        ConnectionEvent::Closed(reason) => panic!("{reason:?}"),
        _ => None,
    })
}

#[test]
fn nothing_is_sent_before_the_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    certificate(
        folder.path(),
        "alone",
        "localhost",
        None,
        " -addext subjectAltName=DNS:localhost,IP:10.0.0.7",
    );
    let server = Server::start(folder.path(), "alone");
    let known = KnownServers::at(folder.path().join("known-servers"));
    let tls = TlsOptions { ask: true, known: Some(known.clone()), ..TlsOptions::default() };
    // By a number that the certificate does not have.
    let url = format!("ssl://127.0.0.1:{}/", server.port);
    let answer = |client: &Client, fingerprint, answer| {
        client.input(ConnectionInput::Certificate { fingerprint, answer });
    };

    let client = Client::asking(&url, tls.clone());
    let asked = question(&client);
    assert_eq!(asked.certificate.names, ["localhost", "10.0.0.7"]);
    assert_eq!((&*asked.certificate.subject, &*asked.certificate.issuer), ("CN=localhost", "CN=localhost"));
    let words = "It signed itself, so nobody that this machine trusts vouches for it, and is for another name than `127.0.0.1`.";
    assert_eq!(asked.fault, words);
    // An answer to another question is none.
    answer(&client, Fingerprint([0; 32]), CertificateAnswer::Keep);
    std::thread::sleep(A_WHILE);
    assert!(!server.was_greeted());
    answer(&client, asked.certificate.fingerprint, CertificateAnswer::No);
    let reason = client.end();
    assert!(
        matches!(&reason, CloseReason::ConnectFailed(why) if why.contains("was not trusted")),
        "{reason:?}"
    );
    assert!(!server.was_greeted());
    assert_eq!(known.list(), Ok(Vec::new()));

    let client = Client::asking(&url, tls.clone());
    answer(&client, question(&client).certificate.fingerprint, CertificateAnswer::Keep);
    wait_for("a hello", LIMIT, String::new, || server.was_greeted().then_some(()));
    client.input(ConnectionInput::Disconnect);
    client.end();
    assert_eq!(known.list().expect("it is read").len(), 1);

    // Without anybody who could be asked it is refused at once, and so is another certificate than the known one.
    let list = folder.path().join("known-servers");
    let kept = std::fs::read_to_string(&list).expect("the list");
    let last = kept.trim_end().rsplit_once(' ').expect("a day").0;
    let changed = format!("{}00 2020-01-02\n", &last[..last.len() - 2]);
    std::fs::write(&list, changed).expect("it is written");
    let reason = Client::asking(&url, tls).end();
    let CloseReason::CertificateChanged(why) = &reason else { panic!("{reason:?}") };
    assert!(why.contains("since you trusted it on 2020-01-02"), "{why}");
    let reason = Client::asking(&url, TlsOptions::default()).end();
    assert!(
        matches!(&reason, CloseReason::ConnectFailed(why) if why.contains("farpane trust")),
        "{reason:?}"
    );
}

/// Each fault has its words; those of a certificate that was made for something else cannot be overlooked.
#[test]
fn what_is_wrong_is_said_in_a_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let host = " -addext subjectAltName=IP:127.0.0.1";
    certificate(folder, "root", "House-Root", None, " -addext basicConstraints=critical,CA:TRUE");
    certificate(folder, "leaf", "leaf", Some("root"), host);
    certificate(
        folder,
        "client",
        "client",
        Some("root"),
        &format!("{host} -addext extendedKeyUsage=clientAuth"),
    );
    certificate(folder, "nobody", "nobody", None, " -addext keyUsage=digitalSignature");
    dated(folder, "past", host, "-startdate 20200101000000Z -enddate 20200201000000Z");
    let trust = |name: &str| {
        let server = Server::start(folder, name);
        let output = farpane(&["trust", &format!("ssl://127.0.0.1:{}/", server.port)]);
        assert_eq!(output.status.code(), Some(NOT_REACHED), "{name}");
        [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat()
    };
    for (name, words) in [
        ("leaf", "It was issued by `House-Root`, which this machine does not know."),
        (
            "nobody",
            "It signed itself, so nobody that this machine trusts vouches for it, and names no host at all.",
        ),
        ("past", "days ago, and was issued by `House-Root`, which this machine does not know."),
    ] {
        let said = trust(name);
        assert!(said.contains(words) && said.contains("was not trusted"), "{name}: {said}");
    }
    let said = trust("client");
    assert!(said.contains("not one for servers") && !said.contains("Type yes"), "{said}");
}

/// What holds for a server that is trusted when its certificate expires, and when an authority vouches for another one.
#[test]
fn a_trusted_certificate_may_expire_and_a_vouched_one_needs_no_trust() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let host = " -addext subjectAltName=IP:127.0.0.1";
    certificate(folder, "root", "House-Root", None, " -addext basicConstraints=critical,CA:TRUE");
    certificate(folder, "good", "good", Some("root"), host);
    dated(folder, "past", host, "-startdate 20200101000000Z -enddate 20200201000000Z");
    let trust = |server: &Server, words: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_farpane"))
            .args(["trust", &format!("ssl://127.0.0.1:{}/", server.port)])
            .args(words)
            .env("XDG_DATA_HOME", folder)
            .env("FARPANE_CONFIG", "")
            .stdin(Stdio::null())
            .output()
            .expect("the program starts");
        let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
        (output.status.code().expect("a code"), said.concat())
    };
    let expired = Server::start(folder, "past");
    let printed = Command::new("openssl")
        .args(["x509", "-noout", "-fingerprint", "-sha256", "-in", "past.pem"])
        .current_dir(folder)
        .output()
        .expect("openssl");
    let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
    let (code, said) = trust(&expired, &["--fingerprint", &printed]);
    assert!(code == 0 && said.contains("trusted: "), "{said}");
    let (code, said) = trust(&expired, &[]);
    assert!(code == 0 && said.contains("trusted already"), "{said}");

    let good = Server::start(folder, "good");
    let list = KnownServers::at(folder.join("farpane/known-servers"));
    list.trust(&at("127.0.0.1", good.port), Fingerprint([7; 32]), SystemTime::now()).expect("it is written");
    let (code, said) = trust(&good, &[]);
    assert!(code == NOT_REACHED && said.contains("has changed"), "{said}");
    // On a terminal each fingerprint has a line of its own.
    let typed = format!("{} trust ssl://127.0.0.1:{}/", env!("CARGO_BIN_EXE_farpane"), good.port);
    let mut terminal = Command::new("script");
    terminal.args(["-qec", &typed, "/dev/null"]).stdin(Stdio::null());
    terminal.env("XDG_DATA_HOME", folder).env("FARPANE_CONFIG", "");
    let said = String::from_utf8_lossy(&terminal.output().expect("the program starts").stdout).into_owned();
    assert!(said.lines().any(|line| line.starts_with("  SHA256:07:07:07:")), "{said}");
    let root = format!("--ssl-ca-certs={}", folder.join("root.pem").display());
    let (code, said) = trust(&good, &[&root]);
    assert!(code == 0 && said.contains("vouched for"), "{said}");
}
