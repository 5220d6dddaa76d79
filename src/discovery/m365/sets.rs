//! The sets of endpoints that the service answers with, and what of them is probed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalog::NotProbed;
use crate::config::{EndpointSettings, M365Area, M365Source, target_of};
use crate::discovery::MOST_TARGETS;
use crate::discovery::board::Found;
use crate::discovery::target::endpoint;
use crate::endpoint::{Endpoint, Origin, TlsSettings};

/// More names that cannot be probed are counted only.
const MOST_NOT_PROBED: usize = 500;

/// The longest host name there is.
const LONGEST_HOST: usize = 253;

/// Endpoints with their ports in common. What else the service says of them is not needed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EndpointSet {
    id: u32,
    service_area: String,
    #[serde(default)]
    urls: Vec<String>,
    /// Separated by commas, with ranges.
    tcp_ports: Option<String>,
    udp_ports: Option<String>,
    /// `Optimize`, `Allow` or `Default`.
    #[serde(default)]
    category: String,
    #[serde(default)]
    required: bool,
}

/// So much of what the service says of ports is told, in characters.
const LONGEST_PORTS: usize = 64;

/// What is to be probed, by service and name.
type Endpoints = BTreeMap<(String, String), EndpointSettings>;

/// What the sets come to for this configuration.
pub(super) fn endpoints(sets: &[EndpointSet], source: &M365Source) -> Found {
    let mut endpoints = Endpoints::new();
    let mut not_probed: BTreeMap<(String, String), String> = BTreeMap::new();
    for set in sets {
        let Some(area) = set.area(source) else {
            continue;
        };
        let service = format!("m365-{}", area.as_str());
        for url in &set.urls {
            match set.reachable(url) {
                Ok(places) => {
                    for (name, url) in places {
                        set.add(&service, name, &url, source, &mut endpoints);
                    }
                }
                Err(why) => {
                    let shown: String = url.chars().take(LONGEST_HOST).collect();
                    not_probed.insert((service.clone(), shown), why);
                }
            }
        }
    }
    let left_out = not_probed.len().saturating_sub(MOST_NOT_PROBED);
    let told = not_probed.into_iter().take(MOST_NOT_PROBED);
    let mut not_probed: Vec<NotProbed> = told
        .map(|((service, endpoint), why)| NotProbed {
            service,
            endpoint,
            why,
        })
        .collect();
    if left_out > 0 {
        not_probed.push(NotProbed {
            service: "m365".to_owned(),
            endpoint: "more names".to_owned(),
            why: format!("{left_out} more names cannot be probed"),
        });
    }
    Found {
        endpoints: endpoints.into_values().take(MOST_TARGETS).collect(),
        not_probed,
    }
}

impl EndpointSet {
    /// Its area, if it is wanted. What is common belongs to every area.
    fn area(&self, source: &M365Source) -> Option<M365Area> {
        if source.required_only && !self.required {
            return None;
        }
        let mut areas = M365Area::ALL.into_iter();
        let area = areas.find(|area| area.wire_name().eq_ignore_ascii_case(&self.service_area))?;
        (area == M365Area::Common || source.areas.contains(&area)).then_some(area)
    }

    /// What of a host is probed: names and URLs; or why nothing is.
    fn reachable(&self, host: &str) -> Result<Vec<(String, String)>, String> {
        if host.contains('*') {
            return Err(
                "a wildcard: there is no one host to probe; name those you use in `endpoints`"
                    .to_owned(),
            );
        }
        if host.len() > LONGEST_HOST || host.contains(|c: char| c.is_control() || c == '/') {
            return Err("no host name".to_owned());
        }
        let Some(ports) = &self.tcp_ports else {
            return Err(match &self.udp_ports {
                Some(ports) => {
                    let ports = shortened(ports);
                    format!("by UDP only (port {ports}), which is not probed")
                }
                None => "the service names no port of it".to_owned(),
            });
        };
        let mut places = Vec::new();
        for port in ports.split(',').map(str::trim) {
            match port.parse::<u16>() {
                Ok(443) => places.push((host.to_owned(), format!("https://{host}/"))),
                Ok(80) => places.push((format!("{host}:80"), format!("http://{host}/"))),
                Ok(port) => places.push((format!("{host}:{port}"), format!("tcp://{host}:{port}"))),
                // A range is open for many servers, not all of which listen.
                Err(_) => {}
            }
        }
        if places.is_empty() {
            let ports = shortened(ports);
            return Err(format!(
                "the ports {ports} are a range, which is not probed"
            ));
        }
        Ok(places)
    }

    /// A host that several sets name is as important as the most important of them.
    fn add(
        &self,
        service: &str,
        name: String,
        url: &str,
        source: &M365Source,
        endpoints: &mut Endpoints,
    ) {
        let Ok(target) = target_of(url) else {
            return;
        };
        let critical = source.overrides.critical.unwrap_or(self.required);
        let key = (service.to_owned(), name.clone());
        if let Some(known) = endpoints.get_mut(&key) {
            known.endpoint.critical |= critical;
            return;
        }
        let category = self.category.chars().take(32).collect();
        let labels = [
            ("category".to_owned(), category),
            ("m365_set".to_owned(), self.id.to_string()),
        ];
        let mut overrides = source.overrides.clone();
        overrides.critical = None;
        let settings = EndpointSettings {
            endpoint: Endpoint {
                critical,
                labels: labels.into(),
                ..endpoint(name, service.to_owned(), target, Origin::Microsoft365)
            },
            overrides,
            resolver: None,
            tls: TlsSettings::default(),
        };
        endpoints.insert(key, settings);
    }
}

/// What the service says of ports, as far as it is told.
fn shortened(ports: &str) -> String {
    ports.chars().take(LONGEST_PORTS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{M365Instance, Overrides};

    /// In the words of the service's documentation, cut short.
    const SETS: &str = r#"[
      {"id":1,"serviceArea":"Exchange","serviceAreaDisplayName":"Exchange Online",
       "urls":["outlook.office.com","outlook.office365.com"],"ips":["13.107.6.152/31"],
       "tcpPorts":"80,443","udpPorts":"443","expressRoute":true,"category":"Optimize","required":true},
      {"id":2,"serviceArea":"Exchange","serviceAreaDisplayName":"Exchange Online",
       "urls":["smtp.office365.com"],"tcpPorts":"587","expressRoute":true,"category":"Allow","required":true},
      {"id":8,"serviceArea":"Exchange","serviceAreaDisplayName":"Exchange Online",
       "urls":["*.outlook.com","autodiscover.*.onmicrosoft.com"],"tcpPorts":"80,443","category":"Default","required":true},
      {"id":11,"serviceArea":"Skype","serviceAreaDisplayName":"Teams",
       "ips":["52.112.0.0/14"],"udpPorts":"3478,3479","category":"Optimize","required":true},
      {"id":12,"serviceArea":"Skype","serviceAreaDisplayName":"Teams",
       "urls":["*.lync.com","teams.microsoft.com"],"tcpPorts":"443","category":"Allow","required":true},
      {"id":56,"serviceArea":"Common","serviceAreaDisplayName":"Microsoft 365 Common and Office Online",
       "urls":["login.microsoftonline.com"],"tcpPorts":"443","category":"Allow","required":true},
      {"id":78,"serviceArea":"Common","serviceAreaDisplayName":"Microsoft 365 Common and Office Online",
       "urls":["activity.windows.com"],"tcpPorts":"443","category":"Default","required":false,"notes":"Some features"}
    ]"#;

    fn source(areas: &[M365Area]) -> M365Source {
        M365Source {
            instance: M365Instance::Worldwide,
            areas: areas.to_vec(),
            required_only: true,
            route: "direct".to_owned(),
            tenant: None,
            url: "https://endpoints.office.com/".parse().unwrap(),
            overrides: Overrides::default(),
        }
    }

    fn shown(found: &Found) -> Vec<String> {
        let endpoints = found.endpoints.iter().map(|settings| {
            let Endpoint {
                service,
                name,
                target,
                critical,
                labels,
                ..
            } = &settings.endpoint;
            format!(
                "{service} {name} {target} {critical} {}",
                labels["category"]
            )
        });
        endpoints.collect()
    }

    #[test]
    fn hosts_and_ports_become_endpoints() {
        let sets: Vec<EndpointSet> = serde_json::from_str(SETS).unwrap();
        let found = endpoints(&sets, &source(&[M365Area::Exchange]));
        assert_eq!(
            shown(&found),
            [
                "m365-common login.microsoftonline.com https://login.microsoftonline.com/ true Allow",
                "m365-exchange outlook.office.com https://outlook.office.com/ true Optimize",
                "m365-exchange outlook.office.com:80 http://outlook.office.com/ true Optimize",
                "m365-exchange outlook.office365.com https://outlook.office365.com/ true Optimize",
                "m365-exchange outlook.office365.com:80 http://outlook.office365.com/ true Optimize",
                "m365-exchange smtp.office365.com:587 tcp://smtp.office365.com:587 true Allow",
            ]
        );
        let not_probed: Vec<&str> = found
            .not_probed
            .iter()
            .map(|told| told.endpoint.as_str())
            .collect();
        assert_eq!(
            not_probed,
            ["*.outlook.com", "autodiscover.*.onmicrosoft.com"]
        );
        assert!(found.not_probed[0].why.starts_with("a wildcard"));
    }

    #[test]
    fn what_is_not_required_is_wanted_or_not() {
        let sets: Vec<EndpointSet> = serde_json::from_str(SETS).unwrap();
        let mut source = source(&[M365Area::Common]);
        assert_eq!(endpoints(&sets, &source).endpoints.len(), 1);
        source.required_only = false;
        let all = shown(&endpoints(&sets, &source));
        assert_eq!(
            all[0],
            "m365-common activity.windows.com https://activity.windows.com/ false Default"
        );
        source.overrides.critical = Some(false);
        let all = endpoints(&sets, &source).endpoints;
        assert!(all.iter().all(|settings| !settings.endpoint.critical));
    }

    #[test]
    fn ports_that_are_not_probed_say_so() {
        let set = |tcp: Option<&str>, udp: Option<&str>| EndpointSet {
            id: 1,
            service_area: "Skype".to_owned(),
            urls: Vec::new(),
            tcp_ports: tcp.map(str::to_owned),
            udp_ports: udp.map(str::to_owned),
            category: String::new(),
            required: true,
        };
        let why = |set: EndpointSet| set.reachable("a.example").unwrap_err();
        assert!(why(set(None, Some("3478"))).contains("by UDP only (port 3478)"));
        assert!(why(set(None, None)).contains("no port"));
        assert!(why(set(Some("50000-59999"), None)).contains("a range"));
        let long = "3478,".repeat(10_000);
        assert!(why(set(None, Some(&long))).len() < 200);
        assert!(why(set(Some("x"), Some(&long))).len() < 200);
        assert_eq!(
            set(Some("443, 50000-59999"), None)
                .reachable("a")
                .unwrap()
                .len(),
            1
        );
    }
}
