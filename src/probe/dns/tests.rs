use std::fs;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::endpoint::{RecordType, ResolverTransport};

/// The resolver of a system whose files are these.
fn system(resolv_conf: Option<&str>, hosts: &str) -> Resolver {
    let folder = TempDir::new().unwrap();
    let [resolver, hosts_file] = ["resolv.conf", "hosts"].map(|name| folder.path().join(name));
    fs::write(&hosts_file, hosts).unwrap();
    if let Some(text) = resolv_conf {
        fs::write(&resolver, text).unwrap();
    }
    let sources = || NameSources {
        resolver: Some(resolver),
        hosts: Some(hosts_file),
    };
    Resolver::with_sources(&ResolverSettings::System, sources).unwrap()
}

async fn addresses(
    resolver: &Resolver,
    host: &str,
    peer: Peer,
) -> (Result<Vec<IpAddr>, Failure>, Observed) {
    let mut observed = Observed::default();
    let deadline = Instant::now() + Duration::from_secs(1);
    let result = resolver
        .addresses(host, peer, deadline, &mut observed)
        .await;
    (result, observed)
}

#[tokio::test]
async fn what_the_hosts_file_says_is_evidence() {
    let resolver = system(
        None,
        "192.0.2.1 cm_01.corp.example cm01\n2001:db8::1 CM01\n",
    );
    let (result, observed) = addresses(&resolver, "cm01", Peer::Endpoint).await;
    let expected: Vec<IpAddr> = ["2001:db8::1", "192.0.2.1"]
        .map(|it| it.parse().unwrap())
        .into();
    assert_eq!(result, Ok(expected.clone()));
    assert_eq!(observed.addresses, expected);
    assert_eq!(observed.dns.len(), 1);
    let seen = &observed.dns[0];
    assert_eq!((seen.name.as_str(), &*seen.resolver), ("cm01", HOSTS_FILE));
    assert_eq!(seen.answers, ["192.0.2.1", "2001:db8::1"]);
    assert_eq!(seen.rcode, None);
    let (result, observed) = addresses(&resolver, "cm_01.corp.example", Peer::Proxy).await;
    assert_eq!(result.unwrap().len(), 1);
    assert!(observed.addresses.is_empty(), "they are the proxy's");
    assert_eq!(observed.dns[0].peer, Peer::Proxy);
}

#[tokio::test]
async fn localhost_is_known_without_anybody() {
    let (result, observed) = addresses(&system(None, ""), "a.LocalHost.", Peer::Endpoint).await;
    let both = [
        IpAddr::from(Ipv6Addr::LOCALHOST),
        Ipv4Addr::LOCALHOST.into(),
    ];
    assert_eq!(result, Ok(both.to_vec()));
    assert_eq!(observed.addresses, both);
    assert_eq!(&*observed.dns[0].resolver, LOCALHOST);
}

#[cfg(target_os = "linux")] // elsewhere the settings are in no file that a test could spoil
#[tokio::test]
async fn settings_that_cannot_be_used_fail_the_probe_that_needs_them() {
    for resolv_conf in [None, Some("search corp.example\n"), Some("")] {
        let resolver = system(resolv_conf, "");
        let (result, observed) = addresses(&resolver, "cm01.corp.example", Peer::Endpoint).await;
        let failure = result.unwrap_err();
        assert_eq!(failure.reason, DnsReason::NetworkError.into());
        let says = "the system's resolver settings cannot be used";
        assert!(failure.detail.contains(says), "{}", failure.detail);
        assert!(failure.detail.contains("resolv.conf"), "{}", failure.detail);
        assert_eq!(observed.dns[0].rcode, None);
        let question = DnsQuestion {
            name: "cm01.corp.example".to_owned(),
            record: RecordType::A,
        };
        let deadline = Instant::now() + Duration::from_secs(1);
        let asked = resolver
            .ask(
                &question,
                &DnsExpectation::default(),
                deadline,
                &mut Observed::default(),
            )
            .await;
        assert_eq!(asked.unwrap_err().reason, DnsReason::NetworkError.into());
    }
}

#[tokio::test]
async fn servers_of_ones_own_look_at_no_file() {
    let settings = ResolverSettings::Servers {
        name: "own".to_owned(),
        servers: vec!["127.0.0.1:9".parse().unwrap()],
        transport: ResolverTransport::Tcp,
        ca_file: None,
    };
    let sources = || -> NameSources { panic!("looked at") };
    let resolver = Resolver::with_sources(&settings, sources).unwrap();
    let known = resolver.known(Instant::now()).await;
    assert!(known.search.domains.is_empty());
}
