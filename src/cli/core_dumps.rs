//! Passwords stay in this process.

use rustix::process::{DumpableBehavior, set_dumpable_behavior};

/// Allows core dumps, debuggers and profilers.
const VARIABLE: &str = "FARPANE_CORE_DUMPS";

/// Makes that a crash leaves no core dump, and that other processes of the account cannot look into this one
/// (`PR_SET_DUMPABLE`, prctl(2)). Programs that are started are not concerned.
pub fn refuse() {
    if std::env::var_os(VARIABLE).is_some_and(|value| value == "yes") {
        return;
    }
    // Nothing is lost but this: it fails on no system that is known.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}
