use std::path::Path;

use url::Host;

use super::*;
use crate::config::Config;

const SECRET: &str = "hunter2";

/// What is printed is a configuration.
fn parsed(suggestion: &Suggestion) -> (String, Config) {
    let text = suggestion.to_string();
    let password = |name: &str| (name == PASSWORD).then(|| SECRET.to_owned());
    let config = Config::parse("f.yml", &text, Path::new(""), &password)
        .unwrap_or_else(|problems| panic!("{problems}\n{text}"));
    assert!(!text.contains(SECRET), "{text}");
    (text, config)
}

fn of_environment(variables: &[(&str, &str)]) -> Suggestion {
    let lookup = |name: &str| {
        let set = variables.iter().find(|(set, _)| *set == name);
        set.map(|(_, value)| (*value).to_owned())
    };
    Suggestion::of_environment(&lookup).unwrap()
}

fn proxy_of<'c>(config: &'c Config, name: &str) -> &'c Proxy {
    let route = config.routes.iter().find(|route| route.name == name);
    route.unwrap().proxy().unwrap()
}

#[test]
fn the_environment_comes_back_as_the_same_proxy() {
    for value in [
        "http://proxy.corp.example:3128",
        "https://proxy.corp.example",
        "socks5h://us%24%7Ber:hunter2@[fd00::1]:1080",
        "http://user:hunter2@proxy:3128",
    ] {
        let lookup = |name: &str| (name == "HTTPS_PROXY").then(|| value.to_owned());
        let used = environment::proxy(&proxies_of(lookup)).unwrap().proxy;
        let (_, config) = parsed(&of_environment(&[("HTTPS_PROXY", value)]));
        assert_eq!(Some(proxy_of(&config, "environment")), used.as_ref());
        assert_eq!(config.default_routes, ["environment"]);
    }
}

#[test]
fn no_proxy_means_the_same_in_the_file() {
    let no_proxy = "corp.example,.corp.example, *.corp.example,10.0.0.0/8,[::1]:8443,cm01:81,cm*.x,a/b,u:hunter2@x";
    let (text, config) = parsed(&of_environment(&[
        ("HTTPS_PROXY", "http://proxy:1"),
        ("NO_PROXY", no_proxy),
    ]));
    for (host, port, expected) in [
        ("corp.example", 443, true),
        ("cm01.corp.example", 443, true),
        ("notcorp.example", 443, false),
        ("10.1.2.3", 443, true),
        ("[::1]", 8443, true),
        ("[::1]", 443, false),
        ("cm01", 81, true),
        ("cm01.x", 443, false),
    ] {
        let bypass = &proxy_of(&config, "environment").bypass;
        let host = Host::parse(host).unwrap();
        assert_eq!(bypass.matches(&host, port), expected, "{host}:{port}");
    }
    for told in ["# NO_PROXY: `cm*.x`", "# NO_PROXY: `a/b`", "an `@`"] {
        assert!(text.contains(told), "{told}: {text}");
    }
}

#[test]
fn what_the_file_cannot_hold_becomes_a_comment() {
    let (text, config) = parsed(&of_environment(&[("ALL_PROXY", "http://:hunter2@proxy:1")]));
    assert_eq!(proxy_of(&config, "environment").credentials, None);
    assert!(text.contains("the login is left out"), "{text}");

    let many: Vec<String> = (0..=MAX_PATTERNS)
        .map(|n| format!("h{n}.example"))
        .collect();
    let many = many.join(",");
    let (text, _) = parsed(&of_environment(&[
        ("ALL_PROXY", "p:1"),
        ("NO_PROXY", &many),
    ]));
    assert!(text.contains("left out: h500.example"), "{text}");
}

#[test]
fn nothing_set_is_direct() {
    let (text, config) = parsed(&of_environment(&[("NO_PROXY", "corp.example")]));
    assert_eq!(config.default_routes, ["direct"]);
    assert!(text.contains("name no proxy"), "{text}");
}

#[test]
fn winhttp_is_written_whole() {
    let output = "WinHTTP:\n  P : http=a:80;https=b:88\n  B : <local>;*.corp.example;169.254/16;\u{1b}[31m\n";
    let (text, _) = parsed(&Suggestion::of_winhttp(output.as_bytes()).unwrap());
    let expected = "\
# From the settings of WinHTTP.
# the list of proxies: `http=a:80` is left out: one proxy is used for every endpoint, that of https
# the bypass list: `169.254/16` is not a host pattern: write a host, an address or a network, without scheme or path: \
this part is left out
# the bypass list: `?[31m` is not a host pattern: write a host, an address or a network, without scheme or path: this \
part is left out
proxies:
  winhttp:
    url: http://b:88
    bypass: [\"<local>\", \"*.corp.example\"]
routes: [winhttp]
";
    assert_eq!(text, expected);
}

#[test]
fn winhttp_for_http_only_and_direct() {
    for (output, routes, told) in [
        ("WinHTTP:\n  P : http=a:80\n", "direct", "for http only"),
        ("WinHTTP:\n  direct.\n", "direct", "no proxy set"),
        ("{\"AutoDetect\": true}", "direct", "(WPAD)"),
    ] {
        let (text, config) = parsed(&Suggestion::of_winhttp(output.as_bytes()).unwrap());
        assert_eq!(config.default_routes, [routes]);
        assert!(text.contains(told), "{text}");
    }
}

#[test]
fn the_script_of_winhttp_comes_before_its_proxy() {
    let output = r#"{"ProxyIsEnabled": true, "Proxy": "proxy:8080", "AutoConfigIsEnabled": true,
        "AutoconfigUrl": "http://wpad.corp.example/wpad.dat"}"#;
    let (text, config) = parsed(&Suggestion::of_winhttp(output.as_bytes()).unwrap());
    let expected = "\
# From the settings of WinHTTP.
# the proxy http://proxy:8080 is set as well: Windows asks it where the script cannot be had, so it is left out
proxies:
  winhttp:
    pac:
      url: http://wpad.corp.example/wpad.dat
      failover: false
      refresh: 10m
routes: [winhttp]
";
    assert_eq!(text, expected);
    assert_eq!(config.default_routes, ["winhttp"]);
}

#[test]
fn where_windows_asks_a_script_nothing_is_claimed_of_direct_access() {
    for settings in [
        r#"{"AutoDetect": true}"#,
        r#"{"AutoConfigIsEnabled": true, "AutoconfigUrl": "file://c:/p.pac"}"#,
    ] {
        let text = Suggestion::of_winhttp(settings.as_bytes())
            .unwrap()
            .to_string();
        assert!(!text.contains("direct access"), "{text}");
        assert!(text.contains("asks a script"), "{text}");
    }
    let settings = br#"{"AutoDetect": true, "ProxyIsEnabled": true, "Proxy": "p:1"}"#;
    let text = Suggestion::of_winhttp(settings).unwrap().to_string();
    assert!(text.contains("only where the script"), "{text}");
}
