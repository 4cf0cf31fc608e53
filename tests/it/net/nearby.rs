//! Announcements of sessions: which belong together, and how many are looked at.

use farpane::net::nearby::{Announced, MAX_SERVICES, Session, Sessions};

fn announced(service: &str, mode: &str, port: u16) -> Announced {
    Announced {
        service: service.to_owned(),
        hosts: vec!["192.0.2.7".to_owned()],
        port,
        mode: mode.to_owned(),
        uuid: "1234".to_owned(),
        display: ":100".to_owned(),
        username: "anna".to_owned(),
        ..Announced::default()
    }
}

fn sessions(announced: impl IntoIterator<Item = Announced>) -> Vec<Session> {
    let mut sessions = Sessions::default();
    announced.into_iter().for_each(|announced| sessions.add(announced));
    sessions.into_sessions()
}

fn ways(session: &Session) -> Vec<String> {
    session.ways.iter().map(|way| way.target().to_string()).collect()
}

/// What 6.5.5 announces of one port.
#[test]
fn the_services_of_a_server_are_one_session() {
    let modes = ["ssh", "tcp", "ssl", "ws", "wss", "SSH"];
    let all = modes.iter().enumerate().map(|(n, mode)| announced(&format!("vm-{n}"), mode, 14500));
    let found = sessions(all);
    assert_eq!(found.len(), 1);
    let expected = ["ssl", "wss", "tcp", "ws", "ssh"].map(|mode| format!("{mode}://192.0.2.7:14500/"));
    assert_eq!(ways(&found[0]), expected);
    assert_eq!(found[0].title(), "anna's :100");
    assert_eq!(found[0].address(), "ssl://192.0.2.7:14500/");

    let other = Announced { display: ":7".to_owned(), name: "other".to_owned(), ..announced("b", "tcp", 2) };
    let stranger = Announced { uuid: "5".to_owned(), ..announced("c", "tcp", 3) };
    let found = sessions([announced("a", "tcp", 1), other, stranger]);
    assert_eq!(found.len(), 3);
    assert!(found.iter().any(|session| session.title() == "other"));
    // Without an identifier, what an address has belongs together.
    let nameless = |service, mode| Announced { uuid: String::new(), ..announced(service, mode, 1) };
    assert_eq!(sessions([nameless("a", "tcp"), nameless("b", "ws")]).len(), 1);
    // IPv6, with the interface where it needs one.
    let hosts = ["fe80::1%eth0", "192.0.2.7", "2001:db8::1"].map(str::to_owned).to_vec();
    let found = sessions([Announced { hosts, ..announced("a", "tcp", 1) }]);
    assert_eq!(ways(&found[0]), ["tcp://192.0.2.7:1/", "tcp://[2001:db8::1]:1/"]);
}

#[test]
fn what_anybody_says_is_bounded_and_can_be_shown() {
    let odd = "\u{1b}[31mred\u{202e}\n".to_owned() + &"x".repeat(1000);
    let bad =
        Announced { name: odd.clone(), username: odd.clone(), platform: odd, ..announced("a", "tcp", 1) };
    let found = sessions([bad]);
    for text in [&found[0].name, &found[0].username, &found[0].platform] {
        assert!(text.chars().count() <= 81, "{text}");
        assert!(!text.contains(farpane::protocol::text::is_hidden), "{text:?}");
    }
    // No way at all.
    assert_eq!(sessions([announced("a", "quic", 1), announced("b", "", 1), announced("c", "tcp", 0)]), []);
    assert_eq!(sessions([Announced { hosts: Vec::new(), ..announced("a", "tcp", 1) }]), []);
    let each = |n: usize| Announced { uuid: n.to_string(), ..announced(&format!("s{n}"), "tcp", 1) };
    assert_eq!(sessions((0..5000).map(each)).len(), MAX_SERVICES);
    let ports = (0..200).map(|n| announced(&format!("s{n}"), "tcp", n + 1));
    assert!(sessions(ports)[0].ways.len() <= 8);
    // What is gone is gone.
    let mut gone = Sessions::default();
    gone.add(announced("a", "tcp", 1));
    gone.remove("a");
    assert_eq!(gone.into_sessions(), []);
}
