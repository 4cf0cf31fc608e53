//! Every draw is acknowledged exactly once, and honestly.

use std::collections::HashMap;

use farpane::protocol::Dialect;
use farpane::protocol::limits::SCROLL_COVER;
use farpane::protocol::packet::draw::{
    self, DrawAck, DrawOptions, DrawOutcome, Encoding, ScrollRect, WindowDraw,
};
use farpane::protocol::packet::window;
use farpane::protocol::packet::{ClientPacket, ServerPacket};
use farpane::protocol::packet::{DrawSequence, WindowId};
use farpane::session::draw_ledger::MAX_DRAWS_IN_FLIGHT;
use farpane::session::windows::MAX_WINDOW_SIDE;
use farpane::session::{CloseReason, DrawDone, DrawRequest, Output};
use proptest::prelude::*;

use super::{Driver, setup};

pub(super) fn draw(wid: u64, sequence: u64, encoding: Encoding) -> ServerPacket {
    ServerPacket::Draw(draw::FromServer::Draw(WindowDraw {
        wid: WindowId(wid),
        x: 3,
        y: -4,
        width: 20,
        height: 10,
        encoding,
        data: vec![1, 2, 3].into(),
        sequence: DrawSequence(sequence),
        rowstride: 80,
        options: DrawOptions::default(),
    }))
}

fn done(request: &DrawRequest, outcome: DrawOutcome) -> DrawDone {
    DrawDone {
        wid: request.wid,
        sequence: request.sequence,
        size: super::size(request.rect.width, request.rect.height),
        encoding: request.encoding,
        outcome,
        trace: request.trace,
    }
}

/// What comes out of one draw.
fn requests(outputs: Vec<Output>) -> Vec<DrawRequest> {
    let request = |output| match output {
        Output::Draw(request) => Some(request),
        _ => None,
    };
    outputs.into_iter().filter_map(request).collect()
}

fn acks(driver: &mut Driver) -> Vec<DrawAck> {
    let ack = |packet| match packet {
        ClientPacket::Draw(draw::ToServer::Ack(ack)) => Some(ack),
        _ => None,
    };
    driver.sent().into_iter().filter_map(ack).collect()
}

impl Driver {
    fn finish(&mut self, done: &DrawDone) -> Vec<DrawAck> {
        self.done(done);
        acks(self)
    }
}

#[test]
fn outcomes_reach_the_server_unchanged() {
    let mut driver = Driver::running(setup(Dialect::Modern));
    driver.window(5, 0, 0, 100, 100);
    let long = "x".repeat(1000);
    let cases = [
        (DrawOutcome::Presented { decode_us: 1234 }, DrawOutcome::Presented { decode_us: 1234 }),
        (DrawOutcome::Presented { decode_us: 0 }, DrawOutcome::Presented { decode_us: 1 }),
        (DrawOutcome::Skipped, DrawOutcome::Skipped),
        (DrawOutcome::Error { message: long }, DrawOutcome::Error { message: "x".repeat(200) }),
    ];
    for (sequence, (outcome, expect)) in (1..).zip(cases) {
        let outputs = driver.packet(draw(5, sequence, Encoding::Rgb32)).take();
        let [request] = &requests(outputs)[..] else { panic!("one draw is one request") };
        assert_eq!((request.rect.x, request.rect.y, request.rowstride), (3, -4, 80));
        assert_eq!((request.encoding, request.trace.pixels), (Encoding::Rgb32, 200));
        let ack = driver.finish(&done(request, outcome));
        let sequence = DrawSequence(sequence);
        assert_eq!(ack, [DrawAck { wid: WindowId(5), sequence, width: 20, height: 10, outcome: expect }]);
        assert_eq!(driver.session.draws_in_flight(), 0);
    }
}

#[test]
fn draws_of_unknown_windows_are_answered_at_once() {
    let mut driver = Driver::running(setup(Dialect::Modern));
    driver.packet(draw(9, 1, Encoding::Png));
    let [ack] = &acks(&mut driver)[..] else { panic!("one acknowledgement") };
    assert_eq!(
        (ack.wid, ack.sequence, &ack.outcome),
        (WindowId(9), DrawSequence(1), &DrawOutcome::WindowNotFound)
    );
}

#[test]
fn a_window_that_goes_takes_no_acknowledgement_with_it() {
    let mut driver = Driver::running(setup(Dialect::Modern));
    driver.window(5, 0, 0, 100, 100);
    let outputs = driver.packet(draw(5, 1, Encoding::Png)).take();
    let [request] = &requests(outputs)[..] else { panic!("one draw is one request") };
    driver.packet(ServerPacket::Window(window::FromServer::Destroy { wid: WindowId(5) }));
    assert!(acks(&mut driver).is_empty(), "the decoders still have it");
    let [ack] = &driver.finish(&done(request, DrawOutcome::Presented { decode_us: 9 }))[..] else {
        panic!("one acknowledgement");
    };
    assert_eq!(ack.outcome, DrawOutcome::WindowNotFound);
}

#[test]
fn encodings_that_were_not_offered_keep_their_place_but_are_refused() {
    let mut setup = setup(Dialect::Modern);
    setup.config.pictures.encodings = vec![Encoding::Png];
    let mut driver = Driver::running(setup);
    driver.window(5, 0, 0, 100, 100);
    let cases = [
        (Encoding::Png, Encoding::Png),
        (Encoding::H264, Encoding::Other),
        (Encoding::Other, Encoding::Other),
        (Encoding::Void, Encoding::Void),
        // What servers fall back to.
        (Encoding::Rgb24, Encoding::Rgb24),
        (Encoding::Rgb32, Encoding::Rgb32),
    ];
    for (sequence, (encoding, expect)) in (1..).zip(cases) {
        let outputs = driver.packet(draw(5, sequence, encoding)).take();
        assert_eq!(requests(outputs)[0].encoding, expect);
    }
    assert_eq!(driver.session.draws_in_flight_of(WindowId(5)), 6);
}

#[test]
fn hostile_draws_are_refused_and_too_many_end_the_session() {
    let mut driver = Driver::running(setup(Dialect::Modern));
    driver.window(5, 0, 0, 100, 100);
    let spoil: [fn(&mut WindowDraw); 6] = [
        |draw| draw.width = MAX_WINDOW_SIDE + 1,
        |draw| (draw.width, draw.height) = (16_000, 16_000),
        |draw| draw.height = 5_000,
        |draw| draw.rowstride = 1 << 30,
        |draw| draw.options.scaled_size = Some((draw.width + 1, 1)),
        |draw| {
            let rect = ScrollRect { x: 0, y: 0, width: 1280, height: 700, dx: 1, dy: 1 };
            draw.options.scroll = vec![rect; 2 * SCROLL_COVER as usize];
        },
    ];
    for spoil in spoil {
        let ServerPacket::Draw(draw::FromServer::Draw(mut bad)) = draw(5, 1, Encoding::Png) else {
            unreachable!()
        };
        spoil(&mut bad);
        driver.packet(ServerPacket::Draw(draw::FromServer::Draw(bad)));
        let sent = driver.sent();
        let [ClientPacket::Draw(draw::ToServer::Ack(ack))] = &sent[..] else {
            panic!("one acknowledgement, not {sent:?}")
        };
        assert!(matches!(ack.outcome, DrawOutcome::Error { .. }), "{ack:?}");
    }
    assert_eq!(driver.session.draws_in_flight(), 0);

    let mut driver = Driver::running(setup(Dialect::Modern));
    driver.window(5, 0, 0, 100, 100);
    for sequence in 0..MAX_DRAWS_IN_FLIGHT {
        driver.packet(draw(5, sequence.try_into().expect("a number"), Encoding::Png)).take();
    }
    driver.packet(draw(5, 0, Encoding::Png));
    assert!(matches!(driver.closed(), CloseReason::Protocol(_)));
}

#[derive(Clone, Debug)]
enum Step {
    Create(u64),
    Destroy(u64),
    Draw {
        wid: u64,
        sequence: u64,
    },
    /// Finishes one of the draws under way, this one counting round.
    Finish(usize),
    /// The pipeline repeats itself.
    FinishAgain(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1..4u64).prop_map(Step::Create),
        (1..4u64).prop_map(Step::Destroy),
        // few numbers, so that some are used twice
        ((1..4u64), (1..6u64)).prop_map(|(wid, sequence)| Step::Draw { wid, sequence }),
        any::<usize>().prop_map(Step::Finish),
        any::<usize>().prop_map(Step::FinishAgain),
    ]
}

proptest! {
    /// Whatever happens to windows meanwhile, in whatever order draws finish: as many
    /// acknowledgements as draws of that window and number, once all are finished.
    #[test]
    fn every_draw_is_acknowledged_exactly_once(steps in proptest::collection::vec(step(), 0..80)) {
        let mut driver = Driver::running(setup(Dialect::Modern));
        let mut expected: HashMap<(u64, u64), i32> = HashMap::new();
        let mut got: HashMap<(u64, u64), i32> = HashMap::new();
        let mut pending: Vec<DrawRequest> = Vec::new();
        let mut finished: Vec<DrawRequest> = Vec::new();
        for step in steps {
            let mut answers = Vec::new();
            match step {
                Step::Create(wid) => { driver.window(wid, 0, 0, 50, 50); }
                Step::Destroy(wid) => {
                    driver.packet(ServerPacket::Window(window::FromServer::Destroy { wid: WindowId(wid) }));
                    answers = acks(&mut driver);
                }
                Step::Draw { wid, sequence } => {
                    *expected.entry((wid, sequence)).or_default() += 1;
                    for output in driver.packet(draw(wid, sequence, Encoding::Rgb24)).take() {
                        match output {
                            Output::Draw(request) => pending.push(request),
                            Output::Send(ClientPacket::Draw(draw::ToServer::Ack(ack))) => answers.push(ack),
                            _ => {}
                        }
                    }
                }
                Step::Finish(index) if !pending.is_empty() => {
                    let request = pending.remove(index % pending.len());
                    answers = driver.finish(&done(&request, DrawOutcome::Presented { decode_us: 5 }));
                    prop_assert_eq!(answers.len(), 1);
                    finished.push(request);
                }
                Step::FinishAgain(index) if !finished.is_empty() => {
                    let request = &finished[index % finished.len()];
                    let twin = pending.iter().any(|p| (p.wid, p.sequence) == (request.wid, request.sequence));
                    if !twin {
                        answers = driver.finish(&done(request, DrawOutcome::Skipped));
                        prop_assert!(answers.is_empty());
                    }
                }
                Step::Finish(_) | Step::FinishAgain(_) => {}
            }
            for ack in answers {
                *got.entry((ack.wid.0, ack.sequence.0)).or_default() += 1;
            }
            prop_assert_eq!(driver.session.draws_in_flight(), pending.len());
        }
        for request in pending {
            for ack in driver.finish(&done(&request, DrawOutcome::Skipped)) {
                *got.entry((ack.wid.0, ack.sequence.0)).or_default() += 1;
            }
        }
        prop_assert_eq!(got, expected);
    }
}
