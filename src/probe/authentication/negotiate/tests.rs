//! The talk with the process that makes tokens, which a shell script plays.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use tempfile::TempDir;

use super::*;

/// Tickets made by a shell script instead.
fn tickets(script: &str) -> (Tickets, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("helper");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    (Tickets::made_by(Some(program)), folder)
}

async fn token(tickets: &Tickets, milliseconds: u64) -> Result<Vec<u8>, String> {
    let identity = KerberosIdentity::Keytab {
        principal: "svc@LAB.TEST".to_owned(),
        keytab: "/etc/svc.keytab".into(),
    };
    let deadline = Instant::now() + Duration::from_millis(milliseconds);
    tickets.token(&identity, "proxy.test", deadline).await
}

#[tokio::test]
async fn one_process_answers_every_question_of_an_identity() {
    let script = "while read service; do n=$((n+1)); \
                  echo token $(printf '%s %s %s %s %s' \"$n\" \"$service\" \"$*\" $KRB5CCNAME \
                  $KRB5_CLIENT_KTNAME | base64 -w0); done";
    let (tickets, _folder) = tickets(script);
    for number in 1..3 {
        let token = String::from_utf8(token(&tickets, 5000).await.unwrap()).unwrap();
        let expected = format!(
            "{number} HTTP@proxy.test {} --principal svc@LAB.TEST MEMORY:reachd /etc/svc.keytab",
            platform::KERBEROS_COMMAND
        );
        assert_eq!(token, expected);
    }
}

#[tokio::test]
async fn what_goes_wrong_is_told() {
    let table = [
        ("echo error no ticket for you", "no ticket for you"),
        (
            "exit 1",
            "the helper for Kerberos: it ended without an answer",
        ),
        ("printf x", "the helper for Kerberos: its answer has no end"),
        (
            "head -c 300000 /dev/zero",
            "the helper for Kerberos: its answer has no end",
        ),
        ("echo token =", "the helper for Kerberos answered no token"),
        (
            "echo",
            "the helper for Kerberos answered neither a token nor an error",
        ),
    ];
    for (script, expected) in table {
        let (tickets, _folder) = tickets(&format!("read service\n{script}"));
        assert_eq!(token(&tickets, 5000).await, Err(expected.to_owned()));
    }
    let nobody = Tickets::made_by(None);
    assert!(token(&nobody, 5000).await.is_err());
}

#[tokio::test]
async fn one_that_does_not_answer_in_time_is_replaced() {
    let (tickets, folder) = tickets(
        "read service\nif [ -e \"$0.second\" ]; then echo token AAAA; fi\n\
         touch \"$0.second\"\nexec sleep 60",
    );
    assert_eq!(token(&tickets, 400).await, Err(LATE.to_owned()));
    assert!(folder.path().join("helper.second").exists());
    assert_eq!(token(&tickets, 5000).await, Ok(vec![0; 3]));
}
