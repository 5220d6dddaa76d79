//! `reachd healthcheck` of a daemon that is well, is not, is not there, or wants to know who asks.

use libtest_mimic::Trial;

use super::{CONFIG, HASH, SOON, Served, tls, utf8};
use crate::kit::{Finished, Lab, Reachd, command, run_to_end, wait};
use crate::suite::{SharedLab, trial};

pub(super) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![
        trial("web::healthcheck_of_plain_http", lab, plain),
        trial("web::healthcheck_over_tls", lab, over_tls),
    ]
}

fn check(flags: &[&str]) -> Finished {
    run_to_end(command(&[&["healthcheck"], flags].concat()))
}

fn plain(lab: &Lab) {
    let nobody = lab.fresh_address().to_string();
    let gone = check(&["--web.listen-address", &nobody]);
    assert_eq!((gone.exit_code, gone.stdout.as_str()), (1, ""), "{gone:?}");
    assert!(gone.stderr.contains("cannot connect"), "{gone:?}");
    assert_eq!(check(&["--url", "nothing"]).exit_code, 64);

    // One check that never ends before it is looked at: alive, and not ready.
    let slow = CONFIG.replace("https://web.lab.test/", "http://silent.fault.lab.test/");
    let config = lab.write(
        "web-health.yml",
        &slow.replace("interval: 1s", "timeout: 60s"),
    );
    let prefix = ["--web.route-prefix", "/r"];
    let reachd = Reachd::start_with(lab, "web-health", &config, &prefix);
    let address = reachd.address.to_string();
    let own = [&["--web.listen-address", &address], &prefix[..]].concat();
    let healthy = check(&own);
    assert_eq!(
        (healthy.exit_code, healthy.stdout.as_str()),
        (0, "Healthy\n"),
        "{healthy:?}"
    );
    let ready = check(&[&own[..], &["--ready"]].concat());
    assert_eq!(ready.exit_code, 1, "{ready:?}");
    assert!(ready.stderr.contains("503"), "{ready:?}");
    let elsewhere = check(&["--web.listen-address", &address]);
    assert_eq!(elsewhere.exit_code, 1, "{elsewhere:?}");

    let silent = format!("http://{}/", lab.fill("@silent@"));
    let waited = check(&["--url", &silent, "--timeout", "500ms"]);
    assert_eq!(waited.exit_code, 1, "{waited:?}");
    assert!(
        waited.stderr.contains("no answer within 500ms"),
        "{waited:?}"
    );
}

fn over_tls(lab: &Lab) {
    let clients = "client_ca_file: pki/client-ca.pem, client_auth_type: RequireAndVerifyClientCert";
    let users = format!("basic_auth_users: {{alice: {HASH}}}\n");
    let served = Served::new(lab, "health", &tls(clients, &users));
    let address = served.reachd.address.to_string();
    let file = |name: &str| utf8(&lab.path(name)).to_owned();
    let (certificate, key) = (file("pki/client.pem"), file("pki/client.key"));
    let (password, wrong) = (file("secrets/alice"), file("secrets/wrong"));
    let own = [
        "--web.listen-address",
        &address,
        "--web.config.file",
        utf8(&served.file),
    ];
    let shown = ["--client-certificate", &certificate, "--client-key", &key];
    let login = |password| ["--username", "alice", "--password-file", password];
    let all = [&own[..], &shown, &login(&password)].concat();
    let healthy = wait::within(SOON, || {
        let finished = check(&all);
        (finished.exit_code == 0).then_some(finished)
    });
    assert_eq!(healthy.expect("a healthy daemon").stdout, "Healthy\n");

    let stranger = check(&[&own[..], &login(&password)].concat());
    assert_eq!(stranger.exit_code, 1, "{stranger:?}");
    let refused = check(&[&own[..], &shown, &login(&wrong)].concat());
    assert_eq!(refused.exit_code, 1, "{refused:?}");
    assert!(refused.stderr.contains("401"), "{refused:?}");
    assert!(!refused.stderr.contains("not-the-password"), "{refused:?}");

    // Another certificate than the file's is not the daemon's, whoever vouches for it.
    let other = lab.write(
        "web-health-other.yml",
        "tls_server_config: {cert_file: pki/self-signed.pem, key_file: pki/self-signed.key}",
    );
    let impostor = [
        "--web.listen-address",
        &address,
        "--web.config.file",
        utf8(&other),
    ];
    let impostor = check(&[&impostor[..], &shown, &login(&password)].concat());
    assert_eq!(impostor.exit_code, 1, "{impostor:?}");

    // By an authority, the name counts, and the address is none.
    let authority = file("pki/root.pem");
    let by_address = ["--web.listen-address", &address, "--ca-file", &authority];
    let by_address = check(&[&by_address[..], &shown, &login(&password)].concat());
    assert_eq!(by_address.exit_code, 1, "{by_address:?}");
    assert!(by_address.stderr.contains("TLS: "), "{by_address:?}");
}
