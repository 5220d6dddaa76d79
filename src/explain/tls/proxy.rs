//! The same reasons where the session is the one with the proxy itself, whose URL begins with https://.

use crate::explain::{Explanation, owner};
use crate::outcome::TlsReason;

pub(super) fn explain(reason: TlsReason) -> Explanation {
    match reason {
        TlsReason::Timeout => TIMEOUT,
        TlsReason::Closed => CLOSED,
        TlsReason::Reset => RESET,
        TlsReason::NotTls => NOT_TLS,
        TlsReason::ProtocolVersion => PROTOCOL_VERSION,
        TlsReason::NoCommonCipher => NO_COMMON_CIPHER,
        TlsReason::ClientCertificateRequired => CLIENT_CERTIFICATE_REQUIRED,
        TlsReason::HandshakeFailure => HANDSHAKE_FAILURE,
        TlsReason::Expired => EXPIRED,
        TlsReason::NotYetValid => NOT_YET_VALID,
        TlsReason::NameMismatch => NAME_MISMATCH,
        // Nobody says by whom a proxy's own certificate is to be vouched for: to it, every other one is unknown.
        TlsReason::UnknownIssuer
        | TlsReason::PinMismatch
        | TlsReason::Intercepted
        | TlsReason::Revoked => UNKNOWN_ISSUER,
        TlsReason::SelfSigned => SELF_SIGNED,
        TlsReason::IncompleteChain => INCOMPLETE_CHAIN,
        TlsReason::WeakSignature => WEAK_SIGNATURE,
    }
}

// === The handshake breaks off ===

const TIMEOUT: Explanation = Explanation {
    what: "The proxy took the connection, but its own TLS handshake did not finish in time. No endpoint was asked for.",
    likely: &[
        "The port is one of a plain proxy, which waits for a request and does not know the handshake.",
        "The proxy, or the load balancer before it, is overloaded.",
        "A firewall between this machine and the proxy drops what follows the connection.",
    ],
    steps: &[
        "Repeat: `openssl s_client -connect PROXY:PORT -servername PROXY`.",
        "Try it as a plain proxy: `curl -v -x http://PROXY:PORT https://HOST/`. If that works, correct the URL in reachd's configuration.",
        "Have the proxy's load looked at for this time.",
    ],
    owner: owner::PROXY,
};

const CLOSED: Explanation = Explanation {
    what: "The proxy closed the connection during its own TLS handshake, without a reason given.",
    likely: &[
        "The port is one of a plain or SOCKS proxy, which does not understand the handshake.",
        "The proxy does not serve this machine.",
        "The proxy, or the load balancer before it, is restarting.",
    ],
    steps: &[
        "Repeat: `openssl s_client -connect PROXY:PORT -servername PROXY`.",
        "Try it as a plain proxy: `curl -v -x http://PROXY:PORT https://HOST/`. If that works, correct the URL in reachd's configuration.",
        "Ask the proxy team for the log of this client at this time.",
    ],
    owner: owner::PROXY,
};

const RESET: Explanation = Explanation {
    what: "The connection to the proxy was reset during the proxy's own TLS handshake.",
    likely: &[
        "A firewall or intrusion prevention system between this machine and the proxy cuts the connection.",
        "The proxy, or the load balancer before it, is overloaded or restarting.",
    ],
    steps: &[
        "Repeat a few times: `openssl s_client -connect PROXY:PORT -servername PROXY`. Always means a rule, sometimes means load.",
        "Look for the proxy's address in the logs of firewall and intrusion prevention.",
    ],
    owner: owner::NETWORK,
};

const NOT_TLS: Explanation = Explanation {
    what: "What answers on the proxy's port does not speak TLS, although the proxy's URL begins with https://.",
    likely: &[
        "It is a plain HTTP proxy. `https://` in the URL of a proxy is about the way to the proxy, not about the endpoints behind it.",
        "The port is wrong: it belongs to another service.",
    ],
    steps: &[
        "Try it as a plain proxy: `curl -v -x http://PROXY:PORT https://HOST/`.",
        "If that works, write `http://` in the proxy's URL in reachd's configuration.",
        "Otherwise ask the proxy team for the port on which the proxy takes TLS.",
    ],
    owner: owner::CONFIGURATION,
};

const PROTOCOL_VERSION: Explanation = Explanation {
    what: "reachd and the proxy have no TLS version in common. reachd speaks TLS 1.2 and 1.3.",
    likely: &[
        "The proxy speaks TLS 1.0 or 1.1 only towards its clients.",
        "`min_version` under the proxy's `tls`, or in the global one, asks for more than the proxy has.",
    ],
    steps: &[
        "Test each version: `openssl s_client -connect PROXY:PORT -servername PROXY -tls1_2`, then `-tls1_3`.",
        "Have TLS 1.2 enabled on the proxy's listener.",
    ],
    owner: owner::PROXY,
};

const NO_COMMON_CIPHER: Explanation = Explanation {
    what: "reachd and the proxy have no cipher suite or key exchange in common.",
    likely: &[
        "The proxy's listener allows only suites that reachd does not offer: CBC, or key exchange by RSA or DHE.",
        "A policy on the proxy has removed the ECDHE suites with AES-GCM.",
    ],
    steps: &[
        "Test the usual suite: `openssl s_client -connect PROXY:PORT -servername PROXY -tls1_2 -cipher ECDHE-RSA-AES256-GCM-SHA384`.",
        "Have an ECDHE suite with AES-GCM, or TLS 1.3, enabled on the proxy's listener.",
    ],
    owner: owner::PROXY,
};

const CLIENT_CERTIFICATE_REQUIRED: Explanation = Explanation {
    what: "The proxy demands a client certificate, and was given none or not one that it takes.",
    likely: &[
        "The proxy knows its clients by their certificates.",
        "The detail names a certificate that was shown: it has expired, or the proxy does not know who issued it.",
        "The listener is meant for other clients, such as other proxies.",
    ],
    steps: &[
        "See what it asks for: `openssl s_client -connect PROXY:PORT -servername PROXY`, under \"Acceptable client certificate CA names\".",
        "Give the proxy one that it takes: `client_certificate` and `client_key` under its `tls`.",
        "Ask the proxy team for a listener, or an exception for this machine, without a client certificate.",
    ],
    owner: owner::PROXY,
};

const HANDSHAKE_FAILURE: Explanation = Explanation {
    what: "The TLS handshake with the proxy failed for a reason without a name of its own; the failure's detail has the words of the TLS library.",
    likely: &[
        "The proxy refuses with an alert: an unknown host name, a policy, an internal error.",
        "The proxy's certificate is malformed, or not meant for servers.",
    ],
    steps: &[
        "Repeat with another library: `openssl s_client -connect PROXY:PORT -servername PROXY`.",
        "Ask the proxy team for the log of this client at this time.",
    ],
    owner: owner::PROXY,
};

// === The certificate is not accepted ===

const EXPIRED: Explanation = Explanation {
    what: "The proxy's own certificate, or one that it is issued by, has expired.",
    likely: &[
        "The proxy's certificate was not renewed, or the proxy still uses the old one.",
        "The clock of this machine is ahead.",
    ],
    steps: &[
        "Look at the clock first: `w32tm /query /status`, on Linux `timedatectl`.",
        "See which certificate it is: `openssl s_client -connect PROXY:PORT -servername PROXY -showcerts`.",
        "Have the proxy's certificate renewed and the listener restarted.",
    ],
    owner: owner::PROXY,
};

const NOT_YET_VALID: Explanation = Explanation {
    what: "The proxy's own certificate, or one that it is issued by, is not valid yet.",
    likely: &[
        "The clock of this machine is behind.",
        "The proxy's certificate was issued moments ago, or for a later date.",
    ],
    steps: &[
        "Look at the clock first: `w32tm /query /status`, on Linux `timedatectl`. Then `w32tm /resync`.",
        "See the dates: `openssl s_client -connect PROXY:PORT -servername PROXY`.",
    ],
    owner: owner::SERVER,
};

const NAME_MISMATCH: Explanation = Explanation {
    what: "The proxy's own certificate is for other names than the host of the proxy's URL.",
    likely: &[
        "The URL has a short name, an alias or an address, and the certificate has the full name.",
        "A load balancer before the proxies has a name that is not in their certificates.",
        "DNS leads to the wrong machine.",
    ],
    steps: &[
        "Compare the names in the failure's detail with the host of the proxy's URL.",
        "If one of them is right, use it in the URL, or set `server_name` under the proxy's `tls`.",
        "Otherwise have the proxy's certificate issued with the missing name.",
    ],
    owner: owner::PROXY,
};

const UNKNOWN_ISSUER: Explanation = Explanation {
    what: "The proxy's own certificate is issued by an authority that reachd does not trust.",
    likely: &[
        "The proxy's certificate is of your own authority, and reachd's machine does not know it.",
        "`ca_file` under the proxy's `tls`, or in the global one, names another authority.",
        "What answers is not the proxy.",
    ],
    steps: &[
        "See the issuer: `openssl s_client -connect PROXY:PORT -servername PROXY -showcerts`.",
        "If it is your authority, set `ca_file` under the proxy's `tls`, or add it to the trust store.",
        "If it is nobody you know, find out what listens on the proxy's address.",
    ],
    owner: owner::CONFIGURATION,
};

const SELF_SIGNED: Explanation = Explanation {
    what: "The proxy's own certificate vouches for itself: no authority has signed it.",
    likely: &[
        "The proxy still uses the certificate that was made at its installation.",
        "What answers is not the proxy.",
    ],
    steps: &[
        "See whose it is: `openssl s_client -connect PROXY:PORT -servername PROXY`.",
        "Have a certificate issued by your authority for the proxy.",
        "If it is meant to be so, put the certificate in a file and set `ca_file` under the proxy's `tls`.",
    ],
    owner: owner::PKI,
};

const INCOMPLETE_CHAIN: Explanation = Explanation {
    what: "The proxy does not send the intermediate certificate that links its own to a trusted root.",
    likely: &[
        "Only the proxy's certificate was installed on its listener, without the intermediates.",
        "The intermediate was replaced by the authority, and the proxy still sends the old one.",
    ],
    steps: &[
        "Count what is sent: `openssl s_client -connect PROXY:PORT -servername PROXY -showcerts`.",
        "Have the full chain installed on the proxy: certificate first, then each intermediate.",
    ],
    owner: owner::PROXY,
};

const WEAK_SIGNATURE: Explanation = Explanation {
    what: "The proxy's own chain is signed with an algorithm or a key that is no longer accepted.",
    likely: &[
        "The proxy's certificate is old or from an old internal authority: SHA-1, or an RSA key below 2048 bits.",
        "An intermediate certificate of the authority is that old.",
    ],
    steps: &[
        "See which one: `openssl s_client -connect PROXY:PORT -servername PROXY -showcerts`, then `openssl x509 -noout -text` on each.",
        "Have the proxy's certificate issued anew with SHA-256 and RSA 2048 or P-256.",
    ],
    owner: owner::PKI,
};
