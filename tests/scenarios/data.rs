//! A file of scenarios as it is written.

use std::collections::BTreeMap;
use std::path::Path;
use std::slice;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::kit::{Lab, yaml};

/// A file of scenarios. Its name is the service of all its endpoints.
pub(super) struct ScenarioFile {
    pub(super) name: String,
    /// As read, with its placeholders.
    source: Value,
    config: Value,
    /// Whether one `reachd check` probes all of it, where nothing depends on being probed alone: a process for each takes
    /// more time than the probes.
    together: bool,
    pub(super) scenarios: Vec<Scenario>,
}

/// The file as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// The configuration of reachd, on top of `common.yml`; without endpoints.
    config: Value,
    #[serde(default)]
    together: bool,
    scenarios: Vec<Scenario>,
}

/// One fault, or one way that works.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    /// Also the endpoint's name.
    pub(super) name: String,
    /// For whoever reads the file, or sees the scenario fail.
    pub(super) shows: String,
    /// An endpoint of reachd's configuration, without name, service and routes.
    endpoint: Map<String, Value>,
    /// Its only route.
    #[serde(default = "direct")]
    pub(super) route: String,
    /// The verdict.
    pub(super) expect: Expected,
    /// How it left: `direct`, `proxy` or `bypass`.
    pub(super) via: Option<String>,
    /// Steps that must not have run, `phase/peer`, each with the reason given for that.
    #[serde(default)]
    pub(super) not_run: BTreeMap<String, String>,
    /// How long a step took in seconds, at least and at most.
    #[serde(default)]
    pub(super) seconds: BTreeMap<String, (f64, f64)>,
    /// The delay in seconds that was put into a step, which is seen there; by how much it is off is printed.
    #[serde(default)]
    pub(super) delay: BTreeMap<String, f64>,
    /// What the report's `observed` holds, by JSON pointer: a value, or `{from, to}` for numbers.
    #[serde(default)]
    pub(super) observed: BTreeMap<String, Value>,
    /// Series of this check beyond those that every scenario must have.
    #[serde(default)]
    pub(super) metrics: Vec<ExpectedSeries>,
}

/// The verdict of a scenario.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Expected {
    /// The word `success`.
    Success(Success),
    /// A failure.
    Failure(ExpectedFailure),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Success {
    Success,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedFailure {
    pub(super) phase: String,
    pub(super) peer: String,
    pub(super) reason: String,
    /// What the detail must contain.
    pub(super) detail: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedSeries {
    pub(super) name: String,
    /// Beyond service, endpoint and route.
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
    /// At least and at most.
    pub(super) value: (f64, f64),
}

impl ScenarioFile {
    /// Reads a file, on top of the configuration that all have in common.
    pub(super) fn read(path: &Path, common: &Value) -> Self {
        let mut source = yaml::read(path);
        let mut config = common.clone();
        merge(&mut config, source["config"].take());
        source["config"] = config;
        let name = path.file_stem().and_then(|stem| stem.to_str());
        Self::new(name.expect("a file name in UTF-8"), source)
    }

    /// The same with its placeholders filled, once the lab is there.
    pub(super) fn filled(&self, lab: &Lab) -> Self {
        let text = lab.fill(&self.source.to_string());
        Self::new(&self.name, serde_json::from_str(&text).unwrap())
    }

    fn new(name: &str, source: Value) -> Self {
        let Written {
            config,
            together,
            scenarios,
        } = serde_json::from_value(source.clone())
            .unwrap_or_else(|error| panic!("{name}.yml: {error}"));
        Self {
            name: name.to_owned(),
            source,
            config,
            together,
            scenarios,
        }
    }

    /// The scenarios that one `reachd check` probes with this one.
    pub(super) fn probed_with<'a>(&'a self, scenario: &'a Scenario) -> &'a [Scenario] {
        if self.together {
            &self.scenarios
        } else {
            slice::from_ref(scenario)
        }
    }

    /// The configuration that has every scenario of the file. JSON is YAML too.
    pub(super) fn configuration(&self) -> String {
        let endpoint = |scenario: &Scenario| {
            let mut endpoint = scenario.endpoint.clone();
            endpoint.insert("name".into(), json!(scenario.name));
            endpoint.insert("service".into(), json!(self.name));
            endpoint.insert("routes".into(), json!([scenario.route]));
            Value::Object(endpoint)
        };
        let mut config = self.config.clone();
        config["endpoints"] = self.scenarios.iter().map(endpoint).collect();
        serde_json::to_string_pretty(&config).unwrap()
    }
}

impl Scenario {
    pub(super) fn failure(&self) -> Option<&ExpectedFailure> {
        match &self.expect {
            Expected::Success(Success::Success) => None,
            Expected::Failure(failure) => Some(failure),
        }
    }
}

/// Lays `over` on top of `under`, mapping by mapping.
pub(crate) fn merge(under: &mut Value, over: Value) {
    match (under, over) {
        (_, Value::Null) => {}
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                merge(under.entry(key).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}

fn direct() -> String {
    "direct".to_owned()
}
