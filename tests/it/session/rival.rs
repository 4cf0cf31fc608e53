//! Who has the session now, by what the servers' information says (lines as seen with 3.1.3 and 6.5.5).

use farpane::session::{ClientIdentity, has_rival};

fn us() -> ClientIdentity {
    ClientIdentity { uuid: "account".into(), session_id: "c845b404".into(), ..ClientIdentity::default() }
}

#[track_caller]
fn check(lines: &[(&str, &str)], shares: bool, expected: bool) {
    let lines: Vec<_> = lines.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
    assert_eq!(has_rival(&lines, &us(), shares), expected, "{lines:?}, shares: {shares}");
}

#[test]
fn another_client_is_one() {
    let other = [("clients", "1"), ("client.0.session-id", "ffff"), ("client.0.share", "false")];
    check(&other, false, true);
    check(&[("client.argv", "/usr/bin/xpra, attach"), ("client.uuid", "account")], false, true);
    check(&[("client.1.session-id", ""), ("client.0.session-id", "c845b404")], false, true);
}

#[test]
fn an_own_connection_is_none() {
    check(&[("client.0.session-id", "c845b404"), ("client.0.share", "false")], false, false);
    check(&[("client.argv", "farpane, c845b404"), ("client.share", "false")], false, false);
}

#[test]
fn who_shares_is_none_for_who_shares() {
    let other = [("client.0.share", "true"), ("client.0.session-id", "ffff")];
    check(&other, true, false);
    check(&other, false, true);
    check(&[("client.0.share", "false"), ("client.0.session-id", "ffff")], true, true);
}

#[test]
fn nobody_is_one_where_nobody_is_named() {
    check(&[], false, false);
    check(&[("clients", "0"), ("client", ""), ("session-id", "ffff"), ("argv", "xpra, start")], false, false);
    check(&[("client.0.uuid", "account"), ("client.0.window.1.argv", "other")], false, false);
}
