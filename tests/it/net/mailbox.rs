//! The mailbox: what waits is bounded, and what comes out is as good as all that went in.

use std::collections::BTreeMap;
use std::time::Duration;

use farpane::channel::mailbox::{MAX_BYTES, MAX_EVENTS};
use farpane::channel::{AppEvent, Mailbox};
use farpane::geometry::{Point, Size};
use farpane::protocol::packet::Image;
use farpane::protocol::packet::WindowId;
use farpane::session::{
    CloseReason, ConnectionEvent, CursorShape, PointerEvent, SessionEvent, WindowChange, WindowEvent,
    WindowInfo, WindowState,
};
use proptest::prelude::*;

/// What the server says, numbered so that each can be told from the others.
#[derive(Clone, Copy, Debug)]
enum Said {
    Create(u64),
    Destroy(u64),
    Title(u64),
    Moved(u64),
    Resized(u64),
    State(u64),
    Cursor,
    Bell,
    LoggingIn,
}

fn said() -> impl Strategy<Value = Said> {
    let wid = || 1_u64..5;
    prop_oneof![
        2 => wid().prop_map(Said::Create),
        2 => wid().prop_map(Said::Destroy),
        4 => wid().prop_map(Said::Title),
        2 => wid().prop_map(Said::Moved),
        2 => wid().prop_map(Said::Resized),
        2 => wid().prop_map(Said::State),
        1 => Just(Said::Cursor),
        1 => Just(Said::Bell),
        1 => Just(Said::LoggingIn),
    ]
}

fn changed(wid: u64, change: WindowChange) -> SessionEvent {
    SessionEvent::Window(WindowEvent::Changed { wid: WindowId(wid), change })
}

fn size(number: u32) -> Size {
    Size { width: number + 1, height: 1 }
}

fn event(said: Said, number: u32) -> SessionEvent {
    let position = Some(Point::new(number as i32, 0));
    match said {
        Said::Create(wid) => {
            let info = WindowInfo { title: format!("new {number}"), ..WindowInfo::new(WindowId(wid)) };
            SessionEvent::Window(WindowEvent::Created(Box::new(info)))
        }
        Said::Destroy(wid) => SessionEvent::Window(WindowEvent::Destroyed { wid: WindowId(wid) }),
        Said::Title(wid) => changed(wid, WindowChange::Title(format!("title {number}"))),
        Said::Moved(wid) => changed(wid, WindowChange::Geometry { position, size: size(number) }),
        Said::Resized(wid) => changed(wid, WindowChange::Geometry { position: None, size: size(number) }),
        Said::State(wid) => {
            let state = WindowState { maximized: number.is_multiple_of(2), ..WindowState::default() };
            changed(wid, WindowChange::State(state))
        }
        Said::Cursor => SessionEvent::Pointer(PointerEvent::Cursor(CursorShape::Default)),
        Said::Bell => SessionEvent::Window(WindowEvent::Bell {
            wid: None,
            percent: 1,
            pitch: number as i32,
            duration_ms: 1,
        }),
        Said::LoggingIn => SessionEvent::Connection(ConnectionEvent::LoggingIn),
    }
}

/// What an application knows that hears these events. Anything about a window that it does not know is a fault.
#[derive(Debug, Default, PartialEq)]
struct Known {
    windows: BTreeMap<u64, Window>,
    logins: u32,
    pitch: i32,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Window {
    title: String,
    position: Option<Point>,
    size: Size,
    state: WindowState,
}

impl Known {
    fn hear(&mut self, event: SessionEvent) {
        match event {
            SessionEvent::Window(WindowEvent::Created(info)) => {
                let window = Window { title: info.title, ..Window::default() };
                assert!(
                    self.windows.insert(info.wid.0, window).is_none(),
                    "window {} is there already",
                    info.wid
                );
            }
            SessionEvent::Window(WindowEvent::Destroyed { wid }) => {
                assert!(self.windows.remove(&wid.0).is_some(), "window {wid} is not there");
            }
            SessionEvent::Window(WindowEvent::Changed { wid, change }) => {
                let window = self.windows.get_mut(&wid.0).expect("a window that is there");
                match change {
                    WindowChange::Title(title) => window.title = title,
                    WindowChange::State(state) => window.state = state,
                    WindowChange::Geometry { position, size } => {
                        window.position = position.or(window.position);
                        window.size = size;
                    }
                    other => panic!("{other:?}"),
                }
            }
            SessionEvent::Connection(ConnectionEvent::LoggingIn) => self.logins += 1,
            SessionEvent::Window(WindowEvent::Bell { pitch, .. }) => self.pitch = pitch,
            SessionEvent::Pointer(PointerEvent::Cursor(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

fn next(mailbox: &Mailbox) -> Option<SessionEvent> {
    match mailbox.try_pop()? {
        AppEvent::Session(event) => Some(event),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn what_comes_out_says_the_same(
        said in prop::collection::vec((said(), 0_usize..3), 1..300),
    ) {
        let mailbox = Mailbox::default();
        let (mut all, mut heard) = (Known::default(), Known::default());
        for (number, (said, taken)) in (0..).zip(said) {
            // As the session says it: only of windows that are there.
            let fits = match said {
                Said::Create(wid) => !all.windows.contains_key(&wid),
                Said::Destroy(wid) | Said::Title(wid) | Said::Moved(wid) | Said::Resized(wid) | Said::State(wid) => {
                    all.windows.contains_key(&wid)
                }
                Said::Cursor | Said::Bell | Said::LoggingIn => true,
            };
            if !fits {
                continue;
            }
            all.hear(event(said, number));
            mailbox.push(AppEvent::Session(event(said, number)));
            (0..taken).filter_map(|_| next(&mailbox)).for_each(|event| heard.hear(event));
        }
        while let Some(event) = next(&mailbox) {
            heard.hear(event);
        }
        prop_assert_eq!(heard, all);
        prop_assert_eq!(mailbox.load(), (0, 0));
    }
}

#[test]
fn the_newest_of_each_kind_stands_where_it_was_said() {
    let mailbox = Mailbox::default();
    let sent = [Said::Title(1), Said::Title(2), Said::State(1), Said::Title(1), Said::Bell, Said::Title(1)];
    for (number, said) in (0..).zip(sent) {
        mailbox.push(AppEvent::Session(event(said, number)));
    }
    let mut seen = Vec::new();
    while let Some(event) = next(&mailbox) {
        seen.push(match event {
            SessionEvent::Window(WindowEvent::Changed { wid, change: WindowChange::Title(title) }) => {
                format!("{wid} {title}")
            }
            SessionEvent::Window(WindowEvent::Changed { wid, .. }) => format!("{wid} state"),
            SessionEvent::Window(WindowEvent::Bell { .. }) => "bell".to_owned(),
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(seen, ["2 title 1", "1 state", "bell", "1 title 5"]);
}

#[test]
fn it_is_full_by_number_and_by_weight_and_says_when_there_is_room() {
    let window = |wid, icon| {
        let info = WindowInfo { icon, ..WindowInfo::new(WindowId(wid)) };
        AppEvent::Session(SessionEvent::Window(WindowEvent::Created(Box::new(info))))
    };
    let icon = |len: usize| {
        let (encoding, data) = ("png".to_owned(), vec![0; len].into());
        Some(Image { width: 1, height: 1, encoding, rowstride: 0, data })
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    for (len, least, most) in
        [(0, 500, MAX_EVENTS as u64), (1 << 20, MAX_BYTES as u64 >> 21, MAX_BYTES as u64 >> 20)]
    {
        let mailbox = Mailbox::default();
        let mut pushed = 0;
        while !mailbox.is_full() {
            pushed += 1;
            mailbox.push(window(pushed, icon(len)));
        }
        assert!((least..=most).contains(&pushed), "full at {pushed}");
        let waits = || runtime.block_on(async { tokio::time::timeout(Duration::ZERO, mailbox.room()).await });
        assert!(waits().is_err(), "there is no room yet");
        let mut taken = 0;
        while mailbox.is_full() {
            assert!(mailbox.try_pop().is_some(), "it is full of something");
            taken += 1;
        }
        assert!(taken >= pushed / 3, "room after {taken} of {pushed}");
        assert!(waits().is_ok(), "there is room");
    }
}

#[test]
fn the_end_of_the_session_comes_before_windows_that_nobody_has_seen() {
    let mailbox = Mailbox::default();
    for wid in 1..=500 {
        mailbox.push(AppEvent::Session(event(Said::Create(wid), 0)));
        mailbox.push(AppEvent::Session(event(Said::Title(wid), 0)));
    }
    assert!(matches!(next(&mailbox), Some(SessionEvent::Window(WindowEvent::Created(_)))));
    mailbox.push(AppEvent::Session(SessionEvent::Connection(ConnectionEvent::Closed(CloseReason::User))));
    assert!(matches!(
        next(&mailbox),
        Some(SessionEvent::Connection(ConnectionEvent::Closed(CloseReason::User)))
    ));
    assert!(mailbox.is_empty());
}

/// A window of a lost connection is known already when the next one tells of it.
#[test]
fn a_window_that_is_kept_is_known() {
    let kept = || {
        let info = WindowInfo::new(WindowId(1));
        SessionEvent::Window(WindowEvent::Kept(Box::new(info)))
    };
    let gone = || SessionEvent::Window(WindowEvent::Destroyed { wid: WindowId(1) });
    let mailbox = Mailbox::default();
    let push = |event| mailbox.push(AppEvent::Session(event));
    push(event(Said::Create(1), 1));
    next(&mailbox);
    push(kept());
    push(gone());
    assert!(matches!(next(&mailbox), Some(SessionEvent::Window(WindowEvent::Destroyed { .. }))));
    assert!(next(&mailbox).is_none());
    // Nobody heard of this one.
    for said in [event(Said::Create(1), 1), kept(), gone()] {
        push(said);
    }
    assert!(next(&mailbox).is_none());
}
