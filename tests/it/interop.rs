//! Against real Xpra servers of both generations, under private virtual displays.
//!
//! Most tests show a [`Card`](crate::support::card::Card): an X window that the test itself draws on the
//! server's display, so that it knows every pixel and sees every event that arrives there.

mod alpha;
mod attach;
mod clipboard;
mod commands;
mod connect;
mod connect_list;
mod connect_saved;
mod encodings;
mod encryption;
mod endings;
mod far;
mod full_screen;
mod greeting;
mod header_bars;
mod held_keys;
mod input;
mod instant_replay;
mod kept_passwords;
mod keyboard;
mod leaving;
mod logins;
mod menu_entries;
mod monitors;
mod nearby;
mod overlay;
mod passwords;
mod pictures;
mod places;
mod programs;
mod proxy;
mod quic;
mod reattach;
mod reconnect;
mod resolution;
mod scaling;
#[cfg(feature = "test-servers")]
mod servers;
mod session_card;
mod session_info;
mod session_menu;
mod shapes;
mod silence;
mod sizes;
mod ssh;
mod ssh_logins;
mod starts;
mod through_proxies;
mod titles;
#[cfg(feature = "test-programs")]
mod toolkits;
mod transports;
mod trust;
mod video;
mod windows;

use std::time::Duration;

use crate::support::xpra::{Generation, Options, XpraServer};

/// How long a change may take to get from one side to the other on a busy machine.
const SOON: Duration = Duration::from_secs(45);

/// A session without any windows.
#[track_caller]
fn empty_session(generation: Generation) -> XpraServer {
    XpraServer::start(generation, &Options::default())
}

/// Makes one test for each kind of server out of a function that takes one.
macro_rules! for_every_server {
    ($($test:ident),+ $(,)?) => {
        $(
            mod $test {
                use crate::support::xpra::Generation;

                #[test]
                fn v3_1() {
                    super::$test(Generation::V3_1);
                }

                #[test]
                fn v6_5() {
                    super::$test(Generation::V6_5);
                }

                #[test]
                fn v6_5_modern() {
                    super::$test(Generation::V6_5Modern);
                }
            }
        )+
    };
}
use for_every_server;
