//! Scripts that work, scripts that fail, and every function that a script may call.

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::super::desk::Names;

use super::*;

/// Saturday, 6 June 2026, 13:45:30 in UTC.
const NOW: &str = "2026-06-06T13:45:30Z";

/// What the name service of these tests knows.
fn addresses(name: &str) -> Vec<IpAddr> {
    let found: &[&str] = match name {
        "four.example" => &["10.1.2.3"],
        "six.example" => &["2001:db8::1"],
        "both.example" => &["2001:db8::1", "10.1.2.3"],
        _ => &[],
    };
    found.iter().map(|text| text.parse().unwrap()).collect()
}

fn sandbox() -> Sandbox {
    sandbox_that_knows(Names::new())
}

fn sandbox_that_knows(names: Names) -> Sandbox {
    let desk = Rc::new(Desk::new());
    desk.clear(names);
    Sandbox::new(desk).unwrap()
}

fn run(script: &str) -> Result<String, Trouble> {
    let mut names = Names::new();
    loop {
        let sandbox = sandbox_that_knows(names.clone());
        let found = sandbox
            .load(script)
            .and_then(|()| sandbox.find("https://web.example/", "web.example"));
        match found {
            Err(Trouble::NameNeeded(name)) => names.insert(name.clone(), addresses(&name)),
            found => return found,
        };
    }
}

/// The value of an expression as JSON, at a fixed time.
fn value(expression: &str) -> String {
    let script = format!(
        "const RealDate = Date; Date = function () {{ return new RealDate('{NOW}'); }};\n\
         function FindProxyForURL(url, host) {{ return String(JSON.stringify({expression})); }}"
    );
    run(&script).unwrap_or_else(|trouble| trouble.to_string())
}

fn each_is(table: &[(&str, &str)]) {
    let wrong: Vec<String> = table
        .iter()
        .map(|(expression, expected)| (expression, value(expression), expected))
        .filter(|(_, found, expected)| found != *expected)
        .map(|(expression, found, expected)| format!("{expression}: {found}, not {expected}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_and_addresses() {
    each_is(&[
        ("isPlainHostName('www')", "true"),
        ("isPlainHostName('www.example')", "false"),
        ("isPlainHostName('2001:db8::1')", "false"),
        ("dnsDomainIs('www.corp.example', '.corp.example')", "true"),
        (
            "dnsDomainIs('www.corp.example', 'www.corp.example')",
            "true",
        ),
        ("dnsDomainIs('www', '.corp.example')", "false"),
        ("dnsDomainIs('www.corp.example', '.CORP.example')", "false"),
        ("localHostOrDomainIs('www', 'www.corp.example')", "true"),
        (
            "localHostOrDomainIs('www.corp.example', 'www.corp.example')",
            "true",
        ),
        (
            "localHostOrDomainIs('www.other.example', 'www.corp.example')",
            "false",
        ),
        ("localHostOrDomainIs('ww', 'www.corp.example')", "false"),
        ("isResolvable('four.example')", "true"),
        ("isResolvable('six.example')", "false"),
        ("isResolvable('none.example')", "false"),
        ("dnsResolve('both.example')", "\"10.1.2.3\""),
        ("dnsResolve('192.0.2.1')", "\"192.0.2.1\""),
        ("dnsResolve('none.example')", "null"),
        ("dnsResolve('')", "null"),
        ("isInNet('four.example', '10.1.0.0', '255.255.0.0')", "true"),
        (
            "isInNet('four.example', '10.2.0.0', '255.255.0.0')",
            "false",
        ),
        (
            "isInNet('198.95.249.79', '198.95.249.79', '255.255.255.255')",
            "true",
        ),
        ("isInNet('223.1.2.3', '223.0.0.0', '255.0.0.0')", "true"),
        ("isInNet('none.example', '0.0.0.0', '0.0.0.0')", "false"),
        ("isInNet('six.example', '10.0.0.0', '255.0.0.0')", "false"),
        ("isInNet('10.1.2.3', '10.0.0.0/8', '255.0.0.0')", "false"),
        ("convert_addr('104.16.41.2')", "1745889538"),
        ("convert_addr('255.255.255.255')", "-1"),
        ("/^\\d+\\.\\d+\\.\\d+\\.\\d+$/.test(myIpAddress())", "true"),
        ("typeof myIpAddressEx()", "\"string\""),
    ]);
}

#[test]
fn patterns() {
    each_is(&[
        ("dnsDomainLevels('www')", "0"),
        ("dnsDomainLevels('www.corp.example')", "2"),
        (
            "shExpMatch('http://home.example/people/a.html', '*/people/*')",
            "true",
        ),
        (
            "shExpMatch('http://home.example/x/a.html', '*/people/*')",
            "false",
        ),
        ("shExpMatch('www.example', '*.example')", "true"),
        ("shExpMatch('wwwxexample', '*.example')", "false"),
        ("shExpMatch('WWW.example', 'www.*')", "false"),
        ("shExpMatch('abc', 'a?c')", "true"),
        ("shExpMatch('ac', 'a?c')", "false"),
        ("shExpMatch('a(b', 'a(b')", "true"),
        ("shExpMatch('', '*')", "true"),
        ("shExpMatch('b.example', '(a|b).example')", "true"),
        ("shExpMatch('c.example', '(a|b).example')", "false"),
        ("shExpMatch('bxexample', '(a|b).example')", "false"),
        ("shExpMatch('srv7', 'srv[0-9]')", "true"),
        ("shExpMatch('srvx', 'srv[0-9]')", "false"),
        ("shExpMatch('a.b/c', '(a|x)*')", "true"),
        ("shExpMatch('a(', 'a(')", "true"),
        ("shExpMatch('\\ud800', '?')", "true"),
        ("isResolvable('\\ud800')", "false"),
        ("alert('\\ud800')", "undefined"),
        (
            "shExpMatch('aaaaaaaaaaaaaaaaaaaaaaaaaaaaab', 'a*a*a*a*a*a*a*a*a*c')",
            "false",
        ),
    ]);
}

#[test]
fn times() {
    each_is(&[
        ("weekdayRange('SAT', 'GMT')", "true"),
        ("weekdayRange('MON', 'FRI', 'GMT')", "false"),
        ("weekdayRange('FRI', 'MON', 'GMT')", "true"),
        ("weekdayRange('sun', 'gmt')", "false"),
        ("weekdayRange('YESTERDAY')", "false"),
        ("dateRange(6, 'GMT')", "true"),
        ("dateRange(7, 'GMT')", "false"),
        ("dateRange(1, 15, 'GMT')", "true"),
        ("dateRange('JUN', 'GMT')", "true"),
        ("dateRange('JAN', 'MAR', 'GMT')", "false"),
        ("dateRange('OCT', 'JUN', 'GMT')", "true"),
        ("dateRange(2026, 'GMT')", "true"),
        ("dateRange(2027, 2030, 'GMT')", "false"),
        ("dateRange(6, 'JUN', 'GMT')", "true"),
        ("dateRange(6, 'JUN', 2026, 'GMT')", "true"),
        ("dateRange(6, 'JUN', 2025, 'GMT')", "false"),
        ("dateRange(1, 'JUN', 15, 'AUG', 'GMT')", "true"),
        ("dateRange(7, 'JUN', 15, 'AUG', 'GMT')", "false"),
        ("dateRange('OCT', 2025, 'MAR', 2027, 'GMT')", "true"),
        ("dateRange(1, 'JUN', 1995, 15, 'AUG', 1995, 'GMT')", "false"),
        ("dateRange(7, 'JUN', 2025, 5, 'JUN', 2027, 'GMT')", "true"),
        ("dateRange('NEVER')", "false"),
        ("dateRange()", "false"),
        ("timeRange(13, 'GMT')", "true"),
        ("timeRange(12, 13, 'GMT')", "true"),
        ("timeRange(14, 18, 'GMT')", "false"),
        ("timeRange(22, 14, 'GMT')", "true"),
        ("timeRange(13, 0, 13, 45, 'GMT')", "true"),
        ("timeRange(13, 46, 13, 50, 'GMT')", "false"),
        ("timeRange(0, 0, 0, 13, 45, 29, 'GMT')", "false"),
        ("timeRange(13, 45, 30, 13, 45, 30, 'GMT')", "true"),
        ("timeRange(25)", "false"),
        ("timeRange('noon')", "false"),
    ]);
}

#[test]
fn what_microsoft_added() {
    each_is(&[
        ("alert('x')", "undefined"),
        ("isResolvableEx('six.example')", "true"),
        ("dnsResolveEx('both.example')", "\"2001:db8::1;10.1.2.3\""),
        ("dnsResolveEx('none.example')", "\"\""),
        ("isInNetEx('six.example', '2001:db8::/32')", "true"),
        ("isInNetEx('2001:db9::1', '2001:db8::/32')", "false"),
        ("isInNetEx('10.1.2.3', '10.0.0.0/8')", "true"),
        ("isInNetEx('four.example', 'nonsense')", "false"),
        (
            "sortIpAddressList('10.2.3.9;2001:4898:28:3:201:2ff:feea:fc14;::1;127.0.0.1')",
            "\"::1;2001:4898:28:3:201:2ff:feea:fc14;10.2.3.9;127.0.0.1\"",
        ),
        ("sortIpAddressList('nonsense')", "false"),
        ("sortIpAddressList('::1;'.repeat(1e6) + '::1')", "false"),
        ("isResolvable('a'.repeat(1e6))", "false"),
        (
            "isInNetEx('10.1.2.3', '10.0.0.0/8' + ' '.repeat(1e6))",
            "false",
        ),
        ("getClientVersion()", "\"1.0\""),
    ]);
}

#[test]
fn what_a_script_answers() {
    let table = [
        (
            "function FindProxyForURL(url, host) { return 'PROXY ' + host; }",
            Ok("PROXY web.example"),
        ),
        (
            "const FindProxyForURL = (url) => url;",
            Ok("https://web.example/"),
        ),
        (
            "function FindProxyForURL() { return 'a'; } function FindProxyForURLEx() { return 'b'; }",
            Ok("b"),
        ),
        ("function FindProxyForURL() { return null; }", Ok("")),
        ("function FindProxyForURL() { return ''; }", Ok("")),
        (
            "function FindProxyForURL() {}",
            Err("it answered undefined instead of a text"),
        ),
        (
            "function FindProxyForURL() { return 1; }",
            Err("it answered int instead of a text"),
        ),
        ("var x = 1;", Err("it defines neither")),
        (
            "function FindProxyForURL() {\n  return 'DIRECT'\n}}",
            Err("line 3: SyntaxError: "),
        ),
        ("<!DOCTYPE html>", Err("line 1: SyntaxError: ")),
        (
            "function FindProxyForURL() {\n  return nobody;\n}",
            Err("line 2: ReferenceError: nobody is not defined"),
        ),
        (
            "function FindProxyForURL() {\n  f();\n}\nfunction f() {\n\n  null.x;\n}",
            Err("line 6: TypeError: "),
        ),
        (
            "\nshExpMatch({toString: null, valueOf: null}, 1);",
            Err("line 2: TypeError: "),
        ),
        (
            "function FindProxyForURL() { throw 'no'; }",
            Err("threw no"),
        ),
        (
            "function FindProxyForURL() { return FindProxyForURL(); }",
            Err("line 1: RangeError: "),
        ),
        ("std.exit(1)", Err("line 1: ReferenceError: ")),
        ("import('fs'); x.y", Err("ReferenceError")),
        ("var a = '\0';", Err("zero byte")),
        (
            "function FindProxyForURL() { var a = []; for (;;) a.push(new Array(10000).fill(1)); }",
            Err("it took more than 32 MiB"),
        ),
        ("var a = 'x'; for (;;) a += a;", Err("string too long")),
        (
            "function FindProxyForURL() { throw null; }",
            Err("threw null"),
        ),
        (
            "function FindProxyForURL() { throw new Error('out of memory'); }",
            Err("line 1: Error: out of memory"),
        ),
        (
            "function FindProxyForURL() { return 'x'.repeat(1e5); }",
            Err("more than 64 KiB"),
        ),
        (
            "function FindProxyForURL() { return 'a\\ud800'; }",
            Ok("a\u{fffd}"),
        ),
        (
            "function FindProxyForURL() { for (let i = 0; ; i++) dnsResolve('h' + i); }",
            Err("more than 20 names"),
        ),
        (
            "function FindProxyForURL() { for (let i = 0; i < 21; i++) dnsResolve('h' + i); return 'DIRECT'; }",
            Err("more than 20 names"),
        ),
        (
            "function FindProxyForURL() { for (let i = 0; i < 99; i++) dnsResolve('four.example'); return 'DIRECT'; }",
            Ok("DIRECT"),
        ),
    ];
    for (script, expected) in table {
        let found = run(script);
        match (&found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{script}"),
            (Err(trouble), Err(expected)) => {
                let said = trouble.to_string();
                assert!(said.contains(expected), "{script}: {said}");
            }
            _ => panic!("{script}: {found:?}, not {expected:?}"),
        }
    }
}

#[test]
fn what_does_not_end_is_stopped() {
    let scripts = [
        "for (;;);",
        "function FindProxyForURL() { for (;;) { try { for (;;); } catch (e) {} finally { continue; } } }",
        "function FindProxyForURL() { return /^(a+)+$/.test('a'.repeat(40) + 'b') ? 'a' : 'b'; }",
        "async function f() { await null; } import('fs'); f(); function* g() { for (;;) yield 1; } for (const x of g());",
        "class A { constructor() { this.a = this; } } const all = []; for (;;) { all.push(new A()); all.length = 3; }",
        "[1, 2, 3].sort(() => { for (;;); })",
    ];
    let started = Instant::now();
    std::thread::scope(|scope| {
        for script in scripts {
            scope.spawn(move || {
                let found = run(script);
                let is_stopped = matches!(found, Err(Trouble::Overrun(_)));
                assert!(is_stopped, "{script}: {found:?}");
            });
        }
    });
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_name_that_is_not_known_ends_the_run() {
    let script =
        "function FindProxyForURL() { try { dnsResolve('a'); } catch { for (;;); } return ''; }";
    let sandbox = sandbox();
    sandbox.load(script).unwrap();
    let needed = Err(Trouble::NameNeeded("a".to_owned()));
    assert_eq!(sandbox.find("", ""), needed);
    // What is said first counts, and the engine can go on.
    sandbox
        .desk
        .clear(Names::from([("a".to_owned(), Vec::new())]));
    assert_eq!(sandbox.find("", ""), Ok(String::new()));
}

#[test]
fn an_answer_that_is_there_is_kept_however_late() {
    let sandbox = sandbox();
    // One native call, in which the engine does not look at the clock.
    let script = "function FindProxyForURL() { 'ab'.repeat(5e6).indexOf('a'.repeat(2000) + 'b'); return 'DIRECT'; }";
    sandbox.load(script).unwrap();
    let found = sandbox.find("", "");
    assert_eq!(found, Ok("DIRECT".to_owned()));
}

#[test]
fn what_is_thrown_is_looked_at_within_the_time() {
    for what in [
        "({get name() { for (;;); }, __proto__: Error.prototype})",
        "Object.defineProperty(new Error('x'), 'message', {get() { for (;;); }})",
        "Object.defineProperty(new Error('x'), 'name', {get() { throw new Error('y'); }})",
    ] {
        let sandbox = sandbox();
        sandbox
            .load(&format!("let calm = false; function FindProxyForURL() {{ if (calm) return 'DIRECT'; calm = true; throw {what}; }}"))
            .unwrap();
        let found = sandbox.find("", "");
        assert!(found.is_err(), "{found:?}");
        sandbox.desk.clear(Names::new());
        assert_eq!(sandbox.find("", ""), Ok("DIRECT".to_owned()), "{what}");
    }
}

#[test]
fn what_it_says_is_bounded() {
    let sandbox = sandbox();
    let script = "for (let i = 0; i < 100; i++) alert('x'.repeat(1000) + '\\n');";
    sandbox.load(script).unwrap();
    let alerts = sandbox.desk.close();
    assert_eq!(alerts.len(), 20);
    assert!(alerts[0].chars().count() < 300);
}

#[test]
fn a_script_finds_nothing_but_the_functions_of_scripts() {
    for name in [
        "fetch",
        "XMLHttpRequest",
        "WebSocket",
        "Worker",
        "importScripts",
        "require",
        "module",
        "process",
        "std",
        "os",
        "load",
        "read",
        "open",
        "print",
        "console",
        "setTimeout",
        "bjson",
        "scriptArgs",
    ] {
        assert_eq!(value(&format!("typeof {name}")), "\"undefined\"", "{name}");
    }
    assert_eq!(value("typeof dnsResolve"), "\"function\"");
}
