//! Reasons of the phase `tls`: a TCP connection or tunnel stands, but no TLS session that can be trusted.

mod proxy;

use super::{Explanation, owner};
use crate::outcome::{Peer, TlsReason};

pub(super) fn explain(reason: TlsReason, peer: Peer) -> Explanation {
    match peer {
        Peer::Proxy => proxy::explain(reason),
        Peer::Endpoint => of_endpoint(reason),
    }
}

fn of_endpoint(reason: TlsReason) -> Explanation {
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
        TlsReason::UnknownIssuer => UNKNOWN_ISSUER,
        TlsReason::SelfSigned => SELF_SIGNED,
        TlsReason::IncompleteChain => INCOMPLETE_CHAIN,
        TlsReason::WeakSignature => WEAK_SIGNATURE,
        TlsReason::PinMismatch => PIN_MISMATCH,
        TlsReason::Intercepted => INTERCEPTED,
        TlsReason::Revoked => REVOKED,
    }
}

// === The handshake breaks off ===

const TIMEOUT: Explanation = Explanation {
    what: "The connection stands, but the TLS handshake did not finish in time.",
    likely: &[
        "A firewall lets the connection through and drops what follows, often once it has seen the host's name.",
        "A tunnel on the way (VPN, PPPoE) loses large packets, so that the certificate never arrives.",
        "The server, or a proxy that inspects TLS, is overloaded.",
    ],
    steps: &[
        "Repeat: `openssl s_client -connect HOST:443 -servername HOST`; over a proxy add `-proxy PROXY:PORT`.",
        "Look at the firewall's application or TLS filter for this host.",
        "Test the packet size: `ping -f -l 1400 HOST` on Windows. If small ones pass and large ones do not, the MTU is at fault.",
    ],
    owner: owner::NETWORK,
};

const CLOSED: Explanation = Explanation {
    what: "The connection was closed during the TLS handshake, without a reason given.",
    likely: &[
        "A firewall or proxy ends the connection when it sees the host's name, because policy denies it.",
        "A proxy that inspects TLS fails towards the endpoint and closes towards you.",
        "The server closes because it knows no site of this name.",
    ],
    steps: &[
        "Repeat: `openssl s_client -connect HOST:443 -servername HOST`; over a proxy add `-proxy PROXY:PORT`.",
        "Compare the routes in reachd: failing over one only means that something on that route closes.",
        "Ask for the host to be allowed and to be exempt from TLS inspection.",
    ],
    owner: owner::PROXY,
};

const RESET: Explanation = Explanation {
    what: "The connection was reset during the TLS handshake.",
    likely: &[
        "A firewall or intrusion prevention system cuts the connection when it sees the host's name.",
        "A proxy with TLS inspection cannot handle this endpoint.",
        "The server, or the load balancer before it, is restarting.",
    ],
    steps: &[
        "Repeat: `openssl s_client -connect HOST:443 -servername HOST`; over a proxy add `-proxy PROXY:PORT`.",
        "Repeat with another name: `-servername www.example.com`. If the reset stays away, the name is being filtered.",
        "Look for this host in the logs of firewall, intrusion prevention and proxy.",
    ],
    owner: owner::NETWORK,
};

const NOT_TLS: Explanation = Explanation {
    what: "What answers on this port does not speak TLS.",
    likely: &[
        "A proxy or captive portal answers with a plain page: a login form or a block page.",
        "The port or the scheme in the URL is wrong: the server speaks plain HTTP there.",
        "DNS leads to the wrong machine.",
    ],
    steps: &[
        "See what it says: `curl -v http://HOST:443/`; over a proxy add `-p -x http://PROXY:PORT`.",
        "If it is a page of the proxy, ask for the host to be allowed.",
        "If it is your own server, correct its binding or the URL.",
    ],
    owner: owner::NETWORK,
};

const PROTOCOL_VERSION: Explanation = Explanation {
    what: "The two sides have no TLS version in common. reachd speaks TLS 1.2 and 1.3.",
    likely: &[
        "The server speaks TLS 1.0 or 1.1 only.",
        "A proxy or firewall that inspects TLS is too old, and it is the one that answers.",
        "`min_version` in reachd's configuration asks for more than the server has.",
    ],
    steps: &[
        "Test each version: `openssl s_client -connect HOST:443 -servername HOST -tls1_2`, then `-tls1_3`.",
        "For a host of a cloud: it does speak TLS 1.2. Look for what inspects TLS on the way.",
        "For your own Windows server: enable TLS 1.2 in Schannel, and in .NET with SchUseStrongCrypto and SystemDefaultTlsVersions.",
    ],
    owner: owner::ENDPOINT,
};

const NO_COMMON_CIPHER: Explanation = Explanation {
    what: "The two sides have no cipher suite or key exchange in common. A Windows server logs this as Schannel event 36874.",
    likely: &[
        "A policy on the server has removed the ECDHE suites with AES-GCM.",
        "A proxy or firewall that inspects TLS allows other suites only.",
        "The server has only suites that reachd does not offer: CBC, or key exchange by RSA or DHE.",
    ],
    steps: &[
        "Test the usual suite: `openssl s_client -connect HOST:443 -servername HOST -tls1_2 -cipher ECDHE-RSA-AES256-GCM-SHA384`.",
        "On a Windows server look at `Get-TlsCipherSuite` and at the group policy SSL Cipher Suite Order.",
        "Have TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 and TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 enabled.",
    ],
    owner: owner::ENDPOINT,
};

const CLIENT_CERTIFICATE_REQUIRED: Explanation = Explanation {
    what: "The server demands a client certificate, and was given none or not one that it takes. It is reachable, but does not talk.",
    likely: &[
        "The site is set to require client certificates, as management points and distribution points with HTTPS often are.",
        "The detail names a certificate that was shown: it has expired, or the server does not know who issued it.",
        "A proxy that inspects TLS cannot pass the client certificate on.",
    ],
    steps: &[
        "See what it asks for: `openssl s_client -connect HOST:443 -servername HOST`, under \"Acceptable client certificate CA names\".",
        "Give the endpoint one that the server takes: `client_certificate` and `client_key` under its `tls`.",
        "If reaching the server is all you want to know, write the endpoint as `tcp://HOST:443`.",
        "If the endpoint should not ask for one, have `Require SSL client certificates` corrected in IIS.",
    ],
    owner: owner::ENDPOINT,
};

const HANDSHAKE_FAILURE: Explanation = Explanation {
    what: "The TLS handshake failed for a reason without a name of its own; the failure's detail has the words of the TLS library.",
    likely: &[
        "The server, or a proxy that inspects TLS, refuses with an alert: an unknown host name, a policy, an internal error.",
        "It is a server of TLS 1.2 without a cipher suite or group in common: many answer with nothing but a handshake failure.",
        "The certificate is malformed, or not meant for servers.",
        "A device on the way corrupts the handshake.",
    ],
    steps: &[
        "Repeat with another library: `openssl s_client -connect HOST:443 -servername HOST`; over a proxy add `-proxy PROXY:PORT`.",
        "On a Windows server look for Schannel events in the System log at this time.",
        "Compare the routes in reachd: failing over one only means that something on that route is at fault.",
    ],
    owner: owner::ENDPOINT,
};

// === The certificate is not accepted ===

const EXPIRED: Explanation = Explanation {
    what: "A certificate of the chain has expired. Windows programs report this as error 12037.",
    likely: &[
        "The server's certificate was not renewed, or the renewed one is not bound to the site.",
        "The authority by which a proxy inspects TLS has expired.",
        "The clock of this machine is ahead.",
    ],
    steps: &[
        "Look at the clock first: `w32tm /query /status`, on Linux `timedatectl`.",
        "See which certificate it is: `openssl s_client -connect HOST:443 -servername HOST -showcerts`; over a proxy add `-proxy PROXY:PORT`.",
        "Issued by your own organisation for a host of a cloud: have TLS inspection renewed, or the host exempted.",
        "Your own server: renew the certificate and bind it. Restart the service if it keeps the old one.",
    ],
    owner: owner::PKI,
};

const NOT_YET_VALID: Explanation = Explanation {
    what: "A certificate of the chain is not valid yet.",
    likely: &[
        "The clock of this machine is behind.",
        "The certificate was issued moments ago, or for a later date.",
        "The clock of a proxy that inspects TLS, or of the issuing authority, is ahead.",
    ],
    steps: &[
        "Look at the clock first: `w32tm /query /status`, on Linux `timedatectl`. Then `w32tm /resync`.",
        "See the dates: `openssl s_client -connect HOST:443 -servername HOST`; over a proxy add `-proxy PROXY:PORT`.",
        "If this machine's clock is right, have the issuer's clock checked.",
    ],
    owner: owner::SERVER,
};

const NAME_MISMATCH: Explanation = Explanation {
    what: "The certificate is for other names than the one that was asked for. Windows programs report this as error 12038.",
    likely: &[
        "The server has no certificate for this name and presents its default one.",
        "DNS or a load balancer leads to the wrong machine.",
        "A proxy or captive portal presents a page of its own.",
        "The URL has a short name or an address, and the certificate has the full name.",
    ],
    steps: &[
        "Compare the names in the failure's detail with the host of the URL.",
        "Compare the address with `nslookup HOST` from another network.",
        "Your own server: use the full name in the URL, or have a certificate issued with the missing name.",
        "If another name is right, set `server_name` under the endpoint's `tls`.",
    ],
    owner: owner::ENDPOINT,
};

const UNKNOWN_ISSUER: Explanation = Explanation {
    what: "The chain ends at an authority that this machine does not trust. Windows programs report this as error 12045.",
    likely: &[
        "A proxy or firewall inspects TLS and signs with its own authority. Microsoft does not support that for *.manage.microsoft.com and *.manage.microsoft.us.",
        "The root is missing on this machine, often DigiCert Global Root G2, because automatic root updates are off or blocked.",
        "The server uses your own authority, and reachd's machine does not know it.",
    ],
    steps: &[
        "See the issuer: `openssl s_client -connect HOST:443 -servername HOST -showcerts`; over a proxy add `-proxy PROXY:PORT`.",
        "It names your organisation or a security product: have the host exempted from TLS inspection.",
        "It names a public authority: install its root on this machine, and allow http://ctldl.windowsupdate.com for updates.",
        "It is your own authority, and rightly so: add it to the trust store, or set `ca_file` under `tls`.",
    ],
    owner: owner::PROXY,
};

const SELF_SIGNED: Explanation = Explanation {
    what: "The certificate vouches for itself: no authority has signed it.",
    likely: &[
        "The server has never got a certificate of its own and uses one made at installation.",
        "It is a site system of Configuration Manager with a certificate of the site.",
        "A security device or captive portal answers in the endpoint's place.",
    ],
    steps: &[
        "See whose it is: `openssl s_client -connect HOST:443 -servername HOST`; over a proxy add `-proxy PROXY:PORT`.",
        "Your own server: have a certificate issued by your authority and bind it.",
        "If it is meant to be so, put the certificate in a file and set `ca_file` under the endpoint's `tls`.",
        "A host of a cloud never does this: find out what answers in its place.",
    ],
    owner: owner::PKI,
};

const INCOMPLETE_CHAIN: Explanation = Explanation {
    what: "The server does not send the intermediate certificate that links its own to a trusted root.",
    likely: &[
        "Only the server's certificate was installed there, without its intermediates.",
        "A proxy that inspects TLS leaves its intermediate out.",
        "The intermediate was replaced by the authority, and the server still sends the old one.",
    ],
    steps: &[
        "Count what is sent: `openssl s_client -connect HOST:443 -servername HOST -showcerts`; over a proxy add `-proxy PROXY:PORT`.",
        "Have the full chain installed on the server: certificate first, then each intermediate.",
        "Do not take a browser's word for it: browsers and Windows often fetch or remember the missing certificate.",
    ],
    owner: owner::ENDPOINT,
};

const WEAK_SIGNATURE: Explanation = Explanation {
    what: "A certificate is signed with an algorithm or a key that is no longer accepted.",
    likely: &[
        "The certificate is old or from an old internal authority: SHA-1, or an RSA key below 2048 bits.",
        "A proxy that inspects TLS still signs with SHA-1.",
    ],
    steps: &[
        "See which one: `openssl s_client -connect HOST:443 -servername HOST -showcerts`, then `openssl x509 -noout -text` on each.",
        "Have the certificate issued anew with SHA-256 and RSA 2048 or P-256.",
        "If the proxy signs it, have its inspection authority renewed or the host exempted.",
    ],
    owner: owner::PKI,
};

const PIN_MISMATCH: Explanation = Explanation {
    what: "The certificate is none of those that `expect.certificate_sha256` pins for the endpoint. Who vouches for it does not matter then.",
    likely: &[
        "The server's certificate was renewed or replaced, and the pin is that of the old one.",
        "Somebody in between inspects TLS and presents a certificate of their own: the issuer in the detail is theirs.",
        "Another server answers under this name: another node of a load balancer, or a wrong DNS entry.",
    ],
    steps: &[
        "On the server, look which certificate is bound: `netsh http show sslcert` and the computer's certificate store.",
        "If it is the one in the detail, put its SHA-256 into `certificate_sha256`; both may stand there during a change.",
        "If it is not, find out who issued it. A certificate that nobody knows is no reason to change the pin.",
    ],
    owner: owner::CONFIGURATION,
};

const INTERCEPTED: Explanation = Explanation {
    what: "Somebody in between presents a certificate of their own in the endpoint's place: TLS inspection. The issuer in the \
           detail is theirs.",
    likely: &[
        "The proxy or firewall inspects TLS, and this host is not exempted from that.",
        "The machine is on a network whose gateway inspects everything: a guest network, a cloud security service, a VPN.",
        "The endpoint's operator moved to another root authority, and what reachd expects is older than that.",
    ],
    steps: &[
        "See who it is: `openssl s_client -connect HOST:443 -servername HOST -showcerts`; over a proxy add `-proxy PROXY:PORT`.",
        "Have the host exempted from inspection. Microsoft supports none for its management hosts, and some clients pin certificates whatever this machine trusts.",
        "If the inspection is wanted here, set `inspection: tolerated` (under `catalog.overrides`, or in the endpoint's `expect.chain`): it is a warning then.",
        "If the issuer is the operator's own, add its root to the endpoint's `expect.chain.roots`.",
    ],
    owner: owner::PROXY,
};

const REVOKED: Explanation = Explanation {
    what: "The authority took a certificate of the server's chain back before its time: nobody may trust it any more.",
    likely: &[
        "The certificate was replaced, and the server still presents the old one.",
        "Its key was lost or its data were wrong, and the authority had to revoke it.",
        "The certificate of an intermediate authority was revoked; the detail says which one.",
    ],
    steps: &[
        "Read the detail: it says which certificate, since when, why, and who says so.",
        "Have the server's certificate replaced; for an intermediate, have the chain on the server replaced.",
        "Windows remembers former answers for days, in each context: `certutil -urlcache * delete`, also as SYSTEM.",
    ],
    owner: owner::ENDPOINT,
};
