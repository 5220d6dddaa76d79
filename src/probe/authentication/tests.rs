//! Whole logins, leg by leg, against what peers say.

use std::time::Duration;

use super::*;
use crate::route::Secret;

fn secret() -> Secret {
    Secret::new("hunter2".to_owned())
}

fn digest() -> Credentials {
    Credentials::Digest {
        username: "svc".to_owned(),
        password: secret(),
    }
}

fn ntlm() -> Credentials {
    Credentials::Ntlm {
        username: "svc".to_owned(),
        domain: Some("CORP".to_owned()),
        password: secret(),
    }
}

fn purpose() -> Purpose<'static> {
    Purpose {
        host: "proxy.test",
        method: "CONNECT",
        uri: "www.example.test:443",
        deadline: Instant::now() + Duration::from_secs(5),
    }
}

/// What a login says at first, and then to each of the challenges, up to a refusal.
async fn conversation(credentials: Option<&Credentials>, challenges: &[&str]) -> Vec<String> {
    let tickets = Tickets::default();
    let mut login = Login::new(credentials, &tickets);
    let mut said = vec![match login.first(&purpose()).await.unwrap() {
        Some(value) => shown(&value),
        None => "nothing".to_owned(),
    }];
    for challenge in challenges {
        let challenge = HeaderValue::from_str(challenge).unwrap();
        said.push(
            match login.next(&Challenges::of([&challenge]), &purpose()) {
                Ok(value) => shown(&value),
                Err(refusal) => format!("{refusal:?}"),
            },
        );
    }
    said
}

/// A value without what is different each time; it must not show itself.
fn shown(value: &HeaderValue) -> String {
    assert_eq!(format!("{value:?}"), "Sensitive");
    let text = value.to_str().unwrap();
    match text.split_once(' ') {
        Some(("NTLM" | "Negotiate", token)) => {
            let (scheme, _) = text.split_at(text.len() - token.len());
            let message = STANDARD.decode(token).unwrap();
            assert_eq!(message[..8], *b"NTLMSSP\0");
            format!("{scheme}{}", message[8])
        }
        Some(("Digest", _)) => "Digest".to_owned(),
        _ => text.to_owned(),
    }
}

/// A challenge of NTLM that says nothing of its sender.
fn ntlm_challenge(scheme: &str) -> String {
    let mut message = b"NTLMSSP\0\x02\0\0\0\0\0\0\0\x38\0\0\0\x01\x02\0\0".to_vec();
    message.extend([7; 8]);
    message.extend([0; 24]);
    format!("{scheme} {}", STANDARD.encode(message))
}

#[test]
fn no_login_shows_its_password() {
    let basic = Credentials::Basic {
        username: "svc".to_owned(),
        password: secret(),
    };
    let tickets = Tickets::default();
    for credentials in [basic, digest(), ntlm()] {
        let login = Login::new(Some(&credentials), &tickets);
        let shown = format!("{login:?}");
        assert!(shown.contains("svc"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[tokio::test]
async fn an_account_that_ntlm_cannot_name_is_told() {
    let credentials = Credentials::Ntlm {
        username: "jürgen".to_owned(),
        domain: None,
        password: secret(),
    };
    let mut message = b"NTLMSSP\0\x02\0\0\0\0\0\0\0\x38\0\0\0\x02\x02\0\0".to_vec();
    message.extend([7; 32]);
    let challenge = format!("NTLM {}", STANDARD.encode(message));
    let said = conversation(Some(&credentials), &[&challenge]).await;
    assert!(
        said[1].starts_with("NotOffered(\"its NTLM knows no Unicode"),
        "{said:?}"
    );
}

const REJECTED: &str = "Rejected(\"the configured credentials were refused\")";

#[tokio::test]
async fn no_credentials_and_basic() {
    let basic = Credentials::Basic {
        username: "svc".to_owned(),
        password: secret(),
    };
    let sent = "Basic c3ZjOmh1bnRlcjI=";
    let not_offered = "NotOffered(\"Basic credentials are configured\")";
    assert_eq!(
        conversation(None, &["Basic realm=x"]).await,
        ["nothing", "NoCredentials"]
    );
    assert_eq!(
        conversation(Some(&basic), &["NTLM, Basic realm=x"]).await,
        [sent, REJECTED]
    );
    assert_eq!(
        conversation(Some(&basic), &["NTLM"]).await,
        [sent, not_offered]
    );
}

#[tokio::test]
async fn digest_forgives_one_stale_nonce() {
    let credentials = digest();
    let talk = |challenges: &'static [&'static str]| {
        let credentials = credentials.clone();
        async move { conversation(Some(&credentials), challenges).await }
    };
    assert_eq!(
        talk(&[
            "Digest realm=x, nonce=a, qop=auth",
            "Digest realm=x, nonce=b"
        ])
        .await,
        ["nothing", "Digest", REJECTED]
    );
    assert_eq!(
        talk(&[
            "Digest realm=x, nonce=a",
            "Digest nonce=b, stale=true",
            "Digest nonce=c, stale=true"
        ])
        .await,
        [
            "nothing",
            "Digest",
            "Digest",
            "Rejected(\"it called each nonce of its own stale at once\")"
        ]
    );
    assert_eq!(
        talk(&["Basic realm=x"]).await,
        [
            "nothing",
            "NotOffered(\"Digest credentials are configured\")"
        ]
    );
    assert_eq!(
        talk(&["Digest nonce=a, algorithm=SHA-512-256"]).await,
        [
            "nothing",
            "NotOffered(\"its Digest cannot be answered (algorithm=SHA-512-256)\")"
        ]
    );
}

#[tokio::test]
async fn ntlm_goes_by_its_own_name_or_inside_negotiate() {
    let credentials = ntlm();
    let direct = ntlm_challenge("NTLM");
    let inside = ntlm_challenge("Negotiate");
    let talk = |challenges: Vec<String>| {
        let credentials = credentials.clone();
        async move {
            let challenges: Vec<&str> = challenges.iter().map(String::as_str).collect();
            conversation(Some(&credentials), &challenges).await
        }
    };
    let text = str::to_owned;
    assert_eq!(
        talk(vec![direct.clone(), text("NTLM")]).await,
        ["NTLM 1", "NTLM 3", REJECTED]
    );
    assert_eq!(
        talk(vec![
            text("Negotiate, Basic realm=x"),
            inside,
            text("Negotiate")
        ])
        .await,
        ["NTLM 1", "Negotiate 1", "Negotiate 3", REJECTED]
    );
    assert_eq!(
        talk(vec![text("NTLM"), direct]).await,
        ["NTLM 1", "NTLM 1", "NTLM 3"]
    );
    assert_eq!(
        talk(vec![text("NTLM"), text("NTLM")]).await,
        [
            "NTLM 1",
            "NTLM 1",
            "Rejected(\"it answers the first message of NTLM with no challenge\")"
        ]
    );
    assert_eq!(
        talk(vec![text("Negotiate"), text("Negotiate")]).await,
        [
            "NTLM 1",
            "Negotiate 1",
            "NotOffered(\"NTLM credentials are configured, and its Negotiate does not take NTLM\")"
        ]
    );
    assert_eq!(
        talk(vec![text("Digest nonce=a")]).await,
        ["NTLM 1", "NotOffered(\"NTLM credentials are configured\")"]
    );
    assert_eq!(
        talk(vec![text("NTLM TlRMTVNTUAACAAAA")]).await,
        ["NTLM 1", "Malformed(\"NTLM: the challenge is cut off\")"]
    );
    assert_eq!(
        talk(vec![text("NTLM a")]).await,
        ["NTLM 1", "Malformed(\"NTLM: the challenge is not base64\")"]
    );
}
