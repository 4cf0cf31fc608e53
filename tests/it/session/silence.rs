//! A server that stands still is missed soon by somebody who waits for an answer, later by others, and never without a reason.

use std::time::Duration;

use farpane::protocol::Dialect;
use farpane::protocol::packet::connection::{self, PingEcho};
use farpane::protocol::packet::{ClientPacket, ServerPacket};
use farpane::session::{
    CloseReason, ConnectionEvent, ConnectionInput, Input, Output, PointerInput, SessionEvent,
};
use proptest::prelude::*;

use super::{Driver, setup};

const STEP: Duration = Duration::from_millis(50);

/// A running session whose server answers pings, or does not.
struct Line {
    driver: Driver,
    answers: bool,
    /// What was said of silence, and when.
    said: Vec<(Duration, Option<Duration>)>,
    /// Since it ran.
    time: Duration,
    pings: usize,
    closed: Option<CloseReason>,
}

impl Line {
    fn new() -> Self {
        let driver = Driver::running(setup(Dialect::Modern));
        let mut line =
            Self { driver, answers: true, said: Vec::new(), time: Duration::ZERO, pings: 0, closed: None };
        // The first ping is due at once.
        line.pass(STEP);
        line
    }

    fn look(&mut self) {
        let mut is_answered = false;
        for output in self.driver.take() {
            match output {
                Output::Send(ClientPacket::Connection(connection::ToServer::Ping { monotonic_ms })) => {
                    self.pings += 1;
                    if self.answers {
                        let echo = PingEcho { monotonic_ms, load: [0; 3], latency_ms: 1, sid: None };
                        self.driver.packet(ServerPacket::Connection(connection::FromServer::PingEcho(echo)));
                        is_answered = true;
                    }
                }
                Output::Event(SessionEvent::Connection(ConnectionEvent::Silence(since))) => {
                    self.said.push((self.time, since.map(|since| self.driver.now - since)));
                }
                Output::Close(reason) => self.closed = Some(reason),
                _ => {}
            }
        }
        if is_answered {
            self.look();
        }
    }

    /// Lets time pass as the network task does: a timeout is handled when it is due.
    fn pass(&mut self, time: Duration) {
        let end = self.time + time;
        while self.time < end && self.closed.is_none() {
            self.time += STEP;
            self.driver.now += STEP;
            if self.driver.session.next_timeout().is_some_and(|due| due <= self.driver.now) {
                self.driver.pass(Duration::ZERO);
            }
            self.look();
        }
    }

    fn click(&mut self) {
        let pointer = Default::default();
        self.input(PointerInput::Button { button: 1, pressed: true, pointer }.into());
    }

    fn input(&mut self, input: Input) {
        self.driver.input(input);
        self.look();
    }
}

#[test]
fn a_click_is_answered_within_two_seconds_or_that_is_said() {
    let mut line = Line::new();
    line.pass(Duration::from_secs(20));
    line.click();
    line.pass(Duration::from_secs(3));
    assert_eq!(line.said, [], "it was answered");
    line.answers = false;
    line.click();
    let clicked = line.time;
    line.pass(Duration::from_secs(4));
    let [(said, Some(silence))] = line.said[..] else { panic!("{:?}", line.said) };
    let waited = said - clicked;
    // The ping behind a click may have to wait for half a second after the last one.
    assert!((1950..=2600).contains(&waited.as_millis()), "said after {waited:?}");
    assert!(silence <= waited && silence >= Duration::from_secs(2), "{silence:?}");
    // Any word ends it.
    line.driver.packet(ServerPacket::Connection(connection::FromServer::StartupComplete));
    line.look();
    assert_eq!(line.said.last().map(|(_, silence)| *silence), Some(None));
    assert_eq!(line.said.len(), 2, "said once each: {:?}", line.said);
}

#[test]
fn who_waits_for_nothing_hears_of_it_later() {
    let mut line = Line::new();
    line.pass(Duration::from_secs(20));
    line.answers = false;
    let since = line.time;
    line.pass(Duration::from_secs(30));
    let [(said, Some(silence))] = line.said[..] else { panic!("{:?}", line.said) };
    // Pings are three seconds apart.
    assert!((9_900..=13_200).contains(&(said - since).as_millis()), "after {:?}", said - since);
    assert!(silence >= Duration::from_secs(10), "{silence:?}");
}

/// A large packet on a slow line is an answer on its way.
#[test]
fn bytes_are_a_sign_of_life() {
    let mut line = Line::new();
    line.pass(Duration::from_secs(5));
    line.answers = false;
    line.click();
    for _ in 0..600 {
        line.pass(Duration::from_millis(100));
        line.driver.session.receiving(line.driver.now, &mut Vec::new());
    }
    assert_eq!((line.said.len(), &line.closed), (0, &None), "{:?}", line.said);
}

/// Some servers may answer no pings.
#[test]
fn a_server_that_never_answered_is_not_missed() {
    let mut driver = Driver::running(setup(Dialect::Modern));
    for _ in 0..20 {
        driver.pass(Duration::from_secs(1));
        driver.input(PointerInput::Button { button: 1, pressed: true, pointer: Default::default() });
    }
    let silence =
        |event: &SessionEvent| matches!(event, SessionEvent::Connection(ConnectionEvent::Silence(_)));
    assert_eq!(driver.events().iter().filter(|event| silence(event)).count(), 0);
}

#[test]
fn it_can_be_given_up_while_it_lasts_and_not_before() {
    let mut line = Line::new();
    line.pass(Duration::from_secs(5));
    line.input(ConnectionInput::TryNow.into());
    assert_eq!(line.closed, None);
    line.answers = false;
    line.click();
    line.pass(Duration::from_secs(12));
    line.input(ConnectionInput::TryNow.into());
    let Some(CloseReason::Timeout(words)) = &line.closed else { panic!("{:?}", line.closed) };
    assert!(words.contains("silent for 1"), "{words}");
}

#[test]
fn clicks_do_not_become_a_flood_of_pings() {
    let mut line = Line::new();
    line.pass(Duration::from_secs(5));
    let before = line.pings;
    for _ in 0..200 {
        line.click();
        line.pass(STEP);
    }
    let answered = line.pings - before;
    assert!((18..=22).contains(&answered), "{answered} in 10 s");
    line.answers = false;
    let before = line.pings;
    for _ in 0..200 {
        line.click();
        line.pass(STEP);
    }
    assert!(line.pings - before <= 5, "{} in 10 s without an answer", line.pings - before);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    /// Whatever happens in whatever order: silence is said of if and only if no answer came for as long, begins and ends in
    /// turns, and is over when the server answers.
    #[test]
    fn what_is_said_is_true(steps in proptest::collection::vec((0_u8..4, 1_u32..60), 1..40)) {
        let mut line = Line::new();
        line.pass(Duration::from_secs(4));
        let mut dead_for = Duration::ZERO;
        for (what, length) in steps {
            match what {
                0 => line.answers = !line.answers,
                1 => line.click(),
                _ => {}
            }
            let before = line.said.len();
            line.pass(STEP * length);
            if line.closed.is_some() {
                break;
            }
            dead_for = if line.answers { Duration::ZERO } else { dead_for + STEP * length };
            for (_, silence) in &line.said[before..] {
                prop_assert!(silence.is_none_or(|silence| silence >= Duration::from_secs(2)), "{silence:?}");
            }
            prop_assert!(dead_for < Duration::from_millis(13_200) || line.said.last().is_some_and(|last| last.1.is_some()));
        }
        if line.closed.is_none() {
            line.answers = true;
            line.pass(Duration::from_secs(4));
            // It may have been given up before the next ping.
            let is_over = line.said.last().is_none_or(|(_, silence)| silence.is_none());
            prop_assert!(is_over || line.closed.is_some(), "{:?}", line.said);
        }
        for pair in line.said.windows(2) {
            prop_assert!(pair[0].1.is_some() != pair[1].1.is_some());
        }
    }
}
