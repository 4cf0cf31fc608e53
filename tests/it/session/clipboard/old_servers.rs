//! What 3.1 leaves out, and what an end of the server's clipboard means for who waits.

use super::*;

/// 3.1 tells the targets of the first copy again when something else was copied.
#[test]
fn an_old_server_is_asked_for_what_is_not_in_its_list() {
    let mut driver = shared_with_3_1();
    driver.remote_copy(&["UTF8_STRING"]);
    let said = driver.local_paste(1, "image/png");
    let [Packet::Request { request, target, .. }] = &said.to_server[..] else { panic!("{said:?}") };
    assert_eq!(target, "image/png");
    // Nothing to complain of: it was never promised.
    let said = driver.server(none(*request));
    assert!(said.notices.is_empty(), "{said:?}");
    assert!(matches!(said.to_desktop[..], [ToDesktop::Answer { request: 1, contents: None }]), "{said:?}");
    assert!(driver.local_paste(2, "x-special/files").to_server.is_empty());
}

#[test]
fn a_paste_that_waits_ends_when_the_server_switches_the_clipboard_off() {
    let mut driver = shared(Direction::Both);
    driver.remote_copy(&["UTF8_STRING"]);
    driver.local_paste(4, "UTF8_STRING");
    let said = driver.server(Packet::Status { enabled: false, reason: String::new() });
    assert!(
        matches!(
            said.to_desktop[..],
            [ToDesktop::Answer { request: 4, contents: None }, ToDesktop::Release(_)]
        ),
        "{said:?}"
    );
}
