//! Reasons of the phases `request` and `response`: the endpoint was reached, but its answer is missing or
//! not one that counts.

use super::{Explanation, owner};
use crate::outcome::{RequestReason, ResponseReason};

pub(super) fn explain_request(reason: RequestReason) -> Explanation {
    match reason {
        RequestReason::Timeout => REQUEST_TIMEOUT,
        RequestReason::Closed => REQUEST_CLOSED,
        RequestReason::Reset => REQUEST_RESET,
        RequestReason::ProtocolError => REQUEST_PROTOCOL_ERROR,
        RequestReason::CredentialsUnavailable => CREDENTIALS_UNAVAILABLE,
    }
}

pub(super) fn explain_response(reason: ResponseReason) -> Explanation {
    match reason {
        ResponseReason::Timeout => RESPONSE_TIMEOUT,
        ResponseReason::Closed => RESPONSE_CLOSED,
        ResponseReason::Reset => RESPONSE_RESET,
        ResponseReason::ProtocolError => RESPONSE_PROTOCOL_ERROR,
        ResponseReason::BadStatus => BAD_STATUS,
        ResponseReason::AuthRejected => AUTH_REJECTED,
        ResponseReason::UnsupportedAuth => UNSUPPORTED_AUTH,
        ResponseReason::ProxyStatus => PROXY_STATUS,
        ResponseReason::BodyMismatch => BODY_MISMATCH,
        ResponseReason::HeaderMismatch => HEADER_MISMATCH,
        ResponseReason::TooLarge => TOO_LARGE,
        ResponseReason::TooManyRedirects => TOO_MANY_REDIRECTS,
        ResponseReason::BadRedirect => BAD_REDIRECT,
        ResponseReason::RedirectToOtherScheme => REDIRECT_TO_OTHER_SCHEME,
    }
}

// === Sent, and nothing came back ===

const REQUEST_TIMEOUT: Explanation = Explanation {
    what: "The request was sent, and no answer began in time.",
    likely: &[
        "The server is overloaded, or waits for something behind it.",
        "A proxy or firewall holds the answer back to scan it.",
        "The timeout of the check is too short for this endpoint.",
    ],
    steps: &[
        "Measure: `curl -v -m 120 -o NUL -w \"%{time_starttransfer}\" URL`; over a proxy add `-x http://PROXY:PORT`.",
        "Compare the routes in reachd. Slow over the proxy only: ask the proxy team.",
        "Slow everywhere: ask the endpoint's operator, or raise the endpoint's `timeout` if this is its normal pace.",
    ],
    owner: owner::ENDPOINT,
};

const REQUEST_CLOSED: Explanation = Explanation {
    what: "The request was sent, and the connection was closed without an answer.",
    likely: &[
        "A proxy or firewall read the request and dropped it.",
        "The server, or the load balancer before it, has no healthy process behind it.",
        "The server ended an idle connection in the same moment.",
    ],
    steps: &[
        "Repeat: `curl -v URL`; over a proxy add `-x http://PROXY:PORT`.",
        "Compare the routes in reachd: failing over one only means that something on that route closes.",
        "Your own server: look in its log for this request and for a restart.",
    ],
    owner: owner::ENDPOINT,
};

const REQUEST_RESET: Explanation = Explanation {
    what: "The request was sent, and the connection was reset without an answer.",
    likely: &[
        "A firewall or intrusion prevention system objects to the request.",
        "The server's process crashed or was restarted.",
    ],
    steps: &[
        "Repeat a few times: `curl -v URL`; over a proxy add `-x http://PROXY:PORT`. Always means a rule, sometimes means load.",
        "Look for this destination in the logs of the firewall and of intrusion prevention.",
        "Your own server: look in its log for a crash at this time.",
    ],
    owner: owner::NETWORK,
};

const REQUEST_PROTOCOL_ERROR: Explanation = Explanation {
    what: "What came back for the request is not HTTP.",
    likely: &[
        "Another service listens on this port, or the scheme in the URL is wrong.",
        "The server expects TLS there, and the URL says http.",
        "A device on the way answers in a form of its own.",
    ],
    steps: &[
        "See what answers: `curl -v --http0.9 URL`; over a proxy add `-x http://PROXY:PORT`.",
        "Check scheme and port of the endpoint's URL. For a port that does not speak HTTP write `tcp://` or `tls://`.",
    ],
    owner: owner::CONFIGURATION,
};

const CREDENTIALS_UNAVAILABLE: Explanation = Explanation {
    what: "There is nothing to log in to the endpoint with: no Kerberos ticket could be had for it. It was reached, and was not asked.",
    likely: &[
        "The ticket has expired and nobody ran `kinit` for reachd's account, or the keytab is older than the account's password.",
        "No domain controller (KDC) answers, or the clocks differ by more than five minutes.",
        "The endpoint's host has no service principal HTTP/HOST in the directory, or its URL has another name than that.",
        "It is not the KDC but reachd: its helper process for Kerberos did not start, died, or was busy. The detail says so.",
    ],
    steps: &[
        "Ask for the ticket as reachd would: `kinit -k -t KEYTAB PRINCIPAL`, then `kvno HTTP/HOST`.",
        "Compare the URL's host with the service principals: `setspn -Q HTTP/HOST`.",
        "Make the keytab anew after a change of the password, or set `auth` of the endpoint to `ntlm`.",
    ],
    owner: owner::IDENTITY,
};

// === An answer began, and did not end well ===

const RESPONSE_TIMEOUT: Explanation = Explanation {
    what: "An answer began but did not end in time.",
    likely: &[
        "The line, or a proxy that scans what passes, is slow.",
        "The answer is large or endless, such as a download or a stream.",
        "A device on the way stopped forwarding in the middle.",
    ],
    steps: &[
        "Measure: `curl -v -m 120 -o NUL -w \"%{size_download} %{time_total}\" URL`; over a proxy add `-x http://PROXY:PORT`.",
        "Name a smaller URL of the same host for the check.",
        "If only the proxy is slow, ask for the host to be exempt from scanning.",
    ],
    owner: owner::NETWORK,
};

const RESPONSE_CLOSED: Explanation = Explanation {
    what: "The connection was closed in the middle of the answer.",
    likely: &[
        "The server's process ended, or a load balancer cut the connection.",
        "A proxy aborted the transfer: a scanner found something, or its own timeout passed.",
    ],
    steps: &[
        "Repeat: `curl -v -o NUL URL`; over a proxy add `-x http://PROXY:PORT`.",
        "Compare the routes in reachd: failing over one only means that something on that route closes.",
        "Look in the server's or the proxy's log for this request.",
    ],
    owner: owner::ENDPOINT,
};

const RESPONSE_RESET: Explanation = Explanation {
    what: "The connection was reset in the middle of the answer.",
    likely: &[
        "A firewall or intrusion prevention system cut the connection when it saw the content.",
        "The server's process crashed.",
        "A firewall forgot the connection because it lasted too long.",
    ],
    steps: &[
        "Repeat a few times: `curl -v -o NUL URL`; over a proxy add `-x http://PROXY:PORT`.",
        "Look for this destination in the logs of the firewall and of intrusion prevention.",
    ],
    owner: owner::NETWORK,
};

const RESPONSE_PROTOCOL_ERROR: Explanation = Explanation {
    what: "The answer began as HTTP and broke its rules: a bad header, length or frame.",
    likely: &[
        "A proxy or firewall rewrites the answer and breaks it.",
        "The server has a fault.",
    ],
    steps: &[
        "Compare both versions: `curl -v --http1.1 URL` and `curl -v --http2 URL`; over a proxy add `-x http://PROXY:PORT`.",
        "Compare the routes in reachd. Broken over one only: look for what rewrites there.",
    ],
    owner: owner::ENDPOINT,
};

// === A whole answer, and not one that counts as reachable ===

const BAD_STATUS: Explanation = Explanation {
    what: "The HTTP status does not count as reachable. By default these are 407, 408, 426, 451, 502, 511, 598 and 599, as for the service connection point.",
    likely: &[
        "407, 408, 451, 502 and 511 hint at a proxy or gateway, 598 and 599 at timeouts of one.",
        "426 hints at TLS: the server wants another version or protocol.",
        "The endpoint's own `expect.status` is narrower than what the server now answers.",
        "Where the catalog or `expect.meaning` has a sentence for the status, it stands at the end of the detail.",
    ],
    steps: &[
        "See the answer and who gives it (headers Server and Via): `curl -v URL`; over a proxy add `-x http://PROXY:PORT`.",
        "If a proxy or gateway answers, give its operator host, time and status.",
        "401: set `auth` of the endpoint in reachd's configuration, or name 401 in `expect.status`.",
        "If the endpoint answers rightly so, correct `expect.status`.",
    ],
    owner: owner::ENDPOINT,
};

const AUTH_REJECTED: Explanation = Explanation {
    what: "The endpoint was sent a login and does not accept it: it answers 401 again.",
    likely: &[
        "The password is wrong or has expired, or the account is locked.",
        "The server demands channel binding (extended protection), which reachd does not send.",
        "Kerberos: the service principal HTTP/HOST belongs to another account than the one under which the service runs.",
        "NTLM: the domain restricts it, or the account's domain is missing in `auth`.",
    ],
    steps: &[
        "Test with the same account: `curl -v --ntlm -u \"DOMAIN\\USER\" URL`, or `--negotiate -u :` after `kinit`.",
        "See whether the account is locked or expired: `net user USER /domain`, and look in the server's security log (event 4625).",
        "Renew the password file or the keytab of the endpoint's `auth` in reachd.",
    ],
    owner: owner::IDENTITY,
};

const UNSUPPORTED_AUTH: Explanation = Explanation {
    what: "The endpoint asks for a login (401), and offers no scheme that is configured for it in reachd.",
    likely: &[
        "It offers Negotiate or NTLM only, as Windows authentication does, and reachd is given Basic or Digest credentials.",
        "Its Negotiate takes Kerberos only, and reachd is given NTLM credentials.",
        "Something before the server, such as a load balancer, ends the connection between the steps of NTLM.",
        "It is not the service that answers but another site on the same port.",
    ],
    steps: &[
        "See what it offers: the failure's detail, or the headers WWW-Authenticate of `curl -v URL`.",
        "Set another kind of `auth` for the endpoint: basic, digest, ntlm or negotiate.",
    ],
    owner: owner::CONFIGURATION,
};

const PROXY_STATUS: Explanation = Explanation {
    what: "The answer is the proxy's own and not the endpoint's. The endpoint was not reached.",
    likely: &[
        "The proxy denies the host, and says so with a block page, which may have the status 200.",
        "A portal wants a login first: the redirect in the detail leads there.",
        "The proxy cannot reach or resolve the endpoint and answers with an error page.",
        "For revocation hosts (CRL, OCSP): the proxy allows https and not plain http.",
    ],
    steps: &[
        "See the proxy's own words: `curl -v -x http://PROXY:PORT URL`.",
        "A block page, a portal, 403 or 407: ask for the host to be allowed without a login. Windows checks certificates as SYSTEM, without the credentials of the console.",
        "502, 503 or 504: have the way from the proxy to the endpoint checked.",
    ],
    owner: owner::PROXY,
};

const BODY_MISMATCH: Explanation = Explanation {
    what: "The server answered, but the body is not what the endpoint's `expect.body` asks for.",
    likely: &[
        "The page is another one: a login form, a block page or an error.",
        "The application was updated and says it differently now.",
    ],
    steps: &[
        "Read what comes: `curl -s URL`; over a proxy add `-x http://PROXY:PORT`.",
        "A block page or login form: ask the proxy team for the host to be allowed.",
        "A good page: correct `expect.body`.",
    ],
    owner: owner::ENDPOINT,
};

const HEADER_MISMATCH: Explanation = Explanation {
    what: "The server answered, but a header is missing or not what the endpoint's `expect.header` asks for.",
    likely: &[
        "Something else answers: a block page, a load balancer's error, a default site.",
        "A proxy removes or rewrites the header.",
        "The application was updated.",
    ],
    steps: &[
        "Read the headers: `curl -s -D - -o NUL URL`; over a proxy add `-x http://PROXY:PORT`.",
        "Compare the routes in reachd. Different over one only: something on that route rewrites.",
        "If the new header is right, correct `expect.header`.",
    ],
    owner: owner::ENDPOINT,
};

const TOO_LARGE: Explanation = Explanation {
    what: "The headers or the body are longer than reachd's limit. It stopped reading; nothing was judged.",
    likely: &[
        "The URL names a download rather than a small page.",
        "The server sends without end.",
    ],
    steps: &[
        "See how much comes: `curl -s -m 60 -o NUL -w \"%{size_header} %{size_download}\" URL`.",
        "Name a smaller URL of the same host, or raise the endpoint's limit if the size is right.",
    ],
    owner: owner::CONFIGURATION,
};

const TOO_MANY_REDIRECTS: Explanation = Explanation {
    what: "The endpoint redirects more often than is allowed.",
    likely: &[
        "The redirects form a loop: between two hosts, or because a cookie that was set is not sent back.",
        "A proxy or captive portal redirects to its login page again and again.",
        "The endpoint's `max_redirects` is too low.",
    ],
    steps: &[
        "Follow them: `curl -v -L --max-redirs 15 -o NUL URL`; over a proxy add `-x http://PROXY:PORT`.",
        "If a login page is among them, ask the proxy team for the host to be allowed.",
        "If the first redirect proves enough, name its status in `expect.status`.",
    ],
    owner: owner::ENDPOINT,
};

const BAD_REDIRECT: Explanation = Explanation {
    what: "The endpoint redirects, but without a target that could be followed.",
    likely: &[
        "The server's redirect has no Location header, or one that is no URL.",
        "A device on the way removed or rewrote the header.",
    ],
    steps: &[
        "Read it: `curl -v -o NUL URL`, header Location; over a proxy add `-x http://PROXY:PORT`.",
        "Compare the routes in reachd. Bad over one only: something on that route rewrites.",
        "If the redirect itself proves enough, name its status in `expect.status`.",
    ],
    owner: owner::ENDPOINT,
};

const REDIRECT_TO_OTHER_SCHEME: Explanation = Explanation {
    what: "The endpoint redirects from https to plain http, or to something that is not HTTP. reachd does not follow that.",
    likely: &[
        "A proxy or captive portal sends to its plain-http block page or login page.",
        "A server behind a load balancer does not know that it is reached over https.",
    ],
    steps: &[
        "Read the target: `curl -v -o NUL URL`, header Location; over a proxy add `-x http://PROXY:PORT`.",
        "A page of the proxy: ask for the host to be allowed.",
        "Your own server: have its public URL set to https.",
    ],
    owner: owner::ENDPOINT,
};
