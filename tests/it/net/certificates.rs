//! Certificates that are refused: the words name what is wrong with them and what to do, against
//! `openssl s_server`.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use super::cli::check;

const NOT_REACHED: i32 = 5;

/// Runs `openssl` in `folder`.
pub(super) fn openssl(folder: &Path, arguments: &str) {
    let output =
        Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().expect("openssl");
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A key and certificate `name` in `folder`, for the subject `cn`, signed by `issuer` if there is one.
pub(super) fn certificate(folder: &Path, name: &str, cn: &str, issuer: Option<&str>, extensions: &str) {
    let key = format!("-newkey rsa:2048 -nodes -keyout {name}.key");
    match issuer {
        None => {
            openssl(folder, &format!("req -x509 {key} -out {name}.pem -days 2 -subj /CN={cn}{extensions}"))
        }
        Some(issuer) => {
            openssl(folder, &format!("req {key} -out {name}.csr -subj /CN={cn}{extensions}"));
            openssl(
                folder,
                &format!(
                    "x509 -req -in {name}.csr -out {name}.pem -days 2 -CA {issuer}.pem -CAkey {issuer}.key \
                     -CAcreateserial -copy_extensions copyall"
                ),
            );
        }
    }
}

/// The same, signed by `root`, with dates of its own.
pub(super) fn dated(folder: &Path, name: &str, extensions: &str, dates: &str) {
    let ca_database = "[ca]\ndefault_ca=x\n[x]\nnew_certs_dir=.\ndatabase=index\nrand_serial=yes\ndefault_md=sha256\n\
        policy=p\ncopy_extensions=copyall\ncertificate=root.pem\nprivate_key=root.key\n[p]\ncommonName=supplied\n";
    std::fs::write(folder.join("ca.cnf"), ca_database).expect("a file");
    std::fs::write(folder.join("index"), "").expect("a file");
    let key = format!("-newkey rsa:2048 -nodes -keyout {name}.key -out {name}.csr");
    openssl(folder, &format!("req {key} -subj /CN={name}{extensions}"));
    openssl(folder, &format!("ca -batch -notext -config ca.cnf {dates} -in {name}.csr -out {name}.pem"));
}

/// Starts a TLS server in the folder that takes so many connections. Returns its port, and what it says from then on.
pub(super) fn serve(folder: &Path, connections: u8, arguments: &str) -> (Child, u16, BufReader<ChildStdout>) {
    let mut child = Command::new("openssl")
        .args(["s_server", "-accept", "127.0.0.1:0", "-naccept", &connections.to_string()])
        .args(arguments.split(' '))
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl");
    let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut line = String::new();
    while !line.starts_with("ACCEPT ") {
        line.clear();
        assert_ne!(stdout.read_line(&mut line).expect("text"), 0, "no server");
    }
    let (_, port) = line.trim().rsplit_once(':').expect("a port");
    (child, port.parse().expect("a port"), stdout)
}

/// A TLS server with a certificate of the folder. It ends with the test.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(folder: &Path, arguments: &str) -> Self {
        let (child, port, _) = serve(folder, 1, arguments);
        Self { child, url: format!("ssl://localhost:{port}/") }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn refused_certificates_say_what_is_wrong_with_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let ca = " -addext basicConstraints=critical,CA:TRUE";
    let host = " -addext subjectAltName=DNS:localhost";
    certificate(folder, "root", "House-Root", None, ca);
    certificate(folder, "middle", "House-Middle", Some("root"), ca);
    certificate(folder, "leaf", "localhost", Some("middle"), host);
    certificate(
        folder,
        "elsewhere",
        "elsewhere",
        Some("root"),
        " -addext subjectAltName=DNS:desk.example,DNS:*.lan,IP:10.0.0.7",
    );
    certificate(folder, "nameless", "localhost", Some("root"), " -addext keyUsage=digitalSignature");
    certificate(folder, "alone", "localhost", None, host);
    let trust = format!("--ssl-ca-certs={}", folder.join("root.pem").display());

    let chain: String = ["middle.pem", "root.pem"]
        .map(|name| std::fs::read_to_string(folder.join(name)).expect("PEM"))
        .concat();
    std::fs::write(folder.join("chain.pem"), chain).expect("a file");
    let refused = |server: &str, trust: &[&str], words: &str| {
        let server = Server::start(folder, server);
        check(&[&["info", server.url.as_str()][..], trust].concat(), NOT_REACHED, words);
    };
    let trust = [trust.as_str()];
    // The middle of the chain is missing: it is named, and the server is to send it.
    refused(
        "-cert leaf.pem -key leaf.key",
        &trust,
        "issued by `House-Middle`, which this machine does not know",
    );
    refused("-cert leaf.pem -key leaf.key", &trust, "must hold the whole chain");
    // Nobody knows the root, which was sent.
    refused("-cert leaf.pem -key leaf.key -cert_chain chain.pem", &[], "--ssl-ca-certs=FILE");
    refused("-cert elsewhere.pem -key elsewhere.key", &trust, "`desk.example`, `*.lan`, `10.0.0.7`");
    refused("-cert nameless.pem -key nameless.key", &trust, "no subjectAltName");
    refused("-cert alone.pem -key alone.key", &trust, "signed itself");
}

/// What else servers and their administrators do wrong: nothing of it is a question of the port.
#[test]
fn odd_certificates_and_demands_are_explained() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let host = " -addext subjectAltName=DNS:localhost";
    certificate(folder, "root", "House-Root", None, " -addext basicConstraints=critical,CA:TRUE");
    let leaf = |name: &str, extensions: &str| certificate(folder, name, name, Some("root"), extensions);
    leaf("good", host);
    leaf("people", " -addext subjectAltName=email:a@b.example,URI:https://b.example/");
    leaf("client", &format!("{host} -addext extendedKeyUsage=clientAuth"));
    leaf("middle", &format!("{host} -addext basicConstraints=critical,CA:TRUE"));
    leaf("critical", &format!("{host} -addext 1.2.3.4=critical,ASN1:NULL"));
    certificate(folder, "below", "below", Some("good"), host);
    // The issuer has no common name.
    let key = "-newkey rsa:2048 -nodes -keyout unit.key -out unit.pem";
    openssl(folder, &format!("req -x509 {key} -days 2 -subj /O=House/OU=Old-Unit"));
    certificate(folder, "old", "old", Some("unit"), host);
    dated(folder, "past", host, "-startdate 20200101000000Z -enddate 20200201000000Z");
    dated(folder, "future", host, "-startdate 20900101000000Z -enddate 20910101000000Z");
    let root = format!("--ssl-ca-certs={}", folder.join("root.pem").display());
    let refused = |server: &str, trust: &str, words: &str| {
        let server = Server::start(folder, server);
        check(&["info", server.url.as_str(), trust], NOT_REACHED, words);
    };
    for (name, words) in [
        ("people", "no subjectAltName"),
        ("client", "not one for servers"),
        ("critical", "cannot be used"),
        ("past", "has expired "),
        ("past", " days ago"),
        ("future", "not valid yet, but in "),
        ("old", "issued by `Old-Unit`"),
    ] {
        refused(&format!("-cert {name}.pem -key {name}.key"), &root, words);
    }
    refused("-cert below.pem -key below.key -cert_chain good.pem", &root, "no authority's");
    refused("-cert middle.pem -key middle.key", &root, "the certificate of an authority");
    let good = "-cert good.pem -key good.key";
    // It wants to know who we are: TLS 1.3 says so after the handshake.
    refused(&format!("{good} -Verify 1 -verify_return_error -tls1_3"), &root, "a certificate of yours");
    refused(&format!("{good} -Verify 1 -verify_return_error -tls1_2"), &root, "a certificate of yours");
    refused(&format!("{good} -tls1_2 -cipher AES256-SHA"), &root, "nothing in common");
    let client = |key: &str| {
        let shown = ["client.pem", key].map(|name| folder.join(name).display().to_string());
        [format!("--ssl-cert={}", shown[0]), format!("--ssl-key={}", shown[1])]
    };
    let trusting = format!("{good} -Verify 1 -verify_return_error -CAfile root.pem");
    let shown = |key: &str, server: &str, words: &str| {
        let server = Server::start(folder, server);
        let [cert, key] = client(key);
        check(&["info", server.url.as_str(), &root, &cert, &key], NOT_REACHED, words);
    };
    // A key of another certificate, and one that is locked.
    shown("good.key", &trusting, "client.pem cannot be used");
    openssl(folder, "pkey -in client.key -aes256 -passout pass:secret -out locked.key");
    shown("locked.key", &trusting, "locked with a password");
    let other = "-servername desk.example -servername_fatal -cert2 good.pem -key2 good.key";
    refused(&format!("{good} {other}"), &root, "--ssl-server-hostname=NAME");
}
