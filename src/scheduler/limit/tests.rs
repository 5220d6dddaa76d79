use std::time::Duration;

use tokio::time::timeout;

use super::*;

fn by(route: &str) -> Hops {
    Hops(Some((route.to_owned(), ResolverSettings::System.into())))
}

fn limit(most: usize) -> Limit {
    let limit = Limit::default();
    limit.change(most);
    limit
}

/// As many permits as are to be had at once.
async fn all_of(lane: &Lane) -> Vec<Permit> {
    let mut permits = Vec::new();
    while let Ok(permit) = timeout(Duration::from_secs(1), lane.permit()).await {
        permits.push(permit);
    }
    permits
}

#[tokio::test(start_paused = true)]
async fn what_is_lowered_under_way_is_lowered_when_probes_end() {
    let limit = limit(5);
    let lane = limit.lane(Hops::SHARED);
    let mut held = all_of(&lane).await;
    assert_eq!(held.len(), 5);
    limit.change(2);
    held.truncate(2);
    assert_eq!(all_of(&lane).await.len(), 0);
    held.clear();
    assert_eq!(all_of(&lane).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn lowering_and_raising_cancel_out() {
    let limit = limit(4);
    let lane = limit.lane(Hops::SHARED);
    let held = all_of(&lane).await;
    for most in [1, 3, 2, 6] {
        limit.change(most);
    }
    assert_eq!(all_of(&lane).await.len(), 2, "6 less the 4 under way");
    drop(held);
    assert_eq!(all_of(&lane).await.len(), 6);
    limit.change(0);
    assert_eq!(all_of(&lane).await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_raised_wakes_who_waits() {
    let limit = limit(0);
    let lane = limit.lane(Hops::SHARED);
    let raised = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        limit.change(1);
    };
    let (permit, ()) = tokio::join!(timeout(Duration::from_secs(60), lane.permit()), raised);
    assert!(permit.is_ok());
}

#[tokio::test(start_paused = true)]
async fn lanes_that_do_not_end_their_probes_leave_room() {
    let limit = limit(256);
    let [dead, silent, alive] = ["dead", "silent", "alive"].map(|route| limit.lane(by(route)));
    let of_dead = all_of(&dead).await;
    assert_eq!(of_dead.len(), 192, "three quarters");
    let of_silent = all_of(&silent).await;
    assert_eq!(of_silent.len(), 48, "three quarters of what is left");
    assert_eq!(all_of(&alive).await.len(), 12);
    // When they end some, both come to the same.
    drop(of_dead);
    drop(of_silent);
    let mut held = Vec::new();
    for _ in 0..256 {
        for lane in [&dead, &silent] {
            held.extend(timeout(Duration::from_millis(1), lane.permit()).await);
        }
    }
    let of = |lane: &Lane| held.iter().filter(|held| held.lane == lane.number).count();
    assert_eq!((of(&dead), of(&silent)), (110, 110));
    assert_eq!(all_of(&alive).await.len(), 27);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_free_for_nobody() {
    let limit = limit(256);
    let only = limit.lane(by("only"));
    assert_eq!(all_of(&only).await.len(), 256);
    let other = limit.lane(by("other"));
    assert_eq!(all_of(&only).await.len(), 192);
    // The other is given up while the first one waits.
    let held = all_of(&only).await;
    let given_up = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        drop(other);
    };
    let (permit, ()) = tokio::join!(timeout(Duration::from_secs(60), only.permit()), given_up);
    assert!(permit.is_ok());
    assert_eq!(held.len(), 192);
}

#[tokio::test(start_paused = true)]
async fn a_small_limit_is_used_up() {
    for most in 1..=3 {
        let limit = limit(most);
        let [one, other] = ["one", "other"].map(|route| limit.lane(by(route)));
        let held = all_of(&one).await;
        assert_eq!(held.len(), most);
        drop(held);
        assert_eq!(all_of(&other).await.len(), most);
    }
}

/// Ends one probe, and says of which lane the next one is.
fn next(held: &mut VecDeque<Permit>, waiting: &mut VecDeque<oneshot::Receiver<Permit>>) {
    held.pop_front();
    for _ in 0..waiting.len() {
        let mut receiver = waiting.pop_front().unwrap();
        match receiver.try_recv() {
            Ok(permit) => held.push_back(permit),
            Err(_) => waiting.push_back(receiver),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn lanes_take_turns() {
    let limit = limit(2);
    let [many, few] = ["many", "few"].map(|route| limit.lane(by(route)));
    let mut held = VecDeque::from(all_of(&many).await);
    let mut waiting = VecDeque::new();
    // Ten of one wait before the first of the other does.
    let order = [many.number; 10].into_iter().chain([few.number; 2]);
    waiting.extend(order.map(|number| limit.state().wait(number)));
    let mut seen = Vec::new();
    for _ in 0..4 {
        next(&mut held, &mut waiting);
        seen.push(held.back().unwrap().lane);
    }
    assert_eq!(seen, [many, few].map(|lane| lane.number).repeat(2));
}

#[tokio::test(start_paused = true)]
async fn who_goes_away_is_passed_over() {
    let limit = limit(1);
    let lane = limit.lane(by("only"));
    let held = all_of(&lane).await;
    let gone: Vec<_> = (0..10_000)
        .map(|_| limit.state().wait(lane.number))
        .collect();
    drop(gone);
    let mut last = limit.state().wait(lane.number);
    assert!(limit.state().lanes[lane.number].waiting.len() < 10);
    drop(held);
    assert!(last.try_recv().is_ok());
    assert_eq!(all_of(&lane).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_permit_that_nobody_takes_comes_back() {
    let limit = limit(1);
    let lane = limit.lane(by("only"));
    let held = all_of(&lane).await;
    let receiver = limit.state().wait(lane.number);
    drop(held);
    drop(receiver);
    assert_eq!(all_of(&lane).await.len(), 1);
}

#[test]
fn lanes_are_used_again() {
    let limit = limit(1);
    for number in 0..100 {
        drop(limit.lane(by(&format!("route {number}"))));
    }
    assert_eq!(limit.state().lanes.len(), 1);
    let check = crate::plan::fixture::check("s", "a", "https://a.test/");
    let (one, same) = (limit.lane(Hops::of(&check)), limit.lane(Hops::of(&check)));
    assert_eq!(one.number, same.number);
    assert_eq!(limit.state().lanes[one.number].users, 2);
}
