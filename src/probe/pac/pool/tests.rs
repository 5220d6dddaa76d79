//! Processes that reply, hang and end: shell scripts play them. What the engine makes of scripts is tested with it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;
use tokio::net::UdpSocket;

use super::*;
use crate::endpoint::{ResolverSettings, ResolverTransport};

/// A pool of such processes.
fn pool(process: &str) -> (Pool, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("process");
    let started = folder.path().join("started");
    let process = format!("#!/bin/sh\necho >> {}\n{process}\n", started.display());
    fs::write(&program, process).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    (Pool::of(Some(program)), folder)
}

fn started(folder: &TempDir) -> usize {
    let started = fs::read_to_string(folder.path().join("started"));
    started.unwrap_or_default().lines().count()
}

fn script() -> Arc<Script> {
    Arc::new(Script::new("test".to_owned(), b""))
}

async fn ask(pool: &Pool, script: &Arc<Script>, url: &str, time: Duration) -> Evaluation {
    let resolver = Arc::new(Resolver::new(&ResolverSettings::System).unwrap());
    let question = Question {
        url: url.to_owned(),
        host: "web.example".to_owned(),
    };
    let deadline = Instant::now() + time;
    pool.evaluate(script, &question, &resolver, deadline).await
}

const LONG: Duration = Duration::from_secs(30);

const REPLIES: &str = r#"echo '{"result":{"Ok":"DIRECT"},"alerts":["hello"]}'"#;

#[tokio::test]
async fn one_process_serves_one_after_the_other() {
    let (pool, folder) = pool(&format!("while read order; do {REPLIES}; done"));
    let script = script();
    for _ in 0..3 {
        let evaluation = ask(&pool, &script, "a", LONG).await;
        assert_eq!(evaluation.result, Ok("DIRECT".to_owned()));
        assert_eq!(evaluation.alerts, ["hello"]);
    }
    assert_eq!(started(&folder), 1);
}

#[tokio::test]
async fn many_at_once_take_two_processes() {
    let (pool, folder) = pool(&format!("while read order; do sleep 0.05; {REPLIES}; done"));
    let (pool, script) = (Arc::new(pool), script());
    let asking: Vec<_> = (0..24)
        .map(|number| {
            let (pool, script) = (Arc::clone(&pool), Arc::clone(&script));
            tokio::spawn(async move { ask(&pool, &script, &number.to_string(), LONG).await })
        })
        .collect();
    for asked in asking {
        assert!(asked.await.unwrap().result.is_ok());
    }
    assert_eq!(started(&folder), PROCESSES);
}

#[tokio::test]
async fn what_hangs_is_killed_and_another_takes_its_place() {
    let (pool, folder) = pool(&format!(
        "while read order; do case $order in *hang*) sleep 60;; *) {REPLIES};; esac; done"
    ));
    let script = script();
    for rests in [false, true] {
        let began = Instant::now();
        let hung = ask(&pool, &script, "hang", LONG).await.result;
        assert_eq!(hung, Err(Trouble::Overrun(LIMIT)));
        assert!(began.elapsed() < LIMIT + Duration::from_secs(2));
        assert_eq!(script.pause("hang").is_some(), rests);
        assert!(ask(&pool, &script, "a", LONG).await.result.is_ok());
    }
    let paused = ask(&pool, &script, "hang", LONG).await.result;
    assert!(matches!(paused, Err(Trouble::Paused(_))), "{paused:?}");
    assert_eq!(started(&folder), 3);
}

#[tokio::test]
async fn whoever_waits_waits_no_longer_than_its_deadline() {
    let (pool, _folder) = pool("while read order; do sleep 60; done");
    let script = script();
    let short = Duration::from_millis(200);
    let began = Instant::now();
    let (a, b, c) = tokio::join!(
        ask(&pool, &script, "a", short),
        ask(&pool, &script, "b", short),
        ask(&pool, &script, "c", short),
    );
    for evaluation in [a, b, c] {
        assert_eq!(evaluation.result, Err(Trouble::Late));
    }
    assert!(began.elapsed() < Duration::from_secs(2));
    // That they hang is found out all the same.
    tokio::time::sleep(LIMIT).await;
    assert!(script.is_suspect("a") || script.is_suspect("b"));
}

#[tokio::test]
async fn a_suspect_leaves_a_process_to_the_others() {
    let (pool, _folder) = pool(&format!(
        "while read order; do case $order in *hang*) sleep 60;; *) {REPLIES};; esac; done"
    ));
    let (pool, script) = (Arc::new(pool), script());
    for number in 0..6 {
        script.overran(&format!("hang{number}"));
        let (pool, script) = (Arc::clone(&pool), Arc::clone(&script));
        tokio::spawn(async move { ask(&pool, &script, &format!("hang{number}"), LONG).await });
    }
    tokio::task::yield_now().await;
    let began = Instant::now();
    for _ in 0..3 {
        assert!(ask(&pool, &script, "a", LONG).await.result.is_ok());
    }
    assert!(began.elapsed() < LIMIT);
}

#[tokio::test]
async fn what_goes_wrong_is_told() {
    let table = [
        ("exit 1", "its process"),
        ("read order; exit 1", "its process ended"),
        ("read order; echo no", "its process replied nonsense"),
        (
            "read order; head -c 600000 /dev/zero",
            "its process replied nonsense",
        ),
        (
            r#"while read order; do echo '{"result":{"Err":{"NameNeeded":"localhost"}},"alerts":[]}'; done"#,
            "it asks for localhost again",
        ),
    ];
    for (process, expected) in table {
        let (pool, _folder) = pool(process);
        let told = ask(&pool, &script(), "a", LONG).await.result.unwrap_err();
        assert!(matches!(told, Trouble::Engine(_)), "{told:?}");
        assert!(told.to_string().contains(expected), "{told}");
    }
    let told = ask(&Pool::of(None), &script(), "a", LONG).await.result;
    assert!(told.unwrap_err().to_string().contains("does not start"));
}

/// Asks for a name that is like the URL, and answers when it knows it.
const ASKS: &str = r#"while read order; do
  url=${order#*\"url\":\"}; url=${url%%\"*}
  case $order in
    *\"names\":{}*) echo "{\"result\":{\"Err\":{\"NameNeeded\":\"$url\"}},\"alerts\":[]}";;
    *) echo '{"result":{"Ok":"DIRECT"},"alerts":[]}';;
  esac
done"#;

/// A name service that answers each question with this code after a while; with nothing where there is none.
async fn name_service(code: Option<u8>, after: Duration) -> (Arc<Resolver>, Arc<AtomicUsize>) {
    let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let settings = ResolverSettings::Servers {
        name: "lab".to_owned(),
        servers: vec![socket.local_addr().unwrap()],
        transport: ResolverTransport::Udp,
        ca_file: None,
    };
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        let mut packet = [0; 512];
        while let Ok((length, peer)) = socket.recv_from(&mut packet).await {
            count.fetch_add(1, Ordering::Relaxed);
            let Some(code) = code else { continue };
            packet[2] |= 0x80;
            packet[3] = 0x80 | code;
            let (answer, socket) = (packet[..length].to_vec(), Arc::clone(&socket));
            tokio::spawn(async move {
                tokio::time::sleep(after).await;
                socket.send_to(&answer, peer).await.ok();
            });
        }
    });
    (Arc::new(Resolver::new(&settings).unwrap()), asked)
}

fn question(url: &str) -> Question {
    Question {
        url: url.to_owned(),
        host: "web.example".to_owned(),
    }
}

const NO_SUCH_NAME: u8 = 3;
const SERVER_FAILURE: u8 = 2;

#[tokio::test]
async fn a_name_that_nobody_answers_for_is_no_name_that_there_is_not() {
    let (pool, _folder) = pool(ASKS);
    for (code, expected) in [
        (None, Err("timeout")),
        (Some(SERVER_FAILURE), Err("servfail")),
        (Some(NO_SUCH_NAME), Ok("DIRECT".to_owned())),
    ] {
        let (resolver, _) = name_service(code, Duration::ZERO).await;
        let deadline = Instant::now() + Duration::from_secs(1);
        let (script, question) = (script(), question("a.example"));
        let asked = pool.evaluate(&script, &question, &resolver, deadline);
        let told = asked.await.result.map_err(|why| why.to_string());
        let expected = expected.map_err(|why| {
            format!("the script asked for a.example, and resolver lab gave no answer ({why})")
        });
        assert_eq!(told, expected);
    }
}

/// Two processes, names that take a while, and little time.
#[tokio::test]
async fn whoever_waits_for_a_name_holds_up_nobody() {
    let (pool, folder) = pool(ASKS);
    let (pool, script) = (Arc::new(pool), script());
    let (resolver, _) = name_service(Some(NO_SUCH_NAME), Duration::from_millis(300)).await;
    let deadline = Instant::now() + Duration::from_secs(3);
    let asking: Vec<_> = (0..24)
        .map(|number| {
            let (pool, script, resolver) = (pool.clone(), script.clone(), resolver.clone());
            tokio::spawn(async move {
                let question = question(&format!("h{number}.example"));
                pool.evaluate(&script, &question, &resolver, deadline).await
            })
        })
        .collect();
    for asked in asking {
        assert_eq!(asked.await.unwrap().result, Ok("DIRECT".to_owned()));
    }
    assert_eq!(started(&folder), PROCESSES);
}

#[tokio::test]
async fn the_same_name_is_looked_up_once_at_a_time() {
    let look_ups = LookUps::default();
    let (resolver, asked) = name_service(Some(NO_SUCH_NAME), Duration::from_millis(300)).await;
    let deadline = Instant::now() + Duration::from_secs(3);
    let ask = || look_ups.addresses("a.example", &resolver, deadline);
    let (a, b, c) = tokio::join!(ask(), ask(), ask());
    assert_eq!(
        (&a, &b, &c),
        (&Ok(Vec::new()), &Ok(Vec::new()), &Ok(Vec::new()))
    );
    // Both families once.
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    assert_eq!(ask().await, Ok(Vec::new()));
    assert_eq!(asked.load(Ordering::Relaxed), 4);
}

/// Whoever has more time is not told that there was none.
#[tokio::test]
async fn the_time_of_another_is_not_ones_own() {
    let look_ups = LookUps::default();
    let (resolver, _) = name_service(Some(NO_SUCH_NAME), Duration::from_millis(300)).await;
    let within = |milliseconds| {
        let deadline = Instant::now() + Duration::from_millis(milliseconds);
        look_ups.addresses("a.example", &resolver, deadline)
    };
    let (short, long) = tokio::join!(within(100), within(5000));
    assert_eq!((short, long), (Err("timeout"), Ok(Vec::new())));
}

#[tokio::test]
async fn the_environment_is_kept_from_scripts() {
    let (pool, folder) = pool(&format!(
        "env > \"$(dirname \"$0\")/environment\"; while read order; do {REPLIES}; done"
    ));
    let evaluation = ask(&pool, &script(), "a", LONG).await;
    assert_eq!(evaluation.result, Ok("DIRECT".to_owned()));
    // There is one to be kept, and a shell sets none of its own but these.
    assert!(std::env::var_os("PATH").is_some());
    let known = fs::read_to_string(folder.path().join("environment")).unwrap();
    let names: Vec<&str> = known
        .lines()
        .filter_map(|line| line.split('=').next())
        .collect();
    let allowed = ["TZ", "PWD", "SHLVL", "_", "OLDPWD"];
    assert!(names.iter().all(|name| allowed.contains(name)), "{names:?}");
}
