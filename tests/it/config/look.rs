//! `--title` and `--border`: how windows show whose they are.

use farpane::channel::Border;
use farpane::config::{BorderChoice, Names, TitleFormat};

use crate::support::viewer::config;

fn filled(format: &str) -> Result<String, String> {
    let format: TitleFormat =
        format.parse().map_err(|error: farpane::config::TitleError| error.to_string())?;
    Ok(format.fill(Names { title: "notes", server: "box", session: "work", address: "ssh://box/7" }))
}

#[test]
fn titles_are_filled_in() {
    let check = |format: &str, expect: &str| assert_eq!(filled(format).as_deref(), Ok(expect), "{format}");
    check("{title} on {server}", "notes on box");
    check("{session}: {title} ({address})", "work: notes (ssh://box/7)");
    // As Xpra's clients have it.
    check("@title@ on @client-machine@", "notes on box");
    check("@title@ on @hostinfo@", "notes on box");
    check("me@home {x y} 50% @ {", "me@home {x y} 50% @ {");
    check("", "");
    let refused = |format: &str| filled(format).expect_err(format);
    assert!(refused("{titel}").contains("{titel}") && refused("{titel}").contains("{title}"));
    assert!(refused("@windowid@").contains("@windowid@"));
    assert_eq!(config(&["tcp://x/"]).title.to_string(), "{title} on {server}", "the default");
}

#[test]
fn borders_are_understood() {
    let border = |text: &str| text.parse::<BorderChoice>().map(|choice| choice.border("tcp://x/"));
    let of = |color, width| Ok(Some(Border { color, width }));
    assert_eq!(border("#ff8000,7"), of([0xff, 0x80, 0], 7));
    assert_eq!(border("#FF8000"), of([0xff, 0x80, 0], 4));
    assert_eq!(border("white, 45"), of([0xff; 3], 45));
    for off in ["off", "none", "no", "#ff8000,0", "auto,5:off"] {
        assert_eq!(border(off), Ok(None), "{off}");
    }
    for wrong in ["", "#ff80", "#gg0000", "mauve", "red,46", "red,-1", "red,x", "#ff8000x", "#ff80é"] {
        let words = border(wrong).expect_err(wrong).to_string();
        assert!(words.contains("#rrggbb, black, blue") && words.contains("yellow"), "{words}");
    }
    // The same for a server each time, and not the same for all.
    let auto = |address: &str| "auto,9".parse::<BorderChoice>().expect("auto").border(address);
    assert_eq!(auto("tcp://a/"), auto("tcp://a/"));
    let colors: std::collections::BTreeSet<_> =
        (0..20).filter_map(|n| Some(auto(&format!("tcp://host{n}/"))?.color)).collect();
    assert!(colors.len() > 3, "{colors:?}");
    assert_eq!(config(&["tcp://x/"]).border, BorderChoice::Off, "the default");
}
