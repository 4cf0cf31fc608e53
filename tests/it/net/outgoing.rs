//! The two lanes of what waits to be written, against a socket that takes as much as it likes.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use farpane::buffers::Payload;
use farpane::net::outgoing::{Outgoing, Wrote};
use farpane::protocol::Records;
use proptest::prelude::*;
use tokio::io::AsyncWrite;

/// Takes what it has room for.
#[derive(Default)]
struct Socket {
    taken: Vec<u8>,
    room: usize,
    is_vectored: bool,
}

impl Socket {
    fn take(&mut self, parts: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        if self.room == 0 {
            return Poll::Pending;
        }
        let before = self.taken.len();
        let bytes = parts.iter().flat_map(|part| part.iter());
        self.taken.extend(bytes.take(self.room));
        let len = self.taken.len() - before;
        self.room -= len;
        Poll::Ready(Ok(len))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.take(&[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = parts.iter().position(|part| !part.is_empty()).expect("something to write");
        let parts = if self.is_vectored { parts } else { &parts[first..=first] };
        self.take(parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.is_vectored
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[derive(Clone, Debug)]
enum Act {
    /// A packet of so many bytes that is no bulk.
    Control(usize),
    /// There is a packet of bulk data, with so many bytes in each of its parts.
    Bulk(usize, usize, usize),
    /// The socket has room for so many bytes, and is written to until it takes no more.
    Room(usize),
}

fn act() -> impl Strategy<Value = Act> {
    let room = prop_oneof![0_usize..40, 0_usize..5000, Just(1 << 20)];
    let data = prop_oneof![Just(0_usize), 1_usize..3000, Just(600_000_usize)];
    prop_oneof![
        3 => (1_usize..100).prop_map(Act::Control),
        2 => (0_usize..9, data, 1_usize..50).prop_map(|(head, data, tail)| Act::Bulk(head, data, tail)),
        4 => room.prop_map(Act::Room),
    ]
}

/// Everything that goes out is `len` times `number`, so that what comes first is seen.
struct World {
    outgoing: Outgoing,
    socket: Socket,
    /// The bytes in the order in which they have to arrive: of packets that are no bulk, with the number of bulk
    /// packets that were begun before them, and of these themselves.
    control: Vec<(usize, Vec<u8>)>,
    bulk: Vec<Vec<u8>>,
    begun: usize,
}

impl World {
    fn act(&mut self, number: u8, act: &Act) {
        match *act {
            Act::Control(len) => {
                self.outgoing.buffer().extend(vec![number; len]);
                self.control.push((self.begun, vec![number; len]));
            }
            Act::Bulk(head, data, tail) if self.outgoing.is_empty() => {
                let records = Records {
                    head: vec![number; head],
                    data: (data > 0).then(|| Payload::from(vec![!number; data])),
                    tail: vec![number; tail],
                };
                self.outgoing.set_bulk(records, false);
                self.bulk.push([vec![number; head], vec![!number; data], vec![number; tail]].concat());
            }
            Act::Bulk(..) => {}
            Act::Room(bytes) => {
                self.socket.room += bytes;
                self.write();
            }
        }
        let whole: usize = self.control.iter().map(|(_, bytes)| bytes.len()).sum();
        assert!(self.outgoing.waiting_bytes() <= whole, "only what is no bulk is counted");
    }

    fn write(&mut self) {
        while !self.outgoing.is_empty() {
            let was_idle = self.outgoing.is_idle();
            let before = self.socket.taken.len();
            let polled = self.outgoing.poll_write(&mut self.socket, &mut Context::from_waker(Waker::noop()));
            let Poll::Ready(wrote) = polled else { return };
            let bytes = match wrote.expect("the socket is well") {
                Wrote::Control(bytes) => {
                    assert!(!self.outgoing.take_readers_turn());
                    bytes
                }
                Wrote::Bulk(bytes) => {
                    assert!(self.outgoing.take_readers_turn(), "who reads has a turn after each");
                    assert!(bytes <= 256 << 10, "{bytes} bytes at once");
                    self.begun += usize::from(was_idle);
                    bytes
                }
            };
            assert_eq!(self.socket.taken.len(), before + bytes);
        }
    }
}

proptest! {
    #[test]
    fn packets_stay_whole_and_bulk_waits_for_the_others(
        acts in prop::collection::vec(act(), 1..60),
        is_vectored in any::<bool>(),
    ) {
        let mut world = World {
            outgoing: Outgoing::default(),
            socket: Socket { is_vectored, ..Socket::default() },
            control: Vec::new(),
            bulk: Vec::new(),
            begun: 0,
        };
        for (number, act) in (0..).zip(&acts) {
            world.act(number, act);
        }
        world.socket.room = usize::MAX;
        world.write();
        let World { socket, control, bulk, begun, outgoing } = world;
        prop_assert_eq!(begun, bulk.len());
        prop_assert_eq!(outgoing.waiting_bytes(), 0);
        let mut expected: Vec<u8> = Vec::new();
        for index in 0..=bulk.len() {
            let before = control.iter().filter(|(begun, _)| *begun == index);
            before.for_each(|(_, bytes)| expected.extend(bytes));
            bulk.get(index).into_iter().for_each(|bytes| expected.extend(bytes));
        }
        prop_assert!(socket.taken == expected, "another order");
    }
}

/// One cipher runs through all records: what is written later is sent later, and what is in the cipher is not given up.
#[test]
fn bulk_that_is_enciphered_keeps_its_turn() {
    let mut outgoing = Outgoing::default();
    let mut socket = Socket { room: 100, ..Socket::default() };
    let records = Records { head: vec![1; 4], data: Some(Payload::from(vec![2; 4])), tail: vec![3; 4] };
    outgoing.set_bulk(records, true);
    outgoing.buffer().extend([4; 4]);
    outgoing.forget_bulk();
    assert!(!outgoing.is_idle(), "something goes first");
    while !outgoing.is_empty() {
        let wrote = outgoing.poll_write(&mut socket, &mut Context::from_waker(Waker::noop()));
        assert!(matches!(wrote, Poll::Ready(Ok(_))), "there is room");
    }
    assert_eq!(socket.taken, [[1; 4], [2; 4], [3; 4], [4; 4]].concat());
}
