//! curl as the witness of the ways out: through the same proxy it succeeds where reachd succeeds, and fails where
//! reachd fails.

mod logins;

use std::process::Command;

use libtest_mimic::Trial;
use serde_json::Value;

use self::logins::LOGINS;
use crate::kit::{Finished, Lab, RESOLVER, command, run_to_end, with_kerberos};
use crate::suite::{SharedLab, trial};

/// A proxy, as reachd's configuration and as curl's arguments, and what both make of it.
struct Testimony {
    /// The URL of the endpoint.
    url: &'static str,
    /// The members of the proxy in reachd's configuration.
    proxy: &'static str,
    curl: &'static str,
    /// The credential cache of both, by the name that the lab gives it.
    tickets: &'static str,
    /// curl's exit code, and `phase/peer/reason` of reachd; empty for success.
    expected: (i32, &'static str),
}

const WEB: &str = "https://web.lab.test/";
const PLAIN: &str = "http://web.lab.test/";

const TESTIMONIES: [Testimony; 16] = [
    Testimony {
        url: WEB,
        proxy: "{url: 'https://squid.lab.test:3443', tls: {ca_file: '@dir@/pki/proxy-root.pem'}}",
        curl: "-x https://squid.lab.test:3443 --proxy-cacert @dir@/pki/proxy-root.pem",
        tickets: "good",
        expected: (0, ""),
    },
    Testimony {
        url: PLAIN,
        proxy: "{url: 'https://squid.lab.test:3443', tls: {ca_file: '@dir@/pki/proxy-root.pem'}}",
        curl: "-x https://squid.lab.test:3443 --proxy-cacert @dir@/pki/proxy-root.pem",
        tickets: "good",
        expected: (0, ""),
    },
    Testimony {
        url: WEB,
        proxy: "{url: 'https://squid.lab.test:3443'}",
        curl: "-x https://squid.lab.test:3443 --proxy-cacert @dir@/pki/root.pem",
        tickets: "good",
        expected: (60, "tls/proxy/unknown_issuer"),
    },
    Testimony {
        url: WEB,
        proxy: "{url: 'https://squid.lab.test:3447'}",
        curl: "-x https://squid.lab.test:3447 --proxy-cacert @dir@/pki/root.pem",
        tickets: "good",
        expected: (60, "tls/proxy/name_mismatch"),
    },
    Testimony {
        url: WEB,
        proxy: "{url: 'https://squid.lab.test:3444'}",
        curl: "-x https://squid.lab.test:3444 --proxy-cacert @dir@/pki/root.pem",
        tickets: "good",
        expected: (60, "tls/proxy/expired"),
    },
    Testimony {
        url: WEB,
        proxy: "{url: 'https://squid.lab.test:3128'}",
        curl: "-x https://squid.lab.test:3128 --proxy-cacert @dir@/pki/root.pem",
        tickets: "good",
        expected: (35, "tls/proxy/not_tls"),
    },
    Testimony {
        url: WEB,
        proxy: "{url: 'https://client-cert.lab.test:3130'}",
        curl: "-x https://client-cert.lab.test:3130 --proxy-cacert @dir@/pki/root.pem",
        tickets: "good",
        expected: (56, "tls/proxy/client_certificate_required"),
    },
    Testimony {
        url: WEB,
        proxy: "{url: 'https://client-cert.lab.test:3130', tls: {client_certificate: '@dir@/pki/client.pem', \
                client_key: '@dir@/pki/client.key'}}",
        curl: "-x https://client-cert.lab.test:3130 --proxy-cacert @dir@/pki/root.pem --proxy-cert \
               @dir@/pki/client.pem --proxy-key @dir@/pki/client.key",
        tickets: "good",
        expected: (0, ""),
    },
    Testimony {
        url: WEB,
        proxy: "{url: 'socks5h://dante.lab.test:1080'}",
        curl: "-x socks5h://dante.lab.test:1080",
        tickets: "good",
        expected: (0, ""),
    },
    Testimony {
        url: WEB,
        proxy: "{url: 'socks5://dante.lab.test:1080'}",
        curl: "-x socks5://dante.lab.test:1080",
        tickets: "good",
        expected: (0, ""),
    },
    Testimony {
        url: "https://does-not-exist.lab.test/",
        proxy: "{url: 'socks5h://dante.lab.test:1080'}",
        curl: "-x socks5h://dante.lab.test:1080",
        tickets: "good",
        expected: (97, "proxy/proxy/bad_gateway"),
    },
    Testimony {
        url: "https://does-not-exist.lab.test/",
        proxy: "{url: 'socks5://dante.lab.test:1080'}",
        curl: "-x socks5://dante.lab.test:1080",
        tickets: "good",
        expected: (97, "dns/endpoint/nxdomain"),
    },
    Testimony {
        url: "https://tls13.lab.test/",
        proxy: "{url: 'socks5h://dante.lab.test:1080'}",
        curl: "-x socks5h://dante.lab.test:1080",
        tickets: "good",
        expected: (97, "proxy/proxy/forbidden"),
    },
    Testimony {
        url: WEB,
        proxy: "{url: 'socks5h://dante-password.lab.test:1080'}",
        curl: "-x socks5h://dante-password.lab.test:1080",
        tickets: "good",
        expected: (97, "proxy/proxy/auth_required"),
    },
    Testimony {
        url: WEB,
        proxy: "{url: 'socks5h://dante-password.lab.test:1080', auth: {basic: {username: alice, \
                password_file: '@dir@/secrets/wrong'}}}",
        curl: "-x socks5h://alice:not-the-password@dante-password.lab.test:1080",
        tickets: "good",
        expected: (97, "proxy/proxy/auth_rejected"),
    },
    Testimony {
        url: WEB,
        proxy: "{url: 'socks5h://dante-password.lab.test:1080', auth: {basic: {username: alice, \
                password_file: '@dir@/secrets/alice'}}}",
        curl: "-x socks5h://alice:wonderland@dante-password.lab.test:1080",
        tickets: "good",
        expected: (0, ""),
    },
];

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![
        trial("witness::curl_agrees", lab, |lab| {
            curl_agrees(lab, "witness", &TESTIMONIES);
        }),
        trial("witness::curl_agrees_on_logins", lab, |lab| {
            curl_agrees(lab, "witness-login", &LOGINS);
        }),
    ]
}

fn curl_agrees(lab: &Lab, name: &str, testimonies: &[Testimony]) {
    let mut wrong = Vec::new();
    for (number, testimony) in testimonies.iter().enumerate() {
        let found = (
            curl(lab, testimony).exit_code,
            reachd(lab, &format!("{name}-{number}"), testimony),
        );
        let (code, failure) = testimony.expected;
        if found != (code, failure.to_owned()) {
            let Testimony { url, curl, .. } = testimony;
            wrong.push(format!(
                "{curl} {url}: {found:?}, expected {:?}",
                testimony.expected
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// curl asks whom the system asks: a system of its own asks the lab.
fn curl(lab: &Lab, testimony: &Testimony) -> Finished {
    let script = lab.fill(&format!(
        "mount --bind @dir@/{RESOLVER} /etc/resolv.conf && exec curl -sS -o /dev/null --max-time 5 \
         --cacert @dir@/pki/root.pem {} {}",
        testimony.curl, testimony.url
    ));
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &script]);
    for variable in ["HTTPS_PROXY", "https_proxy", "http_proxy", "ALL_PROXY"] {
        command.env_remove(variable);
    }
    for variable in ["all_proxy", "NO_PROXY", "no_proxy"] {
        command.env_remove(variable);
    }
    know_kerberos(&mut command, lab, testimony);
    run_to_end(command)
}

fn know_kerberos(command: &mut Command, lab: &Lab, testimony: &Testimony) {
    with_kerberos(command, lab);
    let cache = format!("krb5/{}.cache", testimony.tickets);
    command.env("KRB5CCNAME", lab.path(&cache));
}

/// `phase/peer/reason` of the failure, or nothing.
fn reachd(lab: &Lab, name: &str, testimony: &Testimony) -> String {
    let config = lab.write(
        &format!("{name}.yml"),
        &format!(
            "global: {{resolver: lab, timeout: 5s}}\n\
             resolvers: {{lab: {{servers: [\"@knot@:53\"]}}}}\n\
             tls: {{ca_file: \"@dir@/pki/root.pem\"}}\n\
             proxies: {{way: {}}}\n\
             endpoints: [{{name: a, url: '{}'}}]\n",
            testimony.proxy, testimony.url
        ),
    );
    let config = config.to_str().expect("a path in UTF-8");
    let arguments = ["check", "--format", "json", "--config.file", config];
    let mut command = command(&arguments);
    know_kerberos(&mut command, lab, testimony);
    let report = run_to_end(command).report();
    let failure = &report["checks"][0]["failure"];
    if failure.is_null() {
        return String::new();
    }
    let part = |key: &str| match &failure[key] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    ["phase", "peer", "reason"].map(part).join("/")
}
