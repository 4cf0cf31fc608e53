//! Contents in pieces, without X.

use farpane::desktop::x11::selections::incr::{Piece, Receiving, Sending, Shape};
use farpane::session::clipboard::Unreadable;

use super::desk::noise;

fn pieces(len: usize, piece: usize) -> Vec<Vec<u8>> {
    let mut sending = Sending::new(noise(len).into(), piece);
    assert_eq!(sending.announced() as usize, len);
    let mut pieces = Vec::new();
    while let Some(piece) = sending.next_piece() {
        pieces.push(piece.to_vec());
    }
    assert!(sending.next_piece().is_none(), "nothing comes after the end");
    pieces
}

#[test]
fn what_is_sent_is_the_whole_and_an_empty_end() {
    for (len, piece, count) in [(0, 10, 1), (1, 10, 2), (10, 10, 2), (11, 10, 3), (1000, 7, 144), (3, 0, 4)] {
        let pieces = pieces(len, piece);
        assert_eq!(pieces.len(), count, "{len} in {piece}");
        assert_eq!(pieces.concat(), noise(len));
        let empty = pieces.iter().position(Vec::is_empty).expect("an end");
        assert_eq!(empty, pieces.len() - 1, "the only empty one is the last");
    }
}

fn shape(len: usize) -> Shape {
    Shape { kind: 31, bits: 8, len }
}

#[test]
fn what_is_received_is_what_was_sent() {
    for piece in [1, 10, 999, 1000, 4000] {
        let mut receiving = Receiving::new(1000);
        for bytes in pieces(1000, piece) {
            match receiving.announce(shape(bytes.len())).expect("it fits") {
                // Pieces may come in parts.
                Piece::Take => bytes.chunks(333).for_each(|part| {
                    receiving.push(part.to_vec()).expect("it fits");
                }),
                Piece::End => assert!(bytes.is_empty()),
            }
        }
        assert_eq!(receiving.finish(), (31, 8, noise(1000)));
    }
}

#[test]
fn nothing_at_all_has_the_type_of_its_end() {
    let mut receiving = Receiving::new(10);
    assert_eq!(receiving.announce(shape(0)), Ok(Piece::End));
    assert_eq!(receiving.finish(), (31, 8, vec![]));
}

#[test]
fn what_is_too_much_is_seen_before_it_is_fetched() {
    let mut receiving = Receiving::new(1000);
    assert_eq!(receiving.announce(shape(1001)), Err(Unreadable::TooLarge));
    let mut receiving = Receiving::new(1000);
    assert_eq!(receiving.announce(shape(600)), Ok(Piece::Take));
    receiving.push(noise(600)).expect("it fits");
    assert_eq!(receiving.announce(shape(401)), Err(Unreadable::TooLarge));
    // It grew after it was announced.
    let mut receiving = Receiving::new(1000);
    assert_eq!(receiving.announce(shape(600)), Ok(Piece::Take));
    assert_eq!(receiving.push(noise(1001)), Err(Unreadable::TooLarge));
}

#[test]
fn pieces_of_another_type_are_refused() {
    let mut receiving = Receiving::new(1000);
    assert_eq!(receiving.announce(shape(6)), Ok(Piece::Take));
    assert_eq!(receiving.announce(Shape { kind: 4, ..shape(6) }), Err(Unreadable::Refused));
    let mut receiving = Receiving::new(1000);
    assert_eq!(receiving.announce(shape(6)), Ok(Piece::Take));
    assert_eq!(receiving.announce(Shape { bits: 32, ..shape(6) }), Err(Unreadable::Refused));
}
