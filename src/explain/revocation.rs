//! Reasons of the phase `revocation`: the certificate is trusted, but whether it was revoked cannot be found out.
//!
//! Windows looks for that in the SYSTEM context, whose proxy is the one of WinHTTP: it is often not the service's.

use super::{Explanation, owner};
use crate::outcome::RevocationReason;

pub(super) fn explain(reason: RevocationReason) -> Explanation {
    match reason {
        RevocationReason::Unreachable => UNREACHABLE,
        RevocationReason::Timeout => TIMEOUT,
        RevocationReason::Stale => STALE,
        RevocationReason::BadSignature => BAD_SIGNATURE,
        RevocationReason::Malformed => MALFORMED,
        RevocationReason::TooLarge => TOO_LARGE,
        RevocationReason::Unknown => UNKNOWN,
    }
}

const UNREACHABLE: Explanation = Explanation {
    what: "Nobody who could tell whether the certificate was revoked is to be reached over the revocation route: no list (CRL), no \
           responder (OCSP).",
    likely: &[
        "The proxy or firewall does not allow the authority's hosts, which are asked over plain HTTP, port 80.",
        "The route has no way out: Windows asks in the SYSTEM context, over the proxy of WinHTTP and not the service's.",
        "The proxy wants a login, which SYSTEM cannot give.",
    ],
    steps: &[
        "Read the detail: it names the URL, the route, and what came back from whom.",
        "Ask for the host to be allowed on port 80, without login and without inspection.",
        "Compare `netsh winhttp show proxy` with the proxy of the service; name the route of WinHTTP under `revocation.route`.",
        "On Windows repeat as SYSTEM: `psexec -s certutil -urlfetch -verify FILE.cer`.",
    ],
    owner: owner::PROXY,
};

const TIMEOUT: Explanation = Explanation {
    what: "No list or answer about the certificate's revocation came in time.",
    likely: &[
        "A firewall drops packets to the authority's hosts on port 80 silently.",
        "The proxy is slow with large files, because it scans them as a whole, and the list is large.",
        "The time-out of the check is too short for the first download; the list is kept after that.",
    ],
    steps: &[
        "Read the detail: it names the URL and the route. Fetch it by hand: `curl -v -x PROXY:PORT -o list.crl URL`.",
        "Look for drops in the firewall's log; compare with another route by `revocation.route`.",
        "Windows gives up after 15 s and remembers that: in the SYSTEM context every connection then waits again.",
    ],
    owner: owner::NETWORK,
};

const STALE: Explanation = Explanation {
    what: "The list or answer about the certificate's revocation is out of date: the time of its own next update is over.",
    likely: &[
        "The authority does not publish any more: its service or its scheduled task has stopped.",
        "A proxy on the revocation route serves an old copy from its cache.",
        "The clock of this machine is wrong.",
    ],
    steps: &[
        "Read the detail: it says when the next update was due. Compare with the clock.",
        "Fetch it and look: `openssl crl -in list.crl -inform DER -noout -nextupdate`.",
        "Current over another route: have the proxy's cached copy purged, and lists not kept past their next update.",
        "Of an internal authority: publish anew, `certutil -crl`.",
    ],
    owner: owner::PKI,
};

const BAD_SIGNATURE: Explanation = Explanation {
    what: "The list or answer about the certificate's revocation is not signed by the authority that issued the certificate.",
    likely: &[
        "The authority was renewed with a new key, and the old and the new list lie under one URL.",
        "The responder's own certificate is over, or was not made for signing OCSP answers.",
        "It is signed with SHA-1, which is no longer believed.",
    ],
    steps: &[
        "Verify by hand: `openssl crl -in list.crl -inform DER -CAfile issuer.pem -noout`.",
        "Of an internal authority: have it write a list for each of its keys, under URLs of their own.",
        "Have the responder's certificate renewed with the usage OCSPSigning.",
    ],
    owner: owner::PKI,
};

const MALFORMED: Explanation = Explanation {
    what: "What came in place of the list or answer about the certificate's revocation cannot be used.",
    likely: &[
        "The proxy answered with a page of its own: a block page, a login, a portal.",
        "The list is of a kind that is not for this certificate: a delta, an indirect one, one of other certificates.",
        "The responder answered that it has no answer now, or none for this authority.",
    ],
    steps: &[
        "Read the detail: it says what it looks like. Fetch it over the same route: `curl -v -x PROXY:PORT URL | head`.",
        "If it is a page, ask for the host to be allowed without login, also for SYSTEM and WinHTTP.",
        "Else ask the authority what it serves under this URL.",
    ],
    owner: owner::PROXY,
};

const TOO_LARGE: Explanation = Explanation {
    what: "The list of revoked certificates is longer than the limit of 50 MiB, and was not read.",
    likely: &[
        "What the URL serves is no list: a download page, a file for something else.",
        "The authority revokes many certificates and never splits its list.",
    ],
    steps: &[
        "Look at its length: `curl -sI URL`.",
        "Have the authority split the list, or offer OCSP; Windows fetches the whole list as well.",
        "If this cannot be, set `revocation: {methods: [stapled, ocsp]}` for the endpoint.",
    ],
    owner: owner::PKI,
};

const UNKNOWN: Explanation = Explanation {
    what: "Nobody could tell whether the certificate was revoked: the authority says that it does not know it, or nobody is named who \
           could be asked.",
    likely: &[
        "The responder does not know the certificate yet: it was issued a moment ago, or by another of its keys.",
        "The certificate names neither a list nor a responder that can be asked over HTTP, only `ldap:` ones or none.",
        "It is the certificate of a proxy that inspects TLS; these seldom name any.",
    ],
    steps: &[
        "See what it names: `openssl x509 -in server.pem -noout -ext crlDistributionPoints,authorityInfoAccess`.",
        "Of an internal authority: add an HTTP URL to its CDP and AIA, and issue the certificate anew.",
        "If the authority offers nothing by design, set `revocation: {mode: report}` for the endpoint.",
    ],
    owner: owner::PKI,
};
