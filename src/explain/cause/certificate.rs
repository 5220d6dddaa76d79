//! Causes that show in certificates.

use crate::explain::{Explanation, owner};

pub(super) const CLOCK_WRONG: Explanation = Explanation {
    what: "The clock of this machine is wrong: several servers agree on another time.",
    likely: &[
        "The time service is stopped, or reaches no time server.",
        "A virtual machine was paused or restored, and its clock with it.",
        "The domain's own time source is wrong.",
    ],
    steps: &[
        "Compare: `w32tm /query /status` or `chronyc tracking` with `reachd_clock_offset_seconds`.",
        "Start the time service, or have UDP port 123 to the time server opened.",
        "Until then expect certificates to be refused and Kerberos logins to fail.",
    ],
    owner: owner::SERVER,
};

pub(super) const TLS_INSPECTION: Explanation = Explanation {
    what: "Somebody on this way looks into TLS: endpoints present certificates that none of their own authorities issued.",
    likely: &[
        "The proxy inspects TLS, and these hosts are not exempted.",
        "A firewall or security agent on the way does.",
    ],
    steps: &[
        "See in the evidence who issued the certificates: the name mostly tells the product.",
        "Have the hosts exempted: Microsoft does not support inspection of management traffic.",
        "Where it is wanted: give the endpoint `chain.inspection: tolerated` and the issuers that may be seen.",
    ],
    owner: owner::PROXY,
};

pub(super) const TRUST_STORE: Explanation = Explanation {
    what: "Several endpoints present certificates that lead to no root of this trust store.",
    likely: &[
        "A root is missing, for the update of roots is switched off or its host is blocked.",
        "The configured `ca_file` lacks the root of a new authority.",
        "TLS is inspected by an authority that this machine does not trust.",
    ],
    steps: &[
        "See in the evidence who issued the certificates. The same unknown issuer everywhere: TLS is inspected.",
        "Look for the root: `reachd check` lists the required roots and how they stand.",
        "Install the root, or allow `ctldl.windowsupdate.com` so that Windows fetches it.",
    ],
    owner: owner::PKI,
};

pub(super) const EXPIRING: Explanation = Explanation {
    what: "A certificate has expired, or expires so soon that it should have been renewed by now.",
    likely: &[
        "Its automatic renewal failed.",
        "It is renewed by hand, and nobody was reminded.",
        "The new one is issued, but the server was not told to use it.",
    ],
    steps: &[
        "See in the evidence which certificate it is, where it is used, and when it ends.",
        "Renew it, install it on every server that presents it, and have them load it.",
        "Look whether the renewal is automatic, and why it did not happen.",
    ],
    owner: owner::PKI,
};

pub(super) const REVOCATION_BLOCKED: Explanation = Explanation {
    what: "Whether certificates were revoked cannot be found out: lists or answers of their authorities cannot be fetched.",
    likely: &[
        "The proxy or firewall does not allow plain HTTP to the hosts of the authorities.",
        "The account that fetches them goes another way: SYSTEM uses the proxy of WinHTTP, not that of a user.",
        "The proxy demands a login, which the fetching of lists does not have.",
    ],
    steps: &[
        "See in the evidence which hosts, over which route, and what came back.",
        "Have these hosts allowed on port 80, without a login and without inspection.",
        "Try as SYSTEM: `certutil -url URL` or `curl.exe -v URL` in a prompt of `psexec -s cmd`.",
    ],
    owner: owner::PROXY,
};
