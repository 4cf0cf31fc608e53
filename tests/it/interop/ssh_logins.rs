//! Logins of a real ssh server that are refused, and those that need an answer.

use super::SOON;
use super::connect::dialog;
use super::ssh::info;
use crate::support::display::Display;
use crate::support::sshd::{Options, Sshd};
use crate::support::viewer::Viewer;

const NOT_REACHED: i32 = 5;
const LOGIN_REFUSED: i32 = 7;

/// What cannot be reached, who is not let in, and whom nobody trusts: one sentence each, and ssh's words.
#[test]
fn refusals_say_what_to_do() {
    let sshd = Sshd::start(&Options::default());
    let url = sshd.url("");
    let cases = [
        (sshd.option("stranger_ssh"), LOGIN_REFUSED, "refused the login", "Permission denied"),
        (
            sshd.option("other_ssh"),
            NOT_REACHED,
            "shows another key than before",
            "Host key verification failed",
        ),
        // Nobody can be asked without a window.
        (sshd.option("unknown_ssh"), LOGIN_REFUSED, "got no answer", "authenticity of host"),
        (sshd.option("locked_ssh"), LOGIN_REFUSED, "got no answer", "passphrase"),
        (sshd.option("ssh"), NOT_REACHED, "there is no xpra on 127.0.0.1", "farpane: there is no xpra here"),
        ("--ssh=/nonexistent/ssh".to_owned(), NOT_REACHED, "cannot be started", "No such file"),
    ];
    for (option, expected, sentence, words) in cases {
        let (code, said) = info(&[&url, &option]);
        assert_eq!(code, expected, "{option}: {said}");
        assert!(said.contains(sentence) && said.contains(words), "{option}: {said}");
    }
    let (code, said) = info(&["ssh://127.0.0.1:1/", &sshd.option("ssh")]);
    assert_eq!(code, NOT_REACHED, "{said}");
    assert!(said.contains("no ssh server listens there") && said.contains("Connection refused"), "{said}");
}

/// Waits for ssh's question.
fn question(display: &Display, viewer: &mut Viewer) -> u32 {
    dialog(display, viewer, "Farpane: ssh asks").id
}

/// ssh's questions come in a window; what was answered holds: that there is no xpra is what comes after the login.
#[test]
fn questions_come_in_a_window() {
    let sshd = Sshd::start(&Options::default());
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&sshd.url(""), &sshd.option("locked_ssh")]);
    let id = question(&display, &mut viewer);
    display.x.grab(id).expect("the dialog").save("ssh-passphrase");
    display.x.xdotool(&["type", "--delay", "20", Sshd::PASSPHRASE]);
    display.x.xdotool(&["key", "Return"]);
    assert_eq!(viewer.exit_code(SOON), NOT_REACHED, "{}", viewer.log());
    assert!(viewer.log().contains("there is no xpra on 127.0.0.1"), "{}", viewer.log());

    // A host that is not known: Enter alone is no yes.
    let mut viewer = Viewer::start(&display, &[&sshd.url(""), &sshd.option("unknown_ssh")]);
    let id = question(&display, &mut viewer);
    display.x.grab(id).expect("the dialog").save("ssh-host-key");
    display.x.xdotool(&["key", "Return"]);
    display.x.xdotool(&["key", "Tab"]);
    display.x.xdotool(&["key", "space"]);
    assert_eq!(viewer.exit_code(SOON), NOT_REACHED, "{}", viewer.log());
    assert!(viewer.log().contains("there is no xpra on 127.0.0.1"), "{}", viewer.log());
    let known = std::fs::read_to_string(sshd.folder().join("none")).expect("ssh remembers it");
    assert!(known.contains("127.0.0.1"), "{known}");
    // Now it is known: nobody asks.
    let (code, said) = info(&[&sshd.url(""), &sshd.option("unknown_ssh")]);
    assert_eq!(code, NOT_REACHED, "{said}");

    // Who closes the window wants nothing of it.
    let mut viewer = Viewer::start(&display, &[&sshd.url(""), &sshd.option("locked_ssh")]);
    question(&display, &mut viewer);
    display.x.xdotool(&["key", "Escape"]);
    assert_eq!(viewer.exit_code(SOON), LOGIN_REFUSED, "{}", viewer.log());
}
