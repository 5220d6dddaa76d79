use super::*;
use crate::route::Bypass;

const ENGLISH: &str = "\r\nCurrent WinHTTP proxy settings:\r\n\r\n    Proxy Server(s) :  proxy.corp.example:8080\r\n    \
                       Bypass List     :  *.local;<local>\r\n\r\n";

/// The proxy as a URL, the number of bypass patterns and the notes.
fn understood(text: &[u8]) -> (Option<String>, usize, Vec<String>) {
    let found = read(text).unwrap_or_else(|error| panic!("{error}"));
    let patterns = |bypass: &Bypass| bypass.patterns().len();
    let bypass = found.proxy.as_ref().map(|proxy| patterns(&proxy.bypass));
    let url = found
        .proxy
        .map(|proxy| format!("{}://{}", proxy.kind.scheme(), proxy.authority));
    (url, bypass.unwrap_or_default(), found.notes)
}

#[test]
fn settings_in_several_languages() {
    // the output, the proxy, the number of bypass patterns
    let table = [
        (ENGLISH, Some("http://proxy.corp.example:8080"), 2),
        (
            "Current WinHTTP proxy settings:\n\n    Direct access (no proxy server).\n",
            None,
            0,
        ),
        (
            "Paramètres de proxy WinHTTP actuels :\n\n    Accès direct (pas de serveur proxy).\n",
            None,
            0,
        ),
        (
            "Paramètres de proxy WinHTTP actuels :\n\n    Serveur(s) proxy :  proxy:3128\n    \
             Liste de contournement     :  (aucun)\n",
            Some("http://proxy:3128"),
            0,
        ),
        (
            "Aktuelle WinHTTP-Proxyeinstellungen:\n\n    Direktzugriff (kein Proxyserver).\n",
            None,
            0,
        ),
        (
            "Aktuelle WinHTTP-Proxyeinstellungen:\n\n    Proxyserver:  10.0.0.1:8080\n    \
             Umgehungsliste     :  <local>;*.corp.example 10.*\n",
            Some("http://10.0.0.1:8080"),
            3,
        ),
        (
            "当前的 WinHTTP 代理服务器设置：\n\n    代理服务器：  [fd00::1]:8080\n    绕过列表：  （无）\n",
            Some("http://[fd00::1]:8080"),
            0,
        ),
        (
            "Current WinHTTP proxy settings:\n    Proxy Server(s) : (none)\n    Bypass List : (none)\n",
            None,
            0,
        ),
    ];
    for (text, proxy, bypass) in table {
        let understood = understood(text.as_bytes());
        assert_eq!(
            understood,
            (proxy.map(str::to_owned), bypass, vec![]),
            "{text}"
        );
    }
}

#[test]
fn encodings_of_a_console() {
    let expected = (Some("http://proxy.corp.example:8080".to_owned()), 2, vec![]);
    let utf_16: Vec<u8> = std::iter::once(0xfeff)
        .chain(ENGLISH.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(understood(&utf_16), expected);
    let with_mark = [b"\xef\xbb\xbf", ENGLISH.as_bytes()].concat();
    assert_eq!(understood(&with_mark), expected);
    // Code page 850 writes the letter of "Paramètres" as 0x8a.
    let code_page =
        b"Param\x8atres de proxy WinHTTP actuels :\r\n\r\n    Serveur(s) proxy :  proxy:80\r\n";
    assert_eq!(understood(code_page).0.as_deref(), Some("http://proxy:80"));
}

#[test]
fn lists_of_proxies() {
    // the list, the proxy, whether https goes over it, the number of notes
    let table = [
        ("proxy:8080", "http://proxy:8080", true, 0),
        ("http://proxy:8080/", "http://proxy:8080", true, 0),
        ("proxy", "http://proxy:80", true, 1),
        ("https://proxy", "https://proxy:443", true, 1),
        ("http=a:80;https=b:88", "http://b:88", true, 1),
        ("HTTPS=b:88 http=a:80", "http://b:88", true, 1),
        (
            "https=http://b:88;ftp=c:21;socks=d:1080",
            "http://b:88",
            true,
            2,
        ),
        ("http=a:80;c:8080", "http://c:8080", true, 1),
        ("a:80;b:80", "http://a:80", true, 1),
        ("http=a:80", "http://a:80", false, 0),
    ];
    for (list, url, carries_https, notes) in table {
        let text = format!("WinHTTP:\n  P : {list}\n  B : (none)\n");
        let found = read(text.as_bytes()).unwrap();
        assert_eq!(found.notes.len(), notes, "{list}: {:?}", found.notes);
        let proxy = found.proxy.unwrap();
        let read = format!("{}://{}", proxy.kind.scheme(), proxy.authority);
        assert_eq!((read.as_str(), proxy.carries_https), (url, carries_https));
    }
    let only_ftp = understood(b"WinHTTP:\n  P : ftp=a:21\n");
    assert_eq!((only_ftp.0, only_ftp.2.len()), (None, 1));
}

#[test]
fn json_of_the_advanced_settings() {
    // the JSON, the proxy, the number of bypass patterns, what the notes begin with
    let table: [(&str, Option<&str>, usize, &[&str]); 6] = [
        (
            r#"{"ProxyIsEnabled": true, "Proxy": "proxy:8080", "ProxyBypass": "<local>;*.corp.example",
                "AutoConfigIsEnabled": false, "AutoconfigUrl": "", "AutoDetect": false, "PerUserProxySettings": true}"#,
            Some("http://proxy:8080"),
            2,
            &[],
        ),
        (
            r#"{"Proxy": "http=a:80;https=b:88", "ProxyBypass": ""}"#,
            Some("http://b:88"),
            0,
            &["the list of proxies: `http=a:80` is left out"],
        ),
        (
            r#"{"ProxyIsEnabled": false, "Proxy": "proxy:8080", "AutoDetect": true}"#,
            None,
            0,
            &["AutoDetect is on", "Proxy is set, but"],
        ),
        (
            r#"{"AutoConfigIsEnabled": true, "AutoconfigUrl": "http://pac.corp.example/p.pac"}"#,
            None,
            0,
            &[],
        ),
        (
            r#"{"AutoConfigIsEnabled": true, "AutoconfigUrl": "file://c:/p.pac"}"#,
            None,
            0,
            &["AutoconfigUrl is no URL"],
        ),
        (
            "Aktuelle erweiterte WinHTTP-Proxyeinstellungen:\r\n\r\n{\"AutoDetect\": false, \"proxy\": \"p:1\"}\r\n",
            Some("http://p:1"),
            0,
            &[],
        ),
    ];
    for (json, proxy, bypass, expected) in table {
        let (found, patterns, notes) = understood(json.as_bytes());
        assert_eq!((found.as_deref(), patterns), (proxy, bypass), "{json}");
        assert_eq!(notes.len(), expected.len(), "{notes:?}");
        for (note, beginning) in notes.iter().zip(expected) {
            assert!(note.starts_with(beginning), "{note}");
        }
    }
}

#[test]
fn bypass_patterns_that_cannot_be_used_are_told() {
    let text = "WinHTTP:\n  P : p:1\n  B : 169.254/16;<-loopback>;u:hunter2@a;<local>\n";
    let (_, patterns, notes) = understood(text.as_bytes());
    assert_eq!((patterns, notes.len()), (1, 3), "{notes:?}");
    let notes = notes.join("\n");
    assert!(notes.contains("`169.254/16`") && notes.contains("`<-loopback>`"));
    assert!(!notes.contains("hunter2"), "{notes}");
}

#[test]
fn anything_else_is_refused_with_what_was_expected() {
    let long = "x".repeat(MAX_BYTES + 1);
    for text in [
        "\n",
        "hello",
        "proxy: a\nbypass: b\n",
        "WinHTTP:",
        "WinHTTP:\n  a : b\n  c : d\n  e : f\n",
        "WinHTTP:\n  a : b\n  direct\n",
        "{}",
        "{\"ProxyServer\": \"a:80\"}",
        "{\"Proxy\": \"a:80\"",
        "{\"Proxy\": }",
        "WinHTTP:\n  P : :80\n",
        "WinHTTP:\n  P : p:99999\n",
        "WinHTTP:\n  P : gopher://p:70\n",
        "WinHTTP:\n  P : user:hunter2@p:80\n",
        "\u{0}\u{1}\u{2}",
        &long,
    ] {
        let refused = read(text.as_bytes()).unwrap_err().to_string();
        assert!(refused.contains("\nexpected"), "{text}: {refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
    }
}
