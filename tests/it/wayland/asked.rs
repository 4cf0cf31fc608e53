//! Which of the sizes that a compositor sends count.

use std::time::Duration;

use farpane::app::os_size::Asked;
use farpane::channel::clock;
use farpane::geometry::Size;
use winit::dpi::LogicalSize;

const fn size(width: u32, height: u32) -> LogicalSize<u32> {
    LogicalSize::new(width, height)
}

#[test]
fn an_older_size_is_refused_as_often_as_focus_changes() {
    let mut now = clock::now();
    let (first, second, third) = (size(420, 320), size(210, 160), size(300, 200));
    let mut asked = Asked::new(first);
    assert_eq!(asked.found(now, first), None);
    asked.ask(second);
    assert_eq!(asked.found(now, second), None);
    for _ in 0..100 {
        assert_eq!(asked.found(now, first), Some(second));
        now += Duration::from_millis(100);
    }
    asked.ask(third);
    assert_eq!((asked.found(now, first), asked.found(now, second)), (Some(third), Some(third)));
    // What was given up once may be asked for again.
    asked.ask(first);
    assert_eq!((asked.found(now, first), asked.found(now, third)), (None, Some(first)));
}

/// A frame of 301 x 203 pixels was under way when the factor became 2: sway took it for a wish to be 150 x 101 large,
/// and the remote window lost a row and a column.
#[test]
fn a_size_of_old_pixels_at_a_new_factor_is_refused() {
    let now = clock::now();
    let shown = Size { width: 301, height: 203 };
    for (factor, wanted, made) in [
        (2.0, size(151, 102), size(150, 101)),
        (3.0, size(101, 68), size(100, 67)),
        // Not larger than what the window says of itself.
        (1.0, size(300, 202), size(300, 202)),
    ] {
        let mut asked = Asked::new(size(301, 203));
        asked.rescale(wanted, shown, factor);
        assert_eq!(asked.found(now, wanted), None);
        assert_eq!(asked.found(now, made), (made != wanted).then_some(wanted), "{made:?} at {factor}");
        assert_eq!(asked.found(now, size(301, 203)), Some(wanted));
        let dragged = size(90, 60);
        assert_eq!((asked.found(now, dragged), asked.found(now, made)), (None, None), "the user may have it");
    }
}

#[test]
fn a_size_that_the_compositor_chooses_counts() {
    let now = clock::now();
    let (first, second, dragged) = (size(420, 320), size(210, 160), size(211, 160));
    let mut asked = Asked::new(first);
    asked.ask(second);
    assert_eq!(asked.found(now, dragged), None);
    // The user drags on until the window is as large as it was.
    assert_eq!(asked.found(now, first), None);
    assert_eq!(asked.found(now, first), None);
}

#[test]
fn a_compositor_that_insists_has_its_way() {
    let now = clock::now();
    let (first, second) = (size(420, 320), size(210, 160));
    let mut asked = Asked::new(first);
    asked.ask(second);
    let refused = (0..1000).take_while(|_| asked.found(now, first).is_some()).count();
    assert!((1..100).contains(&refused), "{refused}");
    assert_eq!(asked.found(now, first), None);
}

#[test]
fn so_many_sizes_that_the_oldest_are_forgotten_but_the_first_is_known() {
    let now = clock::now();
    let mut asked = Asked::new(size(1, 1));
    (2..=100).for_each(|side| asked.ask(size(side, side)));
    assert_eq!(asked.found(now, size(1, 1)), Some(size(100, 100)));
    assert_eq!(asked.found(now, size(99, 99)), Some(size(100, 100)));
    assert_eq!(asked.found(now, size(3, 3)), None);
}
