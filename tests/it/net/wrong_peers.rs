//! What the user reads when something else listens at the address: each kind of connection against
//! each kind of server, with the answers that those give.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use super::cli::{check, peer};

const PROTOCOL: i32 = 6;
const NOT_REACHED: i32 = 5;

/// nginx on a TLS port, as far as it matters.
const WANTS_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nConnection: close\r\n\r\n\
    <html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>";
/// 3.1.3 started with --html=off.
const NO_HTML: &[u8] =
    b"HTTP/1.1 400 Bad request syntax or unsupported method\n\n<head>\n<title>Server Error</title>\n\
    </head>\n<body>\n<p>Message: this port does not support HTTP requests.\n</body>\n";

/// What is sent at once, and what is said for `tcp`, `ssl` and `ws`.
const SERVERS: &[(&[u8], &str, &str, &str)] = &[
    (b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n", "an SSH port", "an SSH port", "an SSH port"),
    (b"RFB 003.008\n", "a VNC server", "a VNC server", "a VNC server"),
    (b"REDQ\x02\0\0\0", "a SPICE server", "a SPICE server", "a SPICE server"),
    (&[3, 0, 0, 19, 14, 208, 0, 0], "remote desktop (RDP)", "remote desktop (RDP)", "remote desktop (RDP)"),
    (
        b"220 mail.example.org ESMTP\r\n",
        "a mail or FTP server",
        "a mail or FTP server",
        "a mail or FTP server",
    ),
    (&[255, 253, 24, 255, 253, 32], "a telnet server", "a telnet server", "a telnet server"),
    (b"\x4a\0\0\0\x0a8.0.30\0", "a database server", "a database server", "a database server"),
    (b"-ERR wrong number of arguments\r\n", "a Redis server", "a Redis server", "a Redis server"),
    (
        b"HTTP/1.0 400 Bad Request\r\n\r\n",
        "use a ws:// or wss:// address",
        "use a ws:// address",
        "HTTP status 400",
    ),
    (
        &[21, 3, 1, 0, 2, 2, 70],
        "use an ssl:// or wss:// address",
        "Farpane takes TLS 1.2",
        "use a wss:// address",
    ),
    (
        b"disconnect: connection failed, invalid packet header, SSL packet??\n",
        "the server refused the connection",
        "use a tcp:// address",
        "use a tcp:// address",
    ),
    (
        b"disconnect packet looks odd\n",
        "refused the connection: packet looks odd",
        "use a tcp://",
        "use a tcp://",
    ),
    (
        b"hello from nobody knows\n",
        "hello from nobody knows",
        "hello from nobody knows",
        "hello from nobody knows",
    ),
    (&[0], "it sent 1 zero", "it sent 1 zero", "it sent 1 zero"),
    (&[0; 12], "it sent 12 zeros", "it sent 12 zeros", "it sent 12 zeros"),
    (&[1, 2, 3, 4, 250, 6, 7, 8, 9], "01 02 03 04 fa", "01 02 03 04 fa", "01 02 03 04 fa"),
];

/// Answers the first bytes with `answer` and ends.
fn answering(answer: &'static [u8]) -> impl Fn(TcpStream) + Send + 'static {
    move |mut stream| {
        stream.read_exact(&mut [0; 8]).expect("the client's first bytes");
        stream.write_all(answer).expect("the client reads");
        // The client may be gone already.
        let _ = stream.shutdown(Shutdown::Write);
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    }
}

fn check_answer(scheme: &str, answer: &'static [u8], code: i32, message: &str) {
    let (url, thread) = peer(1, answering(answer));
    check(&["info", &url.replace("tcp:", scheme)], code, message);
    thread.join().expect("the peer is content");
}

#[test]
fn each_kind_of_connection_names_what_answered() {
    for (answer, tcp, ssl, ws) in SERVERS {
        check_answer("tcp:", answer, PROTOCOL, tcp);
        check_answer("ssl:", answer, NOT_REACHED, ssl);
        check_answer("wss:", answer, NOT_REACHED, ssl);
        check_answer("ws:", answer, NOT_REACHED, ws);
    }
}

#[test]
fn who_closes_at_once_is_asked_for_the_right_port() {
    check_answer("tcp:", b"", 4, "is this an Xpra port?");
    check_answer("ssl:", b"", NOT_REACHED, "does this port speak TLS?");
    check_answer("ws:", b"", NOT_REACHED, "does this port speak ws?");
}

/// Who is reached and then says nothing is no question of firewalls.
#[test]
fn who_never_answers_is_told_from_who_is_not_there() {
    for (scheme, words) in [
        ("ssl:", "did not answer to TLS within 1 s"),
        ("ws:", "did not answer to the WebSocket handshake within 1 s"),
    ] {
        let (url, thread) = peer(1, |mut stream| {
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        });
        let url = url.replace("tcp:", scheme);
        check(&["info", "--connect-timeout", "1", &url], NOT_REACHED, words);
        thread.join().expect("the peer is content");
    }
}

#[test]
fn an_xpra_server_without_web_sockets_is_named() {
    check_answer("ws:", b"P\x10\0\0\0\0\0\x04....", NOT_REACHED, "use a tcp:// address");
    check_answer("ws:", NO_HTML, NOT_REACHED, "--html=on");
}

/// What a web server in front of the session says, and what that means.
#[test]
fn web_servers_are_understood() {
    const ANSWERS: &[(&[u8], &str)] = &[
        (WANTS_TLS, "use a wss:// address"),
        (
            b"HTTP/1.1 301 Moved Permanently\r\nLocation: https://desk.example/x/\r\n\r\n",
            "connect to wss://desk.example/x/",
        ),
        // Where to go is said as browsers understand it, seen from the address that was asked for.
        (b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /other/\r\n\r\n", "connect to ws://127.0.0.1:"),
        (
            b"HTTP/1.1 308 Permanent Redirect\r\nLocation: //desk.example/x\r\n\r\n",
            "connect to ws://desk.example/x\n",
        ),
        (
            b"HTTP/1.1 301 Moved\r\nLocation: HTTPS://Desk.example:8443/x\r\n\r\n",
            "to wss://desk.example:8443/x\n",
        ),
        (b"HTTP/1.1 301 Moved\r\nLocation: wss://desk.example/\r\n\r\n", "connect to wss://desk.example/\n"),
        (
            b"HTTP/1.1 301 Moved\r\nLocation: https://u:pw@desk.example/?t=key#x\r\n\r\n",
            "to wss://desk.example/\n",
        ),
        (b"HTTP/1.1 302 Found\r\nLocation: javascript:alert(1)\r\n\r\n", "does not say which"),
        (b"HTTP/1.1 302 Found\r\nLocation: \r\n\r\n", "does not say which"),
        (
            b"HTTP/1.1 302 Found\r\nlocation: http://desk.example/login\r\n\r\n",
            "wants a login of its own first",
        ),
        (b"HTTP/1.1 302 Found\r\nLocation: /oauth2/start?rd=key\r\n\r\n", "/oauth2/start), which"),
        (
            b"HTTP/1.1 302 Found\r\nLocation: https://auth.example/?rd=x\r\n\r\n",
            "at wss://auth.example/), which",
        ),
        (b"HTTP/1.1 302 Found\r\n\r\n", "does not say which"),
        (b"HTTP/1.1 200 OK\r\n\r\n<html>", "there is a web page at this path"),
        (b"HTTP/1.1 401 Unauthorized\r\n\r\n", "wants a login of its own"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "does not allow this path"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "there is nothing at this path"),
        (b"HTTP/1.1 426 Upgrade Required\r\n\r\n", "no WebSocket at this path"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "is the Xpra server running?"),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", "is the Xpra server running?"),
        (b"HTTP/1.1 500 Oops\r\n\r\n", "its log says why"),
        (b"HTTP/1.1 421 Misdirected Request\r\n\r\n", "knows no such host"),
        (b"HTTP/1.1 497 HTTP Request Sent to HTTPS Port\r\n\r\n", "use a wss:// address"),
        (b"HTTP/1.1 511 Network Authentication Required\r\n\r\n", "open any web page"),
        (b"HTTP/1.1 522 Origin Connection Time-out\r\n\r\n", "is the Xpra server running?"),
        (b"HTTP/1.1 400 \r\n\r\nThis combination of host and port requires TLS.\r\n", "use a wss:// address"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 404 Not Found\r\n\r\n", "HTTP status 404"),
        (b"HTTP/1.1 404 Not", "in the middle of its answer"),
        (&[0, 0, 18, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 128], "HTTP/2 only"),
    ];
    for (answer, meaning) in ANSWERS {
        check_answer("ws:", answer, NOT_REACHED, meaning);
    }
}
