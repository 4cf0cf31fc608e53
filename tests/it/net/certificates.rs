//! Certificates that are refused: the words name what is wrong with them and what to do, against
//! `openssl s_server`.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::cli::check;

const NOT_REACHED: i32 = 5;

/// Runs `openssl` in `folder`.
fn openssl(folder: &Path, arguments: &str) {
    let output =
        Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().expect("openssl");
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A key and certificate `name` in `folder`, for the subject `cn`, signed by `issuer` if there is one.
fn certificate(folder: &Path, name: &str, cn: &str, issuer: Option<&str>, extensions: &str) {
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

/// A TLS server with a certificate of the folder. It ends with the test.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(folder: &Path, arguments: &str) -> Self {
        let mut child = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-naccept", "1"])
            .args(arguments.split(' '))
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let mut lines = lines.map(|line| line.expect("text"));
        let port = lines.find_map(|line| Some(line.strip_prefix("ACCEPT 127.0.0.1:")?.to_owned()));
        Self { child, url: format!("ssl://localhost:{}/", port.expect("a port")) }
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
