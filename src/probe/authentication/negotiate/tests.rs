//! The talk with the process that makes tokens, which a shell script plays.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::*;

/// How long anything may take that is to come.
const SOON: u64 = 10_000;

/// Writes its number down, answers nothing before the file `up` is there, and writes every question down.
const SLOW: &str = "echo $$ >>\"$0.started\"\n\
                    while read service; do\n\
                    echo $service >>\"$0.asked\"\n\
                    while ! [ -e \"$0.up\" ]; do sleep 0.01; done\n\
                    echo token AAAA\n\
                    done";

/// Tickets made by a shell script instead. The shell reads it, for a file that was just written may still be open for
/// writing in a process that another test starts at this moment, and then nobody can execute it.
fn tickets(script: &str) -> (Arc<Tickets>, TempDir) {
    tickets_within(script, Duration::from_secs(30))
}

fn tickets_within(script: &str, patience: Duration) -> (Arc<Tickets>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("helper");
    fs::write(&path, format!("{script}\n")).unwrap();
    let program = Program {
        prefix: Some(path.into()),
        patience,
        ..Program::new("/bin/sh".into())
    };
    (Arc::new(Tickets::made_by(Some(program))), folder)
}

fn identity() -> KerberosIdentity {
    KerberosIdentity::Keytab {
        principal: "svc@LAB.TEST".to_owned(),
        keytab: "/etc/svc.keytab".into(),
    }
}

async fn token_for(tickets: &Tickets, host: &str, milliseconds: u64) -> Result<Vec<u8>, NoToken> {
    let deadline = Instant::now() + Duration::from_millis(milliseconds);
    tickets.token(&identity(), host, deadline).await
}

async fn token(tickets: &Tickets, milliseconds: u64) -> Result<Vec<u8>, NoToken> {
    token_for(tickets, "proxy.test", milliseconds).await
}

/// What fifty find that ask at once.
async fn fifty(
    tickets: &Arc<Tickets>,
    host: impl Fn(usize) -> String,
    milliseconds: u64,
) -> Vec<Result<Vec<u8>, NoToken>> {
    let mut waiting = JoinSet::new();
    for number in 0..50 {
        let (tickets, host) = (Arc::clone(tickets), host(number));
        waiting.spawn(async move { token_for(&tickets, &host, milliseconds).await });
    }
    waiting.join_all().await
}

/// The lines of a file that the script writes.
fn lines(folder: &TempDir, file: &str) -> Vec<String> {
    let text = fs::read_to_string(folder.path().join(file)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_millis(SOON);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}: not in time");
        sleep(Duration::from_millis(5)).await;
    }
}

fn is_running(process: &str) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    !status.is_empty() && !status.contains("State:\tZ")
}

#[tokio::test]
async fn one_process_answers_every_question_of_an_identity() {
    let script = "while read service; do n=$((n+1)); \
                  echo token $(printf '%s %s %s %s %s' \"$n\" \"$service\" \"$*\" $KRB5CCNAME \
                  $KRB5_CLIENT_KTNAME | base64 -w0); done";
    let (tickets, _folder) = tickets(script);
    for number in 1..3 {
        let token = String::from_utf8(token(&tickets, SOON).await.unwrap()).unwrap();
        let expected = format!(
            "{number} HTTP@proxy.test {} --principal svc@LAB.TEST MEMORY:reachd /etc/svc.keytab",
            platform::KERBEROS_COMMAND
        );
        assert_eq!(token, expected);
    }
}

#[tokio::test]
async fn what_goes_wrong_is_told() {
    let failed = |what: &str| NoToken::Failed(what.to_owned());
    let table = [
        (
            "echo error no ticket for you",
            NoToken::Refused("no ticket for you".to_owned()),
        ),
        ("exit 1", failed("it ended without an answer")),
        ("printf x", failed("its answer has no end")),
        ("head -c 300000 /dev/zero", failed("its answer has no end")),
        ("echo token =", failed("it answered no token")),
        ("echo", failed("it answered neither a token nor an error")),
    ];
    for (script, expected) in table {
        let (tickets, _folder) = tickets(&format!("read service\n{script}"));
        assert_eq!(token(&tickets, SOON).await, Err(expected));
    }
    let nobody = Tickets::made_by(None);
    let found = token(&nobody, SOON).await;
    assert!(matches!(found, Err(NoToken::NotStarted(_))), "{found:?}");
    let nothing = Tickets::made_by(Some(Program::new("/nonexistent/reachd".into())));
    let found = token(&nothing, SOON).await;
    assert!(matches!(found, Err(NoToken::NotStarted(_))), "{found:?}");
}

#[tokio::test]
async fn an_outage_ends_for_everybody_and_starts_no_second_process() {
    let (tickets, folder) = tickets(SLOW);
    for _ in 0..5 {
        for found in fifty(&tickets, |number| format!("{number}.test"), 100).await {
            assert!(
                matches!(found, Err(NoToken::Silent | NoToken::Busy(_))),
                "{found:?}"
            );
        }
    }
    fs::write(folder.path().join("helper.up"), "").unwrap();
    for found in fifty(&tickets, |_| "proxy.test".to_owned(), SOON).await {
        assert_eq!(found, Ok(vec![0; 3]));
    }
    assert_eq!(lines(&folder, "helper.started").len(), 1);
    let asked = lines(&folder, "helper.asked");
    let late: Vec<&String> = asked
        .iter()
        .filter(|service| *service != "HTTP@proxy.test")
        .collect();
    assert_eq!(late.len(), 1, "those who have gone are skipped: {late:?}");
    assert_eq!(asked.len(), 51);
}

#[tokio::test]
async fn who_waits_in_line_is_not_told_of_the_kdc() {
    let (tickets, folder) = tickets(SLOW);
    let first = token(&tickets, 2000);
    let second = async {
        until("the first question", || {
            !lines(&folder, "helper.asked").is_empty()
        })
        .await;
        token(&tickets, 50).await
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first, Err(NoToken::Silent));
    let Err(NoToken::Busy(others)) = second else {
        panic!("{second:?}")
    };
    assert!(others >= Duration::from_millis(40), "{others:?}");
}

#[tokio::test]
async fn one_that_never_answers_is_replaced_once_patience_ends() {
    let script = format!(
        "if ! [ -e \"$0.started\" ]; then echo $$ >\"$0.started\"; read service; exec sleep 60; fi\n{SLOW}"
    );
    let (tickets, folder) = tickets_within(&script, Duration::from_millis(300));
    fs::write(folder.path().join("helper.up"), "").unwrap();
    assert_eq!(token(&tickets, SOON).await, Err(NoToken::Silent));
    assert_eq!(token(&tickets, SOON).await, Ok(vec![0; 3]));
    let started = lines(&folder, "helper.started");
    assert_eq!(started.len(), 2);
    until("the end of the first", || !is_running(&started[0])).await;
}

#[tokio::test]
async fn one_that_dies_is_replaced() {
    let script = "echo $$ >>\"$0.started\"\nread service\necho token AAAA";
    let (tickets, folder) = tickets(script);
    for number in 1..3 {
        assert_eq!(token(&tickets, SOON).await, Ok(vec![0; 3]));
        let started = lines(&folder, "helper.started");
        assert_eq!(started.len(), number);
        until("its end", || !is_running(&started[number - 1])).await;
    }
}

#[tokio::test]
async fn the_helper_of_who_is_no_longer_named_ends_at_once() {
    let (tickets, folder) = tickets(SLOW);
    let up = folder.path().join("helper.up");
    fs::write(&up, "").unwrap();
    tickets.keep_only(HashSet::from([identity()]));
    assert_eq!(token(&tickets, SOON).await, Ok(vec![0; 3]));
    tickets.keep_only(HashSet::from([identity(), KerberosIdentity::DefaultCache]));
    assert_eq!(token(&tickets, SOON).await, Ok(vec![0; 3]));
    assert_eq!(lines(&folder, "helper.started").len(), 1, "it was kept");

    // In the middle of a question, too.
    remove(&up);
    let asked = lines(&folder, "helper.asked").len();
    let dropped = async {
        until("a question", || {
            lines(&folder, "helper.asked").len() > asked
        })
        .await;
        tickets.keep_only(HashSet::from([KerberosIdentity::DefaultCache]));
    };
    let (found, ()) = tokio::join!(token(&tickets, SOON), dropped);
    assert_eq!(found, Err(NoToken::NotNamed));
    let started = lines(&folder, "helper.started");
    until("its end", || !is_running(&started[0])).await;
    assert_eq!(token(&tickets, SOON).await, Err(NoToken::NotNamed));
    assert_eq!(lines(&folder, "helper.started").len(), 1);
}

fn remove(file: &Path) {
    fs::remove_file(file).unwrap();
}
