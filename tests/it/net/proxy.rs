//! Proxies: what they are called, which one counts, and those that lie, stall or refuse.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use farpane::net::proxy::{Environment, Proxy, ProxyChoice, ProxyKind};
use farpane::net::{HostPort, Target};

use super::cli::{check, peer};

const NOT_REACHED: i32 = 5;

/// A server whose name nobody knows: it is for the proxy.
const SERVER: &str = "tcp://session.invalid:14500/";

fn proxy(text: &str) -> Proxy {
    Proxy::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn addresses_of_proxies() {
    let of = |kind, host: &str, port| Proxy {
        kind,
        at: HostPort { host: host.to_owned(), port },
        username: None,
        password: None,
        resolves: true,
    };
    for (text, expected) in [
        ("socks5://gate:1", of(ProxyKind::Socks5, "gate", 1)),
        ("SOCKS5H://gate/", of(ProxyKind::Socks5, "gate", 1080)),
        ("socks4a://[::1]:9", of(ProxyKind::Socks4, "::1", 9)),
        ("socks4://[2001:db8::7]", of(ProxyKind::Socks4, "2001:db8::7", 1080)),
        ("http://gate:3128", of(ProxyKind::Http, "gate", 3128)),
        // As curl takes it.
        ("gate:3128", of(ProxyKind::Http, "gate", 3128)),
        ("socks5://gate/?rdns=no", Proxy { resolves: false, ..of(ProxyKind::Socks5, "gate", 1080) }),
    ] {
        assert_eq!(proxy(text), expected, "{text}");
        assert_eq!(proxy(&expected.to_string()), expected, "{expected}");
    }
    let anna = proxy("socks5://an%40na:p%3Aw%2F@gate:1");
    assert_eq!(
        (anna.username.as_deref(), anna.password.as_ref().map(|p| p.expose())),
        (Some("an@na"), Some("p:w/"))
    );
    assert_eq!(anna.to_string(), "socks5://an%40na@gate:1");
    for (text, words) in [
        ("socks6://gate:1", "is no kind of proxy"),
        ("https://gate:1", "no TLS to a proxy"),
        ("ssh://gate", "ssh -J HOST"),
        ("socks5://", "no host and port"),
        ("socks5://gate:0", "no host and port"),
        ("socks5://gate:1/path", "ends with its port"),
        ("socks5://:hunter2@gate", "a password with a name"),
        ("socks4a://anna:hunter2@gate", "no password"),
        ("http://an%3Ana:hunter2@gate", "without `:`"),
        (&format!("http://{}@gate", "a".repeat(256)), "up to 255 bytes"),
    ] {
        let error = Proxy::parse(text).expect_err(text);
        assert!(error.contains(words) && !error.contains("hunter2"), "{text}: {error}");
    }
    assert_eq!(ProxyChoice::parse("none"), Ok(ProxyChoice::None));
    assert_eq!(ProxyChoice::parse("auto"), Ok(ProxyChoice::Auto));
}

/// As curl(1) has it, and never for what is on this machine.
#[test]
fn the_environment_chooses_as_curl_does() {
    let through = |variables: &[(&str, &str)], target: &str| {
        let find = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let target = Target::parse(target).expect("an address");
        Environment::read(find).proxy(&target).map(|proxy| proxy.map(|proxy| proxy.to_string()))
    };
    let found =
        |variables: &[(&str, &str)], target: &str| through(variables, target).expect("a proxy, or none");
    let all = ("ALL_PROXY", "socks5://all:1");
    let secure = ("HTTPS_PROXY", "http://secure:2");
    for (variables, target, expected) in [
        (&[all][..], "tcp://host/", Some("socks5://all:1")),
        (&[all], "wss://host/", Some("socks5://all:1")),
        (&[all, secure], "ws://host/", Some("socks5://all:1")),
        (&[all, secure], "ssl://host/", Some("http://secure:2")),
        (&[all, secure], "wss://host/", Some("http://secure:2")),
        (&[secure], "tcp://host/", None),
        (&[all, ("all_proxy", "socks5://small:3")], "tcp://host/", Some("socks5://small:3")),
        (&[all, ("all_proxy", "")], "tcp://host/", Some("socks5://all:1")),
        (&[("ALL_PROXY", "http://a:b@gate:1")], "tcp://host/", Some("http://a@gate:1")),
        // What is on this machine, and ssh.
        (&[all], "tcp://127.0.0.1/", None),
        (&[all], "wss://localhost/", None),
        (&[all], "tcp://[::1]:1/", None),
        (&[all], ":100", None),
        (&[all], "socket:///run/x", None),
        (&[all], "ssh://host/", None),
    ] {
        assert_eq!(found(variables, target).as_deref(), expected, "{variables:?} {target}");
    }
    for (without, target, is_without) in [
        ("*", "tcp://host/", true),
        ("host", "tcp://host/", true),
        ("host", "tcp://HOST./", true),
        ("example.org", "tcp://a.example.org/", true),
        (".example.org", "tcp://example.org/", true),
        ("example.org", "tcp://badexample.org/", false),
        ("other, a.example.org", "tcp://a.example.org/", true),
        ("other a.example.org", "tcp://a.example.org/", true),
        ("10.0.0.7", "tcp://10.0.0.7/", true),
        ("10.0.0.0/8", "tcp://10.9.8.7/", true),
        ("10.0.0.0/8", "tcp://11.9.8.7/", false),
        ("10.1.2.3/0", "tcp://11.9.8.7/", true),
        ("[2001:db8::]/32", "tcp://[2001:db8::1]:1/", false),
        ("2001:db8::/32", "tcp://[2001:db8::1]:1/", true),
        ("2001:db8::/32", "tcp://[2001:db9::1]:1/", false),
        ("10.0.0.0/x", "tcp://10.0.0.0/", false),
        ("0.7", "tcp://10.0.0.7/", false),
        (".", "tcp://host/", false),
        ("", "tcp://host/", false),
    ] {
        let proxy = found(&[all, ("NO_PROXY", without)], target);
        assert_eq!(proxy.is_none(), is_without, "{without:?} {target}");
    }
    // One that cannot be understood is not passed over.
    let error =
        through(&[("ALL_PROXY", "https://anna:hunter2@gate")], "tcp://host/").expect_err("it cannot be");
    assert!(
        error.contains("ALL_PROXY") && error.contains("--proxy=none") && !error.contains("hunter2"),
        "{error}"
    );
}

/// `farpane info` through a proxy that a test plays.
#[track_caller]
fn check_proxy(kind: &str, more: &[&str], words: &str, serve: impl Fn(&mut TcpStream) + Send + 'static) {
    let (url, thread) = peer(1, move |mut stream| {
        serve(&mut stream);
        let _ = stream.shutdown(Shutdown::Write);
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let place = url.trim_start_matches("tcp://").trim_end_matches('/').to_owned();
    let proxy = format!("--proxy={kind}{place}");
    check(&[&["info", SERVER, &proxy][..], more].concat(), NOT_REACHED, words);
    thread.join().expect("the proxy is content");
}

fn expect(stream: &mut TcpStream, bytes: &[u8]) {
    let mut got = vec![0; bytes.len()];
    stream.read_exact(&mut got).expect("the client's words");
    assert_eq!(String::from_utf8_lossy(&got), String::from_utf8_lossy(bytes));
}

/// What a SOCKS5 client asks for our server: the name goes to the proxy, byte for byte.
const SOCKS5_REQUEST: &[u8] = b"\x05\x01\x00\x03\x0fsession.invalid\x38\xa4";

#[test]
fn what_a_socks5_proxy_answers() {
    for (code, words) in [
        (1, "it failed, and gives no reason"),
        (2, "its rules do not allow that"),
        (3, "it does not reach that network"),
        (4, "it does not reach the host"),
        (5, "nothing listens there"),
        (6, "TTL expired"),
        (7, "makes no connections"),
        (8, "kind of address"),
        (99, "is no SOCKS5 proxy"),
    ] {
        check_proxy("socks5://", &[], words, move |stream| {
            expect(stream, b"\x05\x01\x00");
            stream.write_all(b"\x05\x00").expect("the client reads");
            expect(stream, SOCKS5_REQUEST);
            stream.write_all(&[5, code, 0, 1, 0, 0, 0, 0, 0, 0]).expect("the client reads");
        });
    }
    // Logins.
    let wants = "wants a login: write its address as socks5://NAME:PASSWORD@127.0.0.1:";
    for answer in [b"\x05\xff", b"\x05\x02"] {
        check_proxy("socks5h://", &[], wants, move |stream| {
            expect(stream, b"\x05\x01\x00");
            stream.write_all(answer).expect("the client reads");
        });
    }
    check_proxy("socks5://anna:hunter2@", &[], "refused the login: check its name", |stream| {
        expect(stream, b"\x05\x02\x00\x02");
        stream.write_all(b"\x05\x02").expect("the client reads");
        expect(stream, b"\x01\x04anna\x07hunter2");
        stream.write_all(b"\x01\x01").expect("the client reads");
    });
}

#[test]
fn proxies_that_are_none_or_break_off() {
    for answer in
        [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"SSH-2.0-x\r\n", b"\x05\x01", b"\x04\x00", &[0; 64]]
    {
        check_proxy("socks5://", &[], "is no SOCKS5 proxy", move |stream| {
            stream.read_exact(&mut [0; 3]).expect("the client's words");
            stream.write_all(answer).expect("the client reads");
        });
    }
    check_proxy("socks4a://", &[], "is no SOCKS4 proxy", |stream| {
        expect(stream, b"\x04\x01\x38\xa4\x00\x00\x00\x01\x00session.invalid\x00");
        stream.write_all(b"\x04\x5a\0\0\0\0\0\0").expect("the client reads");
    });
    check_proxy("socks4a://anna@", &[], "it failed, and gives no reason", |stream| {
        expect(stream, b"\x04\x01\x38\xa4\x00\x00\x00\x01anna\x00session.invalid\x00");
        stream.write_all(b"\x00\x5b\0\0\0\0\0\0").expect("the client reads");
    });
    check_proxy("socks4a://", &[], "ident server", |stream| {
        stream.read_exact(&mut [0; 8]).expect("the client's words");
        stream.write_all(b"\x00\x5c\0\0\0\0\0\0").expect("the client reads");
    });
    for kind in ["socks5://", "socks4a://", "http://"] {
        check_proxy(
            kind,
            &[],
            "closed the connection when it was asked for session.invalid:14500",
            |stream| {
                stream.read_exact(&mut [0; 3]).expect("the client's words");
            },
        );
        // Half an answer.
        let half: &[u8] = match kind {
            "socks5://" => b"\x05\x00\x05\x00\x00\x03\xffabc",
            "socks4a://" => b"\x00\x5a\0",
            _ => b"HTTP/1.1 200 OK\r\nX: y\r\n",
        };
        check_proxy(kind, &[], "closed the connection when it was asked", move |stream| {
            stream.read_exact(&mut [0; 3]).expect("the client's words");
            stream.write_all(half).expect("the client reads");
        });
    }
}

#[test]
fn what_an_http_proxy_answers() {
    let with_login = "Proxy-Authorization: Basic YW5uYTpodW50ZXIy\r\n";
    let cases: &[(&str, &str, &str)] = &[
        ("", "HTTP/1.0 403 Filtered\r\n\r\n<html>", "HTTP status 403 Filtered (its rules do not allow"),
        ("", "HTTP/1.1 502 Bad Gateway\r\n\r\n", "does the host exist, and does the server run?"),
        ("", "HTTP/1.1 404 Not Found\r\n\r\n", "is it a web server, not a proxy?"),
        ("", "HTTP/1.1 599 \x1b[31mred\r\n\r\n", "is no"),
        (
            "",
            "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n",
            "wants a login: write its address as http://NAME",
        ),
        (
            "",
            "HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\nproxy-authenticate: NTLM\r\n\r\n",
            "(it takes Negotiate, NTLM; Farpane gives Basic only)",
        ),
        ("anna:hunter2@", "HTTP/1.1 407 Wrong\r\n\r\n", "refused the login (HTTP status 407 Wrong)"),
        ("", "SSH-2.0-OpenSSH\r\n", "it answers `SSH-2…`"),
        ("", "HTTP/1.1 abc\r\n\r\n", "is no valid HTTP"),
    ];
    for (login, answer, words) in cases {
        let (login, answer) = (*login, *answer);
        check_proxy(&format!("http://{login}"), &[], words, move |stream| {
            let lines = if login.is_empty() { "" } else { with_login };
            let place = "session.invalid:14500";
            expect(stream, format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n{lines}\r\n").as_bytes());
            stream.write_all(answer.as_bytes()).expect("the client reads");
        });
    }
    // Heads without an end, and with more headers than any proxy has.
    for (line, words) in [("X: y\r\n", "has no end after 16384 bytes"), ("a", "has no end after 16384 bytes")]
    {
        check_proxy("http://", &[], words, move |stream| {
            stream.read_exact(&mut [0; 8]).expect("the client's words");
            let head = format!("HTTP/1.1 200 OK\r\n{}", line.repeat(32 * 1024));
            let _ = stream.write_all(head.as_bytes());
        });
    }
    check_proxy("http://", &[], "is no valid HTTP", move |stream| {
        stream.read_exact(&mut [0; 8]).expect("the client's words");
        let head = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(100));
        let _ = stream.write_all(head.as_bytes());
    });
}

/// All of it stands inside the time for connecting, also where a proxy always has something more to say.
#[test]
fn proxies_that_never_come_to_an_end() {
    let limit = ["--connect-timeout", "1"];
    for kind in ["socks5://", "socks4a://", "http://"] {
        check_proxy(
            kind,
            &limit,
            "did not answer within 1 s when it was asked for session.invalid:14500",
            |stream| {
                let _ = std::io::copy(stream, &mut std::io::sink());
            },
        );
    }
    check_proxy("http://", &limit, "did not answer within 1 s when it was asked", |stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX: ");
        while stream.write_all(b"y").is_ok() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    });
}

#[test]
fn a_proxy_that_is_not_there() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let place = listener.local_addr().expect("it is bound").to_string();
    drop(listener);
    let words = format!("cannot reach the proxy socks5://{place}: nothing listens there (--proxy=none");
    check(&["info", SERVER, &format!("--proxy=socks5://{place}")], NOT_REACHED, &words);
}

/// ssh has its own ways, and what is typed for it is not passed over.
#[test]
fn proxies_are_not_for_ssh() {
    for arguments in [
        &["info", "ssh://host/", "--proxy=socks5://anna:hunter2@gate"][..],
        &["info", "ssh://host/?proxy-host=gate&proxy-username=anna&proxy-password=hunter2"],
    ] {
        check(arguments, 2, "proxies are for tcp, ssl, ws and wss: ssh goes its own ways");
        check(arguments, 2, "leave out the proxy socks5://anna@gate:1080");
    }
    check(&["info", "ssh://host/?proxy=ssh://gate"], 2, "--ssh=\"ssh -J HOST\"");
}

/// The proxy is a process of this account on a loopback port. The way behind it is not known, so that nothing that others
/// could read is given away there.
#[test]
fn a_proxy_of_ones_own_makes_no_server_local() {
    use farpane::net::Transport;
    use farpane::net::tls::TlsOptions;
    let (url, thread) = peer(2, |mut stream| {
        let mut first = [0; 3];
        stream.read_exact(&mut first).expect("the client's words");
        if first == *b"\x05\x01\x00" {
            stream.write_all(b"\x05\x00").expect("the client reads");
            stream.read_exact(&mut [0; SOCKS5_REQUEST.len()]).expect("the client's words");
            stream.write_all(b"\x05\x00\x00\x01\0\0\0\0\0\0").expect("the client reads");
        }
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let place = url.trim_start_matches("tcp://").trim_end_matches('/').to_owned();
    let link = |target: &str, proxy: Option<Proxy>| {
        let target = Target::parse(target).expect("an address");
        let (tls, limit) = (TlsOptions::default(), std::time::Duration::from_secs(60));
        runtime.block_on(async {
            use tokio::io::AsyncWriteExt as _;
            let connecting = Transport::connect(&target, &tls, proxy.as_ref(), limit, &|_| {});
            let mut transport = connecting.await.expect("it connects");
            let seen = (transport.link().local, transport.encryption());
            transport.write_all(b"bye").await.expect("it writes");
            seen
        })
    };
    assert_eq!(link(&url, None), (true, "none (this machine)"));
    assert_eq!(link(SERVER, Some(proxy(&format!("socks5://{place}")))), (false, "none"));
    thread.join().expect("the peer is content");
}
