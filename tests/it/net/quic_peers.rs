//! Peers over QUIC that are no Xpra server, or a hostile one: a clear sentence, a documented exit code, bounded memory.

use std::future::Future;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use farpane::net::quic::frame::{FrameHeader, put_varint};
use farpane::net::tls::TlsOptions;
use farpane::session::CloseReason;
use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Connection, Endpoint, RecvStream, SendStream, VarInt};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::runtime::Runtime;

use super::cli::check;
use super::server::{Server, draw, window};
use super::task::{Client, LIMIT};
use crate::support::program::run;

const NOT_REACHED: i32 = 5;
const PROTOCOL: i32 = 6;
const CONNECTION_LOST: i32 = 4;
const DATA: u64 = 0;
const HEADERS: u64 = 1;
const SETTINGS: u64 = 4;
/// A kind of frames and streams that nobody knows (RFC 9114 §7.2.8).
const UNKNOWN: u64 = 0x21;
/// `:status: 200`, with and without `sec-websocket-protocol: xpra`.
const ACCEPTED: &[u8] = b"\0\0\xd9\x27\x0fsec-websocket-protocol\x04xpra";
const WEB_PAGE: &[u8] = b"\0\0\xd9";

/// A key and a certificate for `localhost` that signs itself.
struct Identity {
    folder: tempfile::TempDir,
}

impl Identity {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| folder.path().join(name);
        let mut openssl = std::process::Command::new("openssl");
        openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=quic"]);
        openssl.args(["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=CA:FALSE"]);
        run(openssl.arg("-keyout").arg(file("key.pem")).arg("-out").arg(file("cert.pem")));
        Self { folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn trust(&self) -> String {
        format!("--ssl-ca-certs={}", self.file("cert.pem").display())
    }

    /// What a server needs to know. `members`: whose certificates this one signed may connect.
    fn config(&self, alpn: &[u8], members: bool) -> quinn::ServerConfig {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chain = vec![CertificateDer::from_pem_file(self.file("cert.pem")).expect("a certificate")];
        let key = PrivateKeyDer::from_pem_file(self.file("key.pem")).expect("a key");
        let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("TLS 1.3");
        let builder = if members {
            let mut roots = rustls::RootCertStore::empty();
            roots.add_parsable_certificates(chain.iter().cloned());
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
        } else {
            builder.with_no_client_auth()
        };
        let mut config = builder.with_single_cert(chain, key).expect("a pair");
        config.alpn_protocols = vec![alpn.to_vec()];
        let config = QuicServerConfig::try_from(config).expect("a cipher suite");
        quinn::ServerConfig::with_crypto(Arc::new(config))
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// A server on a loopback port, and its port.
fn endpoint(runtime: &Runtime, config: quinn::ServerConfig) -> (Endpoint, u16) {
    let _guard = runtime.enter();
    let endpoint = Endpoint::server(config, ([127, 0, 0, 1], 0).into()).expect("a loopback port");
    let port = endpoint.local_addr().expect("its address").port();
    (endpoint, port)
}

/// A server that does `serve` with its one connection, and waits for its end.
fn peer<F: Future<Output = ()>>(
    config: quinn::ServerConfig,
    serve: impl FnOnce(Connection) -> F + Send + 'static,
) -> (u16, JoinHandle<()>) {
    let runtime = runtime();
    let (endpoint, port) = endpoint(&runtime, config);
    let run = move || {
        runtime.block_on(async {
            let incoming = endpoint.accept().await.expect("a client");
            if let Ok(connection) = incoming.await {
                serve(connection.clone()).await;
                connection.closed().await;
            }
            endpoint.wait_idle().await;
        });
    };
    (port, std::thread::Builder::new().name("quic peer".into()).spawn(run).expect("a thread"))
}

fn frame(kind: u64, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header(kind, payload.len() as u64);
    bytes.extend(payload);
    bytes
}

fn header(kind: u64, payload_len: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    FrameHeader { kind, payload_len }.put(&mut bytes);
    bytes
}

/// Opens a stream of this kind and sends something in it.
async fn stream(connection: &Connection, kind: u64, bytes: &[u8]) -> SendStream {
    let mut stream = connection.open_uni().await.expect("a stream");
    let mut begin = Vec::new();
    put_varint(kind, &mut begin);
    begin.extend(bytes);
    // The client may have left.
    let _ = stream.write_all(&begin).await;
    stream
}

/// The control stream of a server that takes extended CONNECT, with greasing as Chromium and others do.
async fn control(connection: &Connection) -> SendStream {
    stream(connection, 0, &frame(SETTINGS, &[0x33, 1, 8, 1, 0x40, 0x21, 7])).await
}

/// What a server sends that takes the request for a session and answers with `answer`.
fn answering(
    answer: Vec<u8>,
) -> impl FnOnce(Connection) -> std::pin::Pin<Box<dyn Future<Output = ()>>> + Send {
    |connection| {
        Box::pin(async move {
            let control = control(&connection).await;
            let Ok((mut send, recv)) = connection.accept_bi().await else { return };
            let _ = send.write_all(&answer).await;
            connection.closed().await;
            drop((control, send, recv));
        })
    }
}

fn check_peer<F: Future<Output = ()>>(
    identity: &Identity,
    serve: impl FnOnce(Connection) -> F + Send + 'static,
    (code, words): (i32, &str),
) {
    let (port, thread) = peer(identity.config(b"h3", false), serve);
    let url = format!("quic://localhost:{port}/");
    check(&["info", &url, &identity.trust(), "--connect-timeout=3"], code, words);
    thread.join().expect("the peer is content");
}

#[test]
fn who_is_no_xpra_server_is_told_so() {
    let identity = Identity::new();
    let refused = |answer: Vec<u8>, words: &str| {
        check_peer(&identity, answering(answer), (NOT_REACHED, words));
    };
    refused(frame(HEADERS, b"\0\0\xdb"), "HTTP status 404: there is no session at this address");
    refused(frame(HEADERS, b"\0\0\x5f\x09\x03501"), "HTTP status 501: it takes other sessions");
    refused(frame(HEADERS, WEB_PAGE), "its subprotocol is missing");
    refused(frame(HEADERS, b"\0\0\xd9\x27\x0fsec-websocket-protocol\x04chat"), "its subprotocol is `chat`");
    refused(frame(HEADERS, b"\0\0\x80"), "a table that there is not");
    refused(header(HEADERS, 1 << 40), "a frame of its is too long");
    refused(header(DATA, 5), "something else stands where its answer should");
    // "There is more to come" (103), for ever.
    refused(frame(HEADERS, b"\0\0\xd8").repeat(64), "much comes before its answer");
    refused(frame(UNKNOWN, &[0; 500]).repeat(64), "much comes before its answer");

    let no_session = |connection: Connection| async move {
        let control = stream(&connection, 0, &frame(SETTINGS, &[0x33, 1])).await;
        connection.closed().await;
        drop(control);
    };
    check_peer(&identity, no_session, (NOT_REACHED, "speaks HTTP/3, but takes no sessions over it"));
    for (bytes, words) in [
        (frame(DATA, b"x"), "does not begin with its settings"),
        (header(SETTINGS, 1 << 30), "a frame of its is too long"),
        (frame(SETTINGS, &[8]), "its settings are none"),
    ] {
        let serve = |connection: Connection| async move {
            let control = stream(&connection, 0, &bytes).await;
            connection.closed().await;
            drop(control);
        };
        check_peer(&identity, serve, (NOT_REACHED, words));
    }
    let pushes = |connection: Connection| async move {
        let push = stream(&connection, 1, &[0]).await;
        connection.closed().await;
        drop(push);
    };
    check_peer(&identity, pushes, (NOT_REACHED, "it pushes what nobody asked for"));
    let many = |connection: Connection| async move {
        while connection.close_reason().is_none() {
            let Ok(mut stream) = connection.open_uni().await else { return };
            let _ = stream.write_all(&[UNKNOWN as u8, 1, 2, 3]).await;
        }
    };
    check_peer(&identity, many, (NOT_REACHED, "many streams before it says its settings"));
    let rude = |connection: Connection| async move {
        connection.close(VarInt::from_u32(7), b"go \x1b[31maway");
    };
    check_peer(&identity, rude, (NOT_REACHED, "closed the connection: go [31maway (error 0x7)"));
}

#[test]
fn who_says_nothing_is_told_from_who_is_not_there() {
    let identity = Identity::new();
    let silent = |connection: Connection| async move {
        connection.closed().await;
    };
    check_peer(&identity, silent, (NOT_REACHED, "did not answer the request for a session within 3 s"));
    // A port where something else listens, which says nothing to QUIC: as with a firewall.
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a loopback port");
    let port = socket.local_addr().expect("its address").port();
    for scheme in ["quic", "wt"] {
        let url = format!("{scheme}://localhost:{port}/");
        check(
            &["info", &url, "--connect-timeout=1"],
            NOT_REACHED,
            "did not answer within 1 s (is the server",
        );
        check(&["info", &url, "--connect-timeout=1"], NOT_REACHED, "firewalls on the way let UDP through");
    }
    drop(socket);
    // Where nobody listens, the machine says so: long before the time is over.
    let url = format!("quic://127.0.0.1:{port}/");
    check(&["info", &url, "--connect-timeout=300"], NOT_REACHED, "--bind-quic=127.0.0.1:");
}

#[test]
fn certificates_are_as_with_tls() {
    let identity = Identity::new();
    let config = || identity.config(b"h3", false);
    let idle = |connection: Connection| async move {
        connection.closed().await;
    };
    let refused = |config: quinn::ServerConfig, args: &[&str], words: &str| {
        let (port, thread) = peer(config, idle);
        let url = format!("quic://localhost:{port}/");
        check(&[&["info", &url, "--connect-timeout=3"], args].concat(), NOT_REACHED, words);
        thread.join().expect("the peer is content");
    };
    let trust = identity.trust();
    refused(config(), &[], "signed itself");
    refused(config(), &[], "`farpane trust quic://localhost:");
    refused(config(), &[&trust, "--ssl-server-hostname=elsewhere"], "is for another name, `localhost`");
    let unread = ["info", "quic://localhost:9/", "--ssl-ca-certs=/etc/hostname"];
    check(&unread, NOT_REACHED, "cannot read certificates from /etc/hostname");
    refused(identity.config(b"doq", false), &[&trust], "speaks QUIC, but no HTTP/3");
    // Who connects is wanted to be known; a QUIC server of Xpra's cannot ask for that.
    refused(identity.config(b"h3", true), &[&trust], "--ssl-cert=FILE");
    let mine = ["cert", "key"]
        .map(|name| format!("--ssl-{name}={}", identity.file(&format!("{name}.pem")).display()));
    refused(identity.config(b"h3", true), &[&trust, &mine[0], &mine[1]], "did not answer the request");
}

/// After the answer: what stands between the session's bytes must not, and must not go on for ever.
#[test]
fn rules_are_kept_by_both_sides() {
    let identity = Identity::new();
    let accepted = |behind: Vec<u8>, (code, words): (i32, &str)| {
        let answer = [frame(HEADERS, ACCEPTED), behind].concat();
        check_peer(&identity, answering(answer), (code, words));
    };
    accepted(frame(SETTINGS, &[]), (PROTOCOL, "a frame stands where it must not"));
    accepted(header(UNKNOWN, 1 << 50), (PROTOCOL, "it sends much that says nothing"));
    accepted(header(DATA, 0).repeat(2000), (PROTOCOL, "it sends much that says nothing"));
    accepted(frame(UNKNOWN, &[0; 99]).repeat(2000), (PROTOCOL, "it sends much that says nothing"));
    // A frame of WebSocket's with a mask, and one whose record has no end.
    accepted(frame(DATA, &[0x82, 0x81, 0, 0, 0, 0, 0]), (PROTOCOL, "is masked"));
    let endless = [&[0x82, 127][..], &(1_u64 << 60).to_be_bytes(), b"P\x10\0\0\xff\xff\xff\xff"].concat();
    accepted([header(DATA, 1 << 61), endless].concat(), (PROTOCOL, "bytes"));
    // Cut in the middle of a frame, and closed without a word.
    let cut = |connection: Connection| async move {
        let control = control(&connection).await;
        let Ok((mut send, _recv)) = connection.accept_bi().await else { return };
        let answer = [frame(HEADERS, ACCEPTED), header(DATA, 50), vec![0x82; 3]].concat();
        let _ = send.write_all(&answer).await;
        let _ = send.finish();
        let _ = send.stopped().await;
        drop(control);
    };
    check_peer(&identity, cut, (CONNECTION_LOST, "before its first word"));
}

/// A runtime that runs in a thread of its own, until it is dropped.
struct Running {
    handle: tokio::runtime::Handle,
    thread: Option<(tokio::sync::oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Running {
    fn start(runtime: Runtime) -> Self {
        let handle = runtime.handle().clone();
        let (end, ended) = tokio::sync::oneshot::channel();
        let run = move || drop(runtime.block_on(ended));
        let thread = std::thread::Builder::new().name("quic server".into()).spawn(run).expect("a thread");
        Self { handle, thread: Some((end, thread)) }
    }

    fn block_on<F: Future>(&self, work: F) -> F::Output {
        self.handle.block_on(work)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some((end, thread)) = self.thread.take() {
            drop(end);
            let _ = thread.join();
        }
    }
}

/// A session's bytes at a scripted server, over WebTransport: its reads and writes wait.
struct Stream {
    runtime: Running,
    connection: Connection,
    send: SendStream,
    recv: RecvStream,
    _control: SendStream,
    _endpoint: Endpoint,
    /// Bytes of the present frame that were not read.
    left: u64,
}

impl Stream {
    /// Waits for a client.
    fn accept(runtime: Runtime, endpoint: Endpoint) -> Self {
        let runtime = Running::start(runtime);
        let (connection, control, send, recv) = runtime.block_on(async {
            let connection = endpoint.accept().await.expect("a client").await.expect("a connection");
            let control = control(&connection).await;
            let (mut send, mut recv) = connection.accept_bi().await.expect("a request");
            let len = Self::header(&mut recv).await.expect("a request").payload_len;
            recv.read_exact(&mut vec![0; len as usize]).await.expect("its fields");
            send.write_all(&frame(HEADERS, WEB_PAGE)).await.expect("the client reads");
            (connection, control, send, recv)
        });
        Self { runtime, connection, send, recv, _control: control, _endpoint: endpoint, left: 0 }
    }

    async fn header(recv: &mut RecvStream) -> Option<FrameHeader> {
        let mut bytes = Vec::new();
        while bytes.len() < FrameHeader::needed(&bytes) {
            let mut byte = [0];
            recv.read_exact(&mut byte).await.ok()?;
            bytes.push(byte[0]);
        }
        FrameHeader::parse(&bytes)
    }

    /// Writes as much as goes within `limit` of the last that went. Returns how much that was.
    fn write_until_blocked(&mut self, bytes: &[u8], limit: Duration) -> usize {
        let Self { runtime, send, .. } = self;
        let mut written = 0;
        runtime.block_on(async {
            while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty())
                && let Ok(result) = tokio::time::timeout(limit, send.write(rest)).await
            {
                written += result.expect("the client is there");
            }
        });
        written
    }
}

impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let Self { runtime, recv, left, .. } = self;
        runtime.block_on(async {
            while *left == 0 {
                let Some(header) = Self::header(recv).await else { return Ok(0) };
                assert_eq!(header.kind, DATA);
                *left = header.payload_len;
            }
            let len = buf.len().min(*left as usize);
            let read = recv.read(&mut buf[..len]).await?.unwrap_or(0);
            *left -= read as u64;
            Ok(read)
        })
    }
}

impl Write for Stream {
    /// Each write is a frame, with one before it that nobody knows.
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let Self { runtime, send, .. } = self;
        let frames = [frame(UNKNOWN, b"grease"), frame(DATA, buf)].concat();
        runtime.block_on(send.write_all(&frames))?;
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn tls(identity: &Identity) -> TlsOptions {
    TlsOptions { ca_certs: Some(identity.file("cert.pem")), ..TlsOptions::default() }
}

/// What is not taken is not read, and what is not read the server must keep: never more than the window is on the way.
#[test]
fn a_server_that_is_not_read_has_to_wait() {
    const WINDOW: usize = 16 << 20;
    let identity = Identity::new();
    let runtime = runtime();
    let (endpoint, port) = endpoint(&runtime, identity.config(b"h3", false));
    // Room for one draw, which nobody takes.
    let client = Client::over_tls(&format!("wt://localhost:{port}/"), 300 << 10, tls(&identity));
    let mut server = Server::new(Stream::accept(runtime, endpoint));
    server.accept();
    server.send(&window(1));
    let mut bytes = Vec::new();
    for sequence in 1..=200 {
        let draw = server.bytes(&draw(1, sequence));
        bytes.extend(frame(DATA, &draw));
    }
    let taken = server.stream.write_until_blocked(&bytes, Duration::from_secs(2));
    // Beside the window: what the client holds, and what waits in the server's own library.
    assert!(taken < WINDOW + (20 << 20), "{taken} of {} bytes were taken", bytes.len());
    assert!(taken < bytes.len(), "all of it was taken");
    let first = client.next_draw();
    assert_eq!(first.request.data.len(), 256 * 256 * 4);
    drop(first);
    // Room again: it goes on.
    let mut draws = 1;
    let rest = bytes.split_off(taken);
    let writer = std::thread::spawn(move || {
        server.stream.write_until_blocked(&rest, LIMIT);
        server
    });
    while draws < 200 {
        drop(client.next_draw());
        draws += 1;
    }
    let mut server = writer.join().expect("the writer");
    client.input(farpane::session::ConnectionInput::Disconnect);
    // The goodbye comes, and the end of the stream behind it, before the connection is closed.
    let mut last = None;
    while let Some(packet) = server.next() {
        last = Some(packet);
    }
    assert!(format!("{last:?}").contains("client exit"), "{last:?}");
    let closed = server.stream.runtime.block_on(server.stream.connection.closed());
    assert!(matches!(closed, quinn::ConnectionError::ApplicationClosed(_)), "{closed}");
    assert_eq!(client.end(), CloseReason::User);
}
