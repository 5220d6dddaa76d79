//! Every export of one small feature, whole; and what holds for the whole catalog.

use std::collections::BTreeSet;

use super::*;
use crate::catalog::Cloud;
use crate::catalog::fixture::{scope, small};
use crate::catalog::scope::Asked;
use crate::config::Location;

fn export() -> Export {
    Export::of(&[small()], scope("public@2403"), &BTreeMap::new()).unwrap()
}

fn everything(cloud: Cloud) -> Export {
    let asked = Asked {
        cloud: Some(cloud.to_string()),
        ..Asked::default()
    };
    Export::new(&asked.over(None)).unwrap()
}

/// The text without the lines that name the version.
fn written(export: &Export, format: ExportFormat) -> String {
    let text = export.written(format).unwrap();
    text.replace(env!("CARGO_PKG_VERSION"), "VERSION")
}

#[test]
fn the_allowlist_has_each_host_once() {
    assert_eq!(
        written(&export(), ExportFormat::Allowlist),
        "\
# What Configuration Manager 2403 needs from the internet, cloud public.
# Made by reachd VERSION; its newest source is of 2026-06-08.
# Features: small
# A * stands for one character or more, dots among them.

*-inner.other.example  443      # small (critical); 2026-06-08
*.wild.example         443      # small (critical); 2026-06-08
aka.ms                 443      # small (critical); 2026-06-08
crl.example            80       # small; 2020-06
plain.wild.example     443      # small; 2026-06-08
time.example           123/udp  # small (critical); 2026-06-08

# Not in here, for a template names no host:
#   <region>.wild.example 443 (small): give --variable region=...
"
    );
}

#[test]
fn squid_gets_domains_patterns_and_ports() {
    let text = written(&export(), ExportFormat::Squid);
    let (_, lists) = text.split_once("\n\n").unwrap();
    assert_eq!(
        lists,
        "\
acl reachd_80_names dstdomain -n crl.example
acl reachd_80_hosts any-of reachd_80_names
acl reachd_80_port port 80
acl reachd_80 all-of reachd_80_port reachd_80_hosts

acl reachd_443_names dstdomain -n .wild.example
acl reachd_443_names dstdomain -n aka.ms
acl reachd_443_patterns dstdom_regex -n -i ^.+-inner\\.other\\.example$
acl reachd_443_hosts any-of reachd_443_names reachd_443_patterns
acl reachd_443_port port 443
acl reachd_443 all-of reachd_443_port reachd_443_hosts

acl reachd any-of reachd_80 reachd_443

# No proxy forwards this: time.example 123/udp
# Not in here, for a template names no host:
#   <region>.wild.example 443 (small): give --variable region=...
"
    );
}

#[test]
fn targets_are_what_can_be_probed_and_the_rest_is_told() {
    let export = export();
    let json: serde_json::Value =
        serde_json::from_str(&written(&export, ExportFormat::FileSd)).unwrap();
    let label = |module: &str, critical: &str, kind: &str| {
        serde_json::json!({
            "__param_module": module, "cloud": "public", "critical": critical, "kind": kind, "service": "small",
        })
    };
    assert_eq!(
        json,
        serde_json::json!([
            {"targets": ["http://crl.example"], "labels": label("reachd_http", "false", "crl")},
            {"targets": ["https://plain.wild.example"], "labels": label("reachd_http", "false", "endpoint")},
            {"targets": ["https://aka.ms/link"], "labels": label("reachd_http_follow", "true", "endpoint")},
        ])
    );
    assert_eq!(
        export.notices(ExportFormat::FileSd),
        [
            "*-inner.other.example (small): no host below it is documented",
            "time.example:123 (small): reachd does not speak NTP",
            "<region>.wild.example 443 (small): give --variable region=...",
        ]
    );
}

#[test]
fn csv_keeps_every_field() {
    let text = written(&export(), ExportFormat::Csv);
    assert!(
        text.contains("\r\nsmall,public,2403,\"console\nclient\",aka.ms/link,"),
        "{text}"
    );
    assert!(
        text.contains(",\"Asked for \"\"once\"\", by one list.\","),
        "{text}"
    );
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let head = reader.headers().unwrap().clone();
    let records: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), export().needs.len());
    let column = |name: &str| head.iter().position(|column| column == name).unwrap();
    let template = &records[2];
    assert_eq!(&template[column("url")], "https://<region>.wild.example");
    assert_eq!(&template[column("missing_variables")], "region");
    assert_eq!(
        &records[1][column("stand_ins")],
        "<region>.wild.example\nplain.wild.example"
    );
    assert_eq!(&records[6][column("protocol")], "udp");
}

#[test]
fn the_markdown_table_shows_templates_as_they_are_written() {
    let text = written(&export(), ExportFormat::Markdown);
    for expected in [
        "\n| `<region>.wild.example` | 443 | `small` | endpoint | yes | It is needed. | 2026-06-08 |\n",
        "\n| `time.example` | 123/udp |",
        "\n- \\<region>.wild.example 443 (small): give --variable region=...\n",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn the_configuration_sets_endpoints_apart() {
    let written = |critical: Option<bool>, enabled: Option<bool>| Located {
        value: Overrides {
            enabled,
            critical,
            ..Overrides::default()
        },
        at: Location::default(),
    };
    let overrides = BTreeMap::from([
        ("crl.example".to_owned(), written(Some(true), None)),
        ("aka.ms".to_owned(), written(None, Some(false))),
    ]);
    let export = Export::of(&[small()], scope("public@2403"), &overrides).unwrap();
    let text = export.written(ExportFormat::Allowlist).unwrap();
    assert!(text.contains("# small (critical); 2020-06"), "{text}");
    assert!(!text.contains("aka.ms  "), "{text}");
    assert!(
        text.contains("#   aka.ms/link (small): turned off in the configuration\n"),
        "{text}"
    );
}

#[test]
fn what_is_turned_off_may_still_be_needed_for_something_else() {
    let tenant_attach = crate::catalog::feature("tenant-attach").unwrap();
    let off = Located {
        value: Overrides {
            enabled: Some(false),
            ..Overrides::default()
        },
        at: Location::default(),
    };
    let overrides = BTreeMap::from([("aka.ms".to_owned(), off)]);
    let export = Export::of(&[tenant_attach], scope("public@2503"), &overrides).unwrap();
    let text = export.written(ExportFormat::Allowlist).unwrap();
    let told = "aka.ms (tenant-attach): turned off in the configuration; aka.ms 443 is still needed for aka.ms/configmgrgateway";
    assert!(text.contains(told), "{text}");
}

/// Whatever a sheet shows can be found in the list for the firewall, template or not.
#[test]
fn every_host_that_is_needed_is_in_the_allowlist() {
    for cloud in Cloud::ALL {
        let export = everything(cloud);
        let text = export.written(ExportFormat::Allowlist).unwrap();
        let words: BTreeSet<&str> = text.split_whitespace().collect();
        assert!(export.needs.len() > 30, "{cloud}");
        for feature in present().unwrap() {
            let Ok(needs) = export
                .scope
                .check(feature)
                .map(|()| export.scope.needs(feature))
            else {
                continue;
            };
            for need in needs.unwrap() {
                assert!(
                    words.contains(need.address.host.as_str()),
                    "{cloud}: {}",
                    need.url
                );
            }
        }
    }
}

#[test]
fn what_a_cloud_does_not_have_is_told() {
    let export = everything(Cloud::China);
    let text = export.written(ExportFormat::Allowlist).unwrap();
    assert!(
        text.contains("#   Tenant attach is not in the catalog for the cloud china (21Vianet): "),
        "{text}"
    );
    let named = Asked {
        cloud: Some("china".to_owned()),
        features: vec!["tenant-attach".to_owned()],
        ..Asked::default()
    };
    assert!(matches!(
        Export::new(&named.over(None)),
        Err(AskError::Missing(_))
    ));
}

#[test]
fn a_retired_feature_is_exported_by_its_name_only() {
    let features = |export: &Export| -> BTreeSet<&str> {
        export.needs.iter().map(|need| need.feature).collect()
    };
    assert!(!features(&everything(Cloud::Public)).contains("desktop-analytics"));
    let named = Asked {
        features: vec!["desktop-analytics".to_owned()],
        ..Asked::default()
    };
    let export = Export::new(&named.over(None)).unwrap();
    assert_eq!(features(&export), BTreeSet::from(["desktop-analytics"]));
    let text = export.written(ExportFormat::Allowlist).unwrap();
    assert!(
        text.contains("\n# Features: desktop-analytics (retired)\n"),
        "{text}"
    );
}
