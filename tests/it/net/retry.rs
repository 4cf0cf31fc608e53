//! When a lost session is tried to get back into: the plan, without waiting for it.

use std::time::{Duration, Instant};

use farpane::channel::clock;
use farpane::net::retry::RetryPlan;

const MINUTE: Duration = Duration::from_secs(60);

/// The delays of so many attempts, each of which takes a moment and fails.
fn delays(plan: &mut RetryPlan, now: &mut Instant, count: usize) -> Vec<u128> {
    let mut delays = Vec::new();
    for _ in 0..count {
        let due = plan.lost(*now);
        delays.push((due - *now).as_millis());
        plan.tries(due);
        *now = due + Duration::from_millis(30);
    }
    delays
}

#[test]
fn attempts_come_less_and_less_and_go_on() {
    let (mut plan, mut now) = (RetryPlan::default(), clock::now());
    plan.accepted(now);
    now += MINUTE;
    assert_eq!(delays(&mut plan, &mut now, 9), [100, 500, 1000, 2000, 5000, 10_000, 10_000, 10_000, 10_000]);
    assert_eq!(delays(&mut plan, &mut now, 1000).last(), Some(&10_000));
}

#[test]
fn a_good_connection_begins_the_plan_anew_and_a_short_one_does_not() {
    let (mut plan, mut now) = (RetryPlan::default(), clock::now());
    plan.accepted(now);
    now += MINUTE;
    assert_eq!(delays(&mut plan, &mut now, 3), [100, 500, 1000]);
    plan.accepted(now);
    now += Duration::from_millis(100);
    assert_eq!(delays(&mut plan, &mut now, 1), [2000], "who takes us in to drop us is tried less and less");
    plan.accepted(now);
    now += Duration::from_secs(1);
    assert_eq!(delays(&mut plan, &mut now, 2), [100, 500]);
}

#[test]
fn another_network_is_tried_at_once_but_not_all_the_time() {
    let (mut plan, mut now) = (RetryPlan::default(), clock::now());
    assert_eq!(delays(&mut plan, &mut now, 6).last(), Some(&10_000));
    plan.lost(now);
    now += Duration::from_secs(3);
    assert_eq!(plan.network_changed(now), now);
    plan.tries(now);
    now += Duration::from_millis(10);
    plan.lost(now);
    let first = plan.network_changed(now);
    assert!(first >= now && first <= now + Duration::from_millis(500), "soon");
    let later = now + Duration::from_millis(50);
    assert_eq!(plan.network_changed(later), first, "a crowd of changes is one");
    plan.tries(first);
    let again = plan.network_changed(first);
    assert!(again >= first + Duration::from_millis(490), "not at once after the last attempt");
}

/// What a server that stood still makes of attempts that were given up: each can throw this client out once, and soon.
#[test]
fn attempts_that_were_given_up_are_ones_own() {
    let (mut plan, now) = (RetryPlan::default(), clock::now());
    assert!(!plan.is_own_doing(now), "somebody else's");
    plan.gave_up();
    plan.gave_up();
    plan.accepted(now);
    assert_eq!([1, 2, 3].map(|_| plan.is_own_doing(now)), [true, true, false]);
    plan.gave_up();
    plan.accepted(now);
    assert!(!plan.is_own_doing(now + MINUTE), "after a minute it is somebody else");
    plan.gave_up();
    plan.accepted(now);
    plan.lost(now + MINUTE);
    assert!(!plan.is_own_doing(now + MINUTE), "a connection lasted since");
}
