//! The decoder, the schema, the samples and the reference say the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use super::{environment, folder, parse};
use crate::config::context::Context;
use crate::config::{Config, Problems, schema};
use crate::platform::HAS_KERBEROS;

const REFERENCE: &str = "docs/configuration.md";

/// Key and default by path, such as `proxies.NAME.url`.
type Keys = BTreeMap<String, Option<String>>;

fn schema_json() -> Json {
    serde_json::from_str(schema()).unwrap()
}

/// Every key of the schema.
fn keys_of_schema() -> Keys {
    let schema = schema_json();
    let mut keys = Keys::new();
    collect(&schema, &schema, "", &mut keys);
    keys
}

fn collect(root: &Json, node: &Json, path: &str, keys: &mut Keys) {
    if let Some(reference) = node["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#')).unwrap();
        collect(root, target, path, keys);
    }
    let properties = node["properties"].as_object();
    if properties.is_some() {
        assert_eq!(node["additionalProperties"], false, "{path} is open");
    }
    for (key, child) in properties.into_iter().flatten() {
        assert!(
            child["description"].is_string(),
            "{path}.{key} is not described"
        );
        let path = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
        let default = match &child["default"] {
            Json::Null => None,
            Json::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        keys.insert(path.clone(), default);
        collect(root, child, &path, keys);
    }
    if node["additionalProperties"].is_object() {
        collect(
            root,
            &node["additionalProperties"],
            &format!("{path}.NAME"),
            keys,
        );
    }
    if node["items"].is_object() {
        collect(root, &node["items"], &format!("{path}[]"), keys);
    }
    for alternative in node["oneOf"].as_array().into_iter().flatten() {
        collect(root, alternative, path, keys);
    }
}

#[test]
fn the_decoder_asks_for_the_keys_of_the_schema() {
    let sample = include_str!("../../../deploy/reachd.yml");
    let context = Context::new("f.yml", Path::new(""), &environment);
    Config::read(sample, &context, |_| Problems::default()).unwrap();
    let mut asked = context.asked.take();
    let mut read = |text: &str| {
        let context = Context::new("f.yml", Path::new(""), &environment);
        let is_good = Config::read(text, &context, |_| Problems::default()).is_ok();
        for (path, keys) in context.asked.take() {
            asked.entry(path).or_default().extend(keys);
        }
        is_good
    };
    // What all logins have in common is shown in the sample by those to proxies.
    let login = "{username: a, password: '${SECRET}'}";
    for kind in ["basic", "digest", "ntlm"] {
        let auth = format!("auth: {{{kind}: {login}}}");
        let endpoint = format!("endpoints: [{{name: a, url: 'https://a/', {auth}}}]");
        assert!(read(&endpoint), "{kind}");
        let more = "tls: {}, expect: {}";
        let of_catalog =
            format!("catalog: {{features: [a], overrides: {{a: {{{auth}, {more}}}}}}}");
        assert!(read(&of_catalog), "{kind}");
    }
    // What a build without Kerberos refuses is not in the sample; its keys are known all the same.
    for negotiate in [
        "proxies: {a: {url: 'http://a:1', auth: {negotiate: {}}}}",
        "endpoints: [{name: a, url: 'https://a/', auth: {negotiate: {}}}]",
        "catalog: {features: [a], overrides: {a: {auth: {negotiate: {}}}}}",
    ] {
        assert_eq!(read(negotiate), HAS_KERBEROS, "{negotiate}");
    }
    let asked: BTreeSet<String> = asked
        .iter()
        .flat_map(|(path, keys)| {
            keys.iter()
                .map(move |key| format!("{path}.{key}").trim_start_matches('.').to_owned())
        })
        .collect();
    let known: BTreeSet<String> = keys_of_schema().into_keys().collect();
    assert_eq!(asked, known);
}

/// JSON is YAML: the schema's defaults, written out, must change nothing.
#[test]
fn the_defaults_of_the_schema_are_the_decoders() {
    let section = |name: &str| {
        let properties = &schema_json()["properties"][name]["properties"];
        let properties = properties.as_object().unwrap().iter();
        let defaults = properties.filter(|(_, property)| !property["default"].is_null());
        let defaults: serde_json::Map<String, Json> = defaults
            .map(|(key, property)| (key.clone(), property["default"].clone()))
            .collect();
        assert!(!defaults.is_empty(), "{name}");
        (name.to_owned(), Json::Object(defaults))
    };
    let sections = ["global", "tls", "metrics", "revocation"].map(section);
    let written = Json::Object(sections.into_iter().collect()).to_string();
    assert_eq!(parse(&written).unwrap(), parse("{}").unwrap());

    let defaults = keys_of_schema();
    let default = |key: &str| defaults[key].clone().unwrap();
    let endpoint = |path: &str| default(&format!("endpoints[].{path}"));
    let written = format!(
        "endpoints: [{{name: a, url: 'https://a/', service: {}, critical: {}, expect: \
         {{max_redirects: {}, max_body: {}}}}}, {{name: b, url: 'dns:a', record: {}, expect: {{rcode: \
         {}}}}}]",
        endpoint("service"),
        endpoint("critical"),
        endpoint("expect.max_redirects"),
        endpoint("expect.max_body"),
        endpoint("record"),
        endpoint("expect.rcode"),
    );
    let bare = "endpoints: [{name: a, url: 'https://a/'}, {name: b, url: 'dns:a'}]";
    assert_eq!(parse(&written).unwrap(), parse(bare).unwrap());
}

#[test]
fn the_samples_are_valid() {
    for sample in [
        include_str!("../../default.yml"),
        include_str!("../../../deploy/reachd.yml"),
    ] {
        parse(sample).unwrap();
    }
}

/// The rows of the reference's tables: `| key | default | meaning |`.
#[test]
fn the_reference_names_every_key_with_its_default() {
    let reference = reference();
    let mut documented = Keys::new();
    for row in reference.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.split(" | ").collect();
        let key = cells[0]
            .trim_start_matches("| ")
            .trim_matches('`')
            .to_owned();
        let default = cells[1]
            .strip_prefix('`')
            .and_then(|text| text.strip_suffix('`'));
        let twice = documented.insert(key, default.map(str::to_owned));
        assert!(twice.is_none(), "twice: {row}");
    }
    let known = keys_of_schema();
    let names = |keys: &Keys| keys.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&documented), names(&known));
    for (key, default) in known.iter().filter(|(_, default)| default.is_some()) {
        let spaced = |text: &Option<String>| {
            let text = text.as_deref();
            text.map(|text| text.replace(", ", ",").replace('"', ""))
        };
        assert_eq!(spaced(&documented[key]), spaced(default), "{key}");
    }
}

#[test]
fn the_examples_of_the_reference_and_the_readme_are_valid() {
    let folder = folder();
    for (document, least) in [(REFERENCE, 8), ("README.md", 4)] {
        let text = document_at(document);
        let blocks = text.split("```yaml\n").skip(1);
        let blocks = blocks.filter_map(|block| block.split_once("```"));
        // The one example that is Prometheus' own.
        let own = blocks.filter(|(example, _)| !example.contains("scrape_configs"));
        let mut examples = 0;
        for (example, _) in own {
            if let Err(problems) = Config::parse("example", example, folder.path(), &environment) {
                panic!("{document}: {problems}\n{example}");
            }
            examples += 1;
        }
        assert!(examples >= least, "only {examples} examples in {document}");
    }
}

fn reference() -> String {
    document_at(REFERENCE)
}

fn document_at(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}
