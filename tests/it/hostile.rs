//! A server that misbehaves in every way that was thought of, against the real program: what is refused, what is
//! said, what goes on, and how much memory all of it takes.
//!
//! Misbehaviours are rows of tables: in [`draws`], [`windows`] and [`floods`] those after which the session goes on,
//! against the viewer in a window under Xvfb, one session for many; in [`endings`] and [`websocket`] those that end
//! it, each against a process of its own. Each row says what is right, and that is checked.

mod draws;
mod endings;
mod floods;
mod ordinary;
mod peer;
mod program;
mod raw;
mod video;
mod websocket;
mod windows;

use peer::Peer;

/// What is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Each draw of the case gets one error acknowledgement; the session goes on.
    Refused,
    /// Each draw of the case gets one acknowledgement, of either kind; the session goes on.
    Answered,
    /// Each draw of the case is shown.
    Shown,
}

/// A misbehaviour after which the session goes on.
pub struct Case {
    pub name: String,
    pub right: Right,
    pub act: Box<dyn Fn(&mut Peer)>,
}

/// A row of a table.
pub fn case(name: impl Into<String>, right: Right, act: impl Fn(&mut Peer) + 'static) -> Case {
    Case { name: name.into(), right, act: Box::new(act) }
}

/// What the viewer may take of memory at a full-HD desktop, in bytes.
pub const MEMORY: u64 = 300_000_000;

/// The tables hold what the issue asks for.
#[test]
fn there_are_enough_misbehaviours() {
    let going_on =
        draws::table().len() + video::table().len() + windows::table().len() + floods::table().len();
    let ending = endings::table().len() + websocket::table().len();
    let mut names: Vec<String> = Vec::new();
    for table in [draws::table(), video::table(), windows::table(), floods::table()] {
        names.extend(table.into_iter().map(|case| case.name));
    }
    names.extend(endings::table().into_iter().map(|ending| ending.name));
    names.extend(websocket::table().into_iter().map(|ending| ending.name.to_owned()));
    names.sort();
    names.dedup();
    assert_eq!(names.len(), going_on + ending, "two cases have one name");
    assert!(names.len() >= 200, "{} misbehaviours", names.len());
}
