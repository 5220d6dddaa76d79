use super::*;

fn by(route: &str) -> Hops {
    Hops(Some((route.to_owned(), ResolverSettings::System.into())))
}

fn limit(most: usize) -> Limit {
    let mut limit = Limit::default();
    limit.change(most);
    limit
}

/// Starts as many as may at once, and says how many.
fn fill(limit: &mut Limit, lane: usize) -> usize {
    let started = (0..1_000)
        .take_while(|who| limit.admits(lane, *who))
        .count();
    limit.forget_unless(|_| false);
    started
}

fn end(limit: &mut Limit, lane: usize, count: usize) {
    for _ in 0..count {
        limit.ends(lane);
    }
}

#[test]
fn what_is_lowered_under_way_is_lowered_when_probes_end() {
    let mut limit = limit(5);
    let lane = limit.join(Hops::SHARED);
    assert_eq!(fill(&mut limit, lane), 5);
    limit.change(2);
    end(&mut limit, lane, 3);
    assert_eq!(fill(&mut limit, lane), 0);
    end(&mut limit, lane, 2);
    assert_eq!(fill(&mut limit, lane), 2);
}

#[test]
fn lowering_and_raising_cancel_out() {
    let mut limit = limit(4);
    let lane = limit.join(Hops::SHARED);
    assert_eq!(fill(&mut limit, lane), 4);
    for most in [1, 3, 2, 6] {
        limit.change(most);
    }
    assert_eq!(fill(&mut limit, lane), 2, "6 less the 4 under way");
    end(&mut limit, lane, 6);
    assert_eq!(fill(&mut limit, lane), 6);
    end(&mut limit, lane, 6);
    limit.change(0);
    assert_eq!(fill(&mut limit, lane), 0);
}

#[test]
fn who_waits_comes_when_there_is_room() {
    let mut limit = limit(0);
    let lane = limit.join(Hops::SHARED);
    assert!(!limit.admits(lane, 7));
    assert_eq!(limit.next_admitted(), None);
    limit.change(1);
    assert_eq!(limit.next_admitted(), Some(7));
    assert_eq!(limit.next_admitted(), None);
    assert!(!limit.admits(lane, 8), "that one is under way");
}

#[test]
fn lanes_that_do_not_end_their_probes_leave_room() {
    let mut limit = limit(256);
    let [dead, silent, alive] = ["dead", "silent", "alive"].map(|route| limit.join(by(route)));
    assert_eq!(fill(&mut limit, dead), 192, "three quarters");
    let of_silent = fill(&mut limit, silent);
    assert_eq!(of_silent, 48, "three quarters of what is left");
    assert_eq!(fill(&mut limit, alive), 12);
    // When they end all, and take what they get in turn, both come to the same.
    end(&mut limit, dead, 192);
    end(&mut limit, silent, 48);
    end(&mut limit, alive, 12);
    for who in 0..512 {
        limit.admits([dead, silent][who % 2], who);
    }
    let of = |lane: usize| limit.lanes[lane].under_way;
    assert_eq!((of(dead), of(silent)), (110, 110));
    assert_eq!(fill(&mut limit, alive), 27);
}

#[test]
fn nothing_is_kept_free_for_nobody() {
    let mut limit = limit(256);
    let only = limit.join(by("only"));
    assert_eq!(fill(&mut limit, only), 256);
    end(&mut limit, only, 256);
    let other = limit.join(by("other"));
    assert_eq!(fill(&mut limit, only), 192);
    // The other is given up while one of the first waits.
    assert!(!limit.admits(only, 7));
    assert_eq!(limit.next_admitted(), None);
    limit.leave(other);
    assert_eq!(limit.next_admitted(), Some(7));
}

#[test]
fn a_small_limit_is_used_up() {
    for most in 1..=3 {
        let mut limit = limit(most);
        let [one, other] = ["one", "other"].map(|route| limit.join(by(route)));
        assert_eq!(fill(&mut limit, one), most);
        end(&mut limit, one, most);
        assert_eq!(fill(&mut limit, other), most);
    }
}

#[test]
fn lanes_take_turns() {
    let mut limit = limit(2);
    let [many, few] = ["many", "few"].map(|route| limit.join(by(route)));
    assert_eq!(fill(&mut limit, many), 2);
    // Ten of one wait before the first of the other does.
    for who in 0..10 {
        assert!(!limit.admits(many, who));
    }
    for who in 20..22 {
        assert!(!limit.admits(few, who));
    }
    let mut seen = Vec::new();
    let mut under_way = VecDeque::from([many, many]);
    for _ in 0..4 {
        let ending = under_way.pop_front().unwrap();
        limit.ends(ending);
        let who = limit.next_admitted().unwrap();
        under_way.push_back(if who < 20 { many } else { few });
        seen.push(who);
    }
    assert_eq!(seen, [0, 20, 1, 21]);
}

#[test]
fn who_is_forgotten_waits_no_more() {
    let mut limit = limit(1);
    let [one, other] = ["one", "other"].map(|route| limit.join(by(route)));
    assert_eq!(fill(&mut limit, one), 1);
    for who in 0..4 {
        assert!(!limit.admits(one, who));
    }
    assert!(!limit.admits(other, 9));
    limit.forget_unless(|who| who == 2);
    limit.ends(one);
    assert_eq!(limit.next_admitted(), Some(2));
    limit.ends(one);
    assert_eq!(limit.next_admitted(), None);
}

#[test]
fn lanes_are_used_again() {
    let mut limit = limit(1);
    for number in 0..100 {
        let lane = limit.join(by(&format!("route {number}")));
        limit.leave(lane);
    }
    assert_eq!(limit.lanes.len(), 1);
    let check = crate::plan::fixture::check("s", "a", "https://a.test/");
    let (one, same) = (limit.join(Hops::of(&check)), limit.join(Hops::of(&check)));
    assert_eq!(one, same);
    assert_eq!(limit.lanes[one].users, 2);
}
