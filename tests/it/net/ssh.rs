//! ssh without a server: what is run, the noise before the stream, ssh's questions and words, and the end of the child.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use farpane::net::Wanted;
use farpane::net::ssh::SshOptions;
use farpane::net::ssh::asking::Question;
use farpane::net::ssh::command::{is_host, is_user, local, remote};
use farpane::net::ssh::error::{Phase, SshError, Wish, problem};
use farpane::net::ssh::noise::{Begin, How, MAX_NOISE, Noise};
use farpane::net::{HostPort, Secret, Target};
use farpane::session::{CloseReason, ConnectionEvent, ConnectionInput, SessionConfig, SshAsk};
use proptest::prelude::*;

use super::task::{Client, LIMIT};
use crate::support::wait_for;

const NUMBER: &str = "0123456789abcdef";

fn at(port: u16) -> HostPort {
    HostPort { host: "desk.example".into(), port }
}

fn arguments(at: &HostPort, user: Option<&str>) -> Vec<String> {
    local(&SshOptions::default(), at, user, Duration::from_secs(10), "REMOTE".into()).expect("a command").1
}

#[test]
fn the_command_line_of_ssh() {
    let fixed = ["-x", "-T", "-o", "ConnectTimeout=10", "-o", "RemoteCommand=none"];
    assert_eq!(arguments(&at(22), None), [&fixed[..], &["--", "desk.example", "REMOTE"]].concat());
    let all = [&fixed[..], &["-l", "anna", "-p", "2222", "--", "desk.example", "REMOTE"]].concat();
    assert_eq!(arguments(&at(2222), Some("anna")), all);
    let command = vec!["plink".to_owned(), "-agent".to_owned()];
    let options = SshOptions { command, ..SshOptions::default() };
    let (program, words) =
        local(&options, &at(22), None, Duration::from_secs(10), "R".into()).expect("a command");
    assert_eq!(
        (program.as_str(), words),
        ("plink", ["-agent", "-x", "-T", "--", "desk.example", "R"].map(str::to_owned).to_vec())
    );
}

#[test]
fn nothing_of_an_address_becomes_an_option_or_a_shells_word() {
    for user in
        ["-oProxyCommand=x", "a b", "a;b", "$(id)", "`id`", "a'b", "a\"b", "a|b", "a\n", "a\\", "a&b", "a>b"]
    {
        assert!(!is_user(user), "{user:?}");
        let error = local(&SshOptions::default(), &at(22), Some(user), LIMIT, String::new());
        assert!(error.is_err(), "{user:?}");
    }
    for user in ["anna", "anna.b", "DOMAIN\\anna", "anna@realm", "jürgen", "a_b-c+d"] {
        assert!(is_user(user), "{user:?}");
    }
    for host in ["-oProxyCommand=x", "a b", "$(id)", "a;b", "", "a/b", "a'b"] {
        assert!(!is_host(host), "{host:?}");
    }
    for host in ["desk", "desk.example", "::1", "fe80::1%eth0", "192.0.2.7", "bücher.example"] {
        assert!(is_host(host), "{host:?}");
    }
    for display in ["-x", "100 --x", "$(id)", "1;2", "../x", "", "--socket-dir=x", "1,auth=x"] {
        assert!(remote(&Wanted::Running, Some(display), NUMBER).is_err(), "{display:?}");
    }
    // What address forms lead to them.
    for address in ["ssh://-oProxyCommand=x/", "ssh://%2doProxyCommand=x/", "ssh://-l@host/"] {
        let Ok(target) = Target::parse(address) else { continue };
        let farpane::net::Endpoint::Ssh(at) = &target.endpoint else { panic!("{target:?}") };
        let user = target.username.as_deref();
        assert!(local(&SshOptions::default(), at, user, LIMIT, String::new()).is_err(), "{address}");
    }
}

/// Runs what ssh would have the login shell run, with an xpra that says what it was given.
fn run_remote(shell: &str, folder: &Path, line: &str) -> (String, String, Option<i32>) {
    let mut command = Command::new(shell);
    let path = format!("{}:/usr/bin:/bin", folder.display());
    command.args(["-c", line]).env("PATH", path).env("HOME", folder).env("XDG_RUNTIME_DIR", folder);
    let output = command.output().expect("a shell");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (text(output.stdout), text(output.stderr), output.status.code())
}

/// A folder with an `xpra` that prints its arguments in brackets.
fn folder_with_xpra(script: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("xpra");
    std::fs::write(&file, script).expect("a file");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&file, mode).expect("chmod");
    folder
}

const SAYS_WORDS: &str = "#!/bin/sh\nfor word; do printf '[%s]' \"$word\"; done\n";

#[test]
fn the_other_end_runs_xpra() {
    let folder = folder_with_xpra(SAYS_WORDS);
    for shell in ["sh", "bash"] {
        let line = remote(&Wanted::Running, Some("100"), NUMBER).expect("a command");
        let (out, err, code) = run_remote(shell, folder.path(), &line);
        assert_eq!((out.as_str(), code), (&*format!("\nFARPANE-{NUMBER}\n[_proxy][:100]"), Some(0)), "{err}");
        let line = remote(&Wanted::Running, None, NUMBER).expect("a command");
        assert_eq!(run_remote(shell, folder.path(), &line).0, format!("\nFARPANE-{NUMBER}\n[_proxy]"));
    }
    // Where there is none, whatever the machine of the test has.
    let line = remote(&Wanted::Running, None, NUMBER).expect("a command").replace("xpra", "no-such-program");
    let (out, err, code) = run_remote("sh", folder.path(), &line);
    assert_eq!((out.as_str(), code), ("", Some(127)), "{err}");
    assert!(err.contains("there is no no-such-program here"), "{err}");
}

#[test]
fn the_other_end_starts_a_session_and_says_its_display() {
    let script = "#!/bin/sh\nif [ \"$1\" = _proxy ]; then echo \"proxy $2\"; exit; fi\n\
                  for word; do printf '[%s]' \"$word\" >&2; done; echo noise; echo 7 >&3\n";
    let folder = folder_with_xpra(script);
    let arguments = vec!["--start=xterm -e 'a b' \"c\" \\d $HOME !x".to_owned()];
    let wanted = Wanted::New { command: "start", arguments: arguments.clone() };
    for shell in ["sh", "bash"] {
        let line = remote(&wanted, None, NUMBER).expect("a command");
        let (out, err, _) = run_remote(shell, folder.path(), &line);
        assert_eq!(out, format!("\nFARPANE-{NUMBER} :7\nproxy :7\n"), "{err}");
        assert!(err.contains(&format!("[start][{}][--daemon=yes]", arguments[0])), "{err}");
    }
    // Seen with 6.5.5: it fails, and its exit code is 0.
    let failing = folder_with_xpra("#!/bin/sh\nexit 0\n");
    let line = remote(&wanted, None, NUMBER).expect("a command");
    assert_eq!(run_remote("sh", failing.path(), &line), (String::new(), String::new(), Some(1)));
    let failing = folder_with_xpra("#!/bin/sh\necho 'no way' >&2; exit 3\n");
    let line = remote(&wanted, Some("5"), NUMBER).expect("a command");
    assert_eq!(run_remote("sh", failing.path(), &line), (String::new(), "no way\n".to_owned(), Some(3)));
}

/// Feeds in pieces of `size`.
fn feed(noise: &mut Noise, bytes: &[u8], size: usize) -> Option<Begin> {
    for (number, piece) in bytes.chunks(size).enumerate() {
        if let Some(mut begin) = noise.feed(piece).expect("not too much") {
            begin.rest.extend(&bytes[((number + 1) * size).min(bytes.len())..]);
            return Some(begin);
        }
    }
    None
}

const RECORD: &[u8] = b"P\x10\0\0\0\0\0\x05hello";

#[test]
fn noise_ends_with_our_line() {
    let noisy = [
        "",
        "Welcome to P\u{10}\n",
        "P\nPP\nP\u{1}\0\0 no header\nFARPANE-0123\nFARPANE-0123456789abcdefX\n",
        "disconnect: at ten everything is shut down\n",
        "no end of line\n",
        &format!("said FARPANE-{NUMBER}\n"),
    ];
    for before in noisy {
        for (line, display) in [("", None), (" :7", Some("7".to_owned())), ("\r", None)] {
            let mut bytes = format!("{before}FARPANE-{NUMBER}{line}\n").into_bytes();
            bytes.extend(RECORD);
            for size in [1, 2, 3, 7, 8, 9, 64, 4096] {
                let begin = feed(&mut Noise::new(NUMBER), &bytes, size);
                let how = How::Marker { display: display.clone() };
                assert_eq!(begin, Some(Begin { how, rest: RECORD.to_vec() }), "{before:?} {line:?} {size}");
            }
        }
    }
}

#[test]
fn noise_ends_with_a_whole_header_once_hello_was_said() {
    let noise = b"Password will expire. P\0\nPP\x10 P\x10\0 \0\0\0\x05 P\x10\0\0\xff\xff\xff\xff PPP";
    let bytes = [&noise[..], RECORD].concat();
    for size in [1, 3, 8, 100] {
        let mut waiting = Noise::new(NUMBER);
        assert_eq!(feed(&mut waiting, &bytes, size), None, "nobody spoke to a server yet");
        let mut waiting = Noise::new(NUMBER);
        waiting.said_hello();
        assert_eq!(feed(&mut waiting, &bytes, size), Some(Begin { how: How::Record, rest: RECORD.to_vec() }));
        let mut waiting = Noise::new(NUMBER);
        waiting.said_hello();
        let goodbye = b"disconnect: failed to parse bencode packet";
        let begin = feed(&mut waiting, &[b"Hello!\ndisconnect: soon\ndisco", &goodbye[..]].concat(), size);
        assert_eq!(begin, Some(Begin { how: How::Goodbye, rest: goodbye.to_vec() }));
    }
}

#[test]
fn noise_has_a_bound() {
    let mut noise = Noise::new(NUMBER);
    noise.said_hello();
    let block = [b'P'; 64 * 1024];
    let fed = (0..).take_while(|_| noise.feed(&block).is_ok()).count();
    assert_eq!(fed * block.len(), MAX_NOISE);
    assert!(noise.last_lines().iter().all(|line| line.len() < 1000));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever a shell says, in whatever pieces: our line is found, and nothing of the stream is lost.
    #[test]
    fn whatever_a_shell_says(before in "[ -~\n]{0,200}", size in 1_usize..50) {
        let bytes = [before.as_bytes(), format!("\nFARPANE-{NUMBER}\n").as_bytes(), RECORD].concat();
        let begin = feed(&mut Noise::new(NUMBER), &bytes, size);
        prop_assert_eq!(begin.map(|begin| begin.rest), Some(RECORD.to_vec()));
    }
}

#[test]
fn questions_are_understood() {
    let check = |bytes: &[u8], prompt: &str, kind| {
        assert_eq!(Question::read(bytes), Question { prompt: prompt.to_owned(), kind });
    };
    check(b"\nanna@desk's password: ", "anna@desk's password:", SshAsk::Secret);
    check(
        b"\nThe authenticity\nSure (yes/no/[fingerprint])? ",
        "The authenticity\nSure (yes/no/[fingerprint])?",
        SshAsk::Confirm,
    );
    check(b"confirm\nAllow?", "Allow?", SshAsk::Confirm);
    check(b"none\nTouch it\x1b[2J", "Touch it[2J", SshAsk::Notice);
    check(b"", "", SshAsk::Secret);
    assert!(Question::read(&[b'x'; 9000]).prompt.len() <= 200);
}

#[test]
fn the_words_of_ssh_say_what_to_do() {
    let wish = |display: Option<&str>| Wish { host: "desk".into(), display: display.map(str::to_owned) };
    let cases: [(Phase, Option<&str>, &str, &str); 12] = [
        (
            Phase::LoggingIn,
            None,
            "ssh: Could not resolve hostname desk: Name or service not known",
            "cannot find the host `desk`",
        ),
        (
            Phase::LoggingIn,
            None,
            "ssh: connect to host desk port 22: Connection refused",
            "no ssh server listens",
        ),
        (
            Phase::LoggingIn,
            None,
            "ssh: connect to host desk port 22: Connection timed out",
            "cannot reach desk",
        ),
        (Phase::LoggingIn, None, "anna@desk: Permission denied (publickey).", "refused the login"),
        (Phase::LoggingIn, None, "Host key verification failed.", "log in once with `ssh ssh://desk`"),
        (
            Phase::LoggingIn,
            None,
            "@  WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!  @",
            "another key than before",
        ),
        (Phase::LoggingIn, None, "farpane: there is no xpra here", "it must be installed there"),
        (Phase::LoggingIn, None, "something else", "ended before there was a session (exit code 255)"),
        (Phase::Starting, None, "xpra says no", "no session could be started on desk"),
        (
            Phase::Attaching,
            Some(":77"),
            " cannot find live server for display :77",
            "there is no session :77 on desk",
        ),
        (
            Phase::Attaching,
            None,
            " failed to connect to '/run/xpra/system':",
            "desk has no session, or several",
        ),
        (Phase::Running, None, "Timeout, server desk not responding.", "ssh has ended (exit code 255)"),
    ];
    for (phase, display, line, words) in cases {
        let said = vec!["Warning: something".to_owned(), line.to_owned()];
        let problem = problem(phase, &wish(display), &said, "exit code 255".to_owned());
        let shown = SshError { problem, said }.to_string();
        let (first, rest) = shown.split_once('\n').expect("lines");
        assert!(first.contains(words), "{first}");
        assert!(rest.contains(&format!("ssh: {line}")), "{rest}");
    }
}

/// A program in the place of ssh: a script that says its process id.
fn in_place_of_ssh(folder: &Path, script: &str) -> SshOptions {
    let pid = folder.join("pid").display().to_string();
    let script = format!("echo $$ >{pid}.new; mv {pid}.new {pid}; {script}");
    SshOptions { command: vec!["sh".into(), "-c".into(), script, "sh".into()], ..SshOptions::default() }
}

fn client(ssh: SshOptions) -> Client {
    Client::through_ssh("ssh://anna@desk/100", SessionConfig::default(), ssh)
}

/// Waits for the program's process id.
fn pid(folder: &Path) -> String {
    let read = || std::fs::read_to_string(folder.join("pid")).ok();
    wait_for("the program to run", LIMIT, String::new, read).trim().to_owned()
}

/// Not even a zombie.
fn is_gone(pid: &str) -> bool {
    !Path::new("/proc").join(pid).exists()
}

#[test]
fn who_stops_while_connecting_leaves_no_process() {
    // The second takes no notice of a polite word.
    for script in ["exec sleep 1000", "trap '' TERM; while :; do sleep 0.1; done"] {
        let folder = tempfile::tempdir().expect("a folder");
        let client = client(in_place_of_ssh(folder.path(), script));
        let pid = pid(folder.path());
        client.input(ConnectionInput::Disconnect);
        assert_eq!(client.end(), CloseReason::User);
        assert!(is_gone(&pid), "{script}");
    }
}

#[test]
fn what_ssh_says_is_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = "echo 'This account is not available.'; echo 'anna@desk: Permission denied (publickey).' >&2; exit 255";
    let reason = client(in_place_of_ssh(folder.path(), script)).end();
    let CloseReason::Authentication(words) = &reason else { panic!("{reason:?}") };
    assert!(words.contains("desk refused the login") && words.contains("Permission denied"), "{words}");
    assert!(words.contains("This account is not available."), "{words}");
    assert!(is_gone(&pid(folder.path())));

    let command = vec!["/nonexistent/ssh".to_owned()];
    let reason = client(SshOptions { command, ..SshOptions::default() }).end();
    let CloseReason::ConnectFailed(words) = &reason else { panic!("{reason:?}") };
    assert!(
        words.contains("`/nonexistent/ssh` cannot be started") && words.contains("--ssh=COMMAND"),
        "{words}"
    );
}

#[test]
fn an_unsafe_address_starts_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let ssh = in_place_of_ssh(folder.path(), "exit 1");
    let reason = Client::through_ssh("ssh://-oProxyCommand=x@desk/", SessionConfig::default(), ssh).end();
    assert!(reason.to_string().contains("cannot be passed to ssh as a user"), "{reason}");
    assert!(!folder.path().join("pid").exists());
}

/// The questions of a program in the place of ssh are answered as ssh's are: by `SSH_ASKPASS`.
#[test]
fn questions_come_to_the_application() {
    let folder = tempfile::tempdir().expect("a folder");
    let said = folder.path().join("said").display().to_string();
    // The test's own executable would be started: the viewer's program stands in for it.
    let program = env!("CARGO_BIN_EXE_farpane");
    let ask = |prompt: &str| format!("{program} '{prompt}' >>{said} || echo none >>{said}");
    let script = format!(
        "{}; {}; {}; exit 255",
        ask("anna password:"),
        ask("passphrase for key:"),
        ask("anna password:")
    );
    let ssh =
        SshOptions { password: Some(Secret::new("first".into())), ..in_place_of_ssh(folder.path(), &script) };
    let client = client(ssh);
    // The password that was given beforehand answers the first one, and is not tried again.
    let mut asked = Vec::new();
    for answer in ["second", "third"] {
        asked.push(client.next_event(|event| match event {
            ConnectionEvent::SshAsks { prompt, kind: SshAsk::Secret } => Some(prompt),
            _ => None,
        }));
        client.input(ConnectionInput::Password(Secret::new(answer.into())));
    }
    assert_eq!(asked, ["passphrase for key:", "anna password:"]);
    let _ = client.end();
    assert_eq!(std::fs::read_to_string(&said).expect("what was said"), "first\nsecond\nthird\n");
}

#[test]
fn who_gives_no_answer_ends_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = env!("CARGO_BIN_EXE_farpane");
    let client = client(in_place_of_ssh(folder.path(), &format!("{program} 'Sure (yes/no)?'; sleep 1000")));
    let kind = client.next_event(|event| match event {
        ConnectionEvent::SshAsks { kind, .. } => Some(kind),
        _ => None,
    });
    assert_eq!(kind, SshAsk::Confirm);
    client.input(ConnectionInput::PasswordCancelled);
    let reason = client.end();
    assert!(
        matches!(&reason, CloseReason::Authentication(words) if words.contains("Sure (yes/no)?")),
        "{reason:?}"
    );
    assert!(is_gone(&pid(folder.path())));
}
