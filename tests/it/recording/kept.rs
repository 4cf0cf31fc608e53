//! The recordings in `tests/recordings`, which `make.sh` there made from real sessions: each shows
//! at its end what the picture beside it does.

use std::path::Path;

use farpane::player::{AtEnd, Options, Pace};

use super::play;
use crate::support::picture::{Picture, assert_same};

#[test]
fn kept_recordings_show_what_they_showed_when_they_were_made() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
    let kept = [
        ("scrolling-6.5", "scrolling"),
        ("editing-3.1", "editing"),
        ("video-6.5", "video"),
        ("still-3.1", "still"),
    ];
    for (name, title) in kept {
        let file = folder.join(format!("{name}.fpr"));
        let options = Options { file, pace: Pace::FlatOut, window: 16, rounds: 1, at_end: AtEnd::Stay };
        let shown = play::last_picture(options, title);
        let expected = Picture::load(&folder.join(format!("{name}.png")));
        assert_same(&shown, &expected, &format!("recording-{name}"));
    }
}
