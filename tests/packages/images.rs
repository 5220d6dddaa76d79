//! The image, and the compose file that puts it beside Prometheus, Alertmanager and Grafana.

use std::fs;
use std::path::Path;

use libtest_mimic::Trial;
use serde_json::Value;

use super::{ROOT, assert_flags_exist, python_tool, read, run_tool, trial};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("packages::dockerfile", dockerfile),
        trial("packages::compose", compose),
    ]
}

fn dockerfile() {
    run_tool(python_tool("hadolint"), &["deploy/docker/Dockerfile"]);
    let text = read("deploy/docker/Dockerfile");
    let (_, last) = text.rsplit_once("\nFROM ").expect("stages");
    assert!(
        last.starts_with("scratch\n"),
        "more than the program: {last}"
    );
    for line in [
        "USER 65532:65532",
        "CMD [\"/reachd\", \"healthcheck\"]",
        concat!("version=\"", env!("CARGO_PKG_VERSION"), "\""),
    ] {
        assert!(last.contains(line), "{line}: {last}");
    }
    assert_flags_exist(last);
    for kept in read(".dockerignore").lines() {
        if let Some(path) = kept.strip_prefix('!') {
            assert!(Path::new(ROOT).join(path).exists(), "{path} is not there");
        }
    }
}

fn compose() {
    // The package starts its own Docker Compose, and loses the exit code.
    let compose = python_tool("python").with_file_name("../lib");
    let compose = fs::read_dir(compose)
        .unwrap()
        .map(|python| {
            let python = python.unwrap().path();
            python.join("site-packages/compose/docker-compose")
        })
        .find(|program| program.exists())
        .expect("Docker Compose is in tests/page/requirements.txt");
    let file = "deploy/docker/compose.yml";
    let printed = run_tool(compose, &["--file", file, "config", "--format", "json"]);
    let project: Value = serde_json::from_str(&printed).unwrap();
    let services = project["services"].as_object().expect("services");
    assert_eq!(services.len(), 4, "{:?}", services.keys());
    for (name, service) in services {
        is_confined(name, service);
        for volume in service["volumes"].as_array().into_iter().flatten() {
            let source = volume["source"].as_str().expect("a source");
            let is_there = volume["type"] != "bind" || Path::new(source).exists();
            assert!(is_there, "{name} mounts {source}, which is not there");
        }
    }
    is_provisioned(services);
    let reachd = &services["reachd"];
    assert_eq!(
        reachd["image"],
        concat!("reachd:", env!("CARGO_PKG_VERSION"))
    );
    // Docker Compose prints no zero.
    assert!(reachd["ulimits"]["core"].is_object());
    assert!(read(file).contains("\n    ulimits: {core: 0}\n"));
    let healthcheck = serde_json::json!(["CMD", "/reachd", "healthcheck"]);
    assert_eq!(reachd["healthcheck"]["test"], healthcheck);
    assert_flags_exist(&reachd["command"].to_string());
    run_tool(
        env!("CARGO_BIN_EXE_reachd"),
        &["config", "check", "deploy/docker/reachd.yml"],
    );
    let prometheus = "deploy/docker/prometheus.yml";
    run_tool(
        "promtool",
        &["check", "config", "--syntax-only", prometheus],
    );
}

fn is_confined(name: &str, service: &Value) {
    assert_eq!(service["read_only"], true, "{name}");
    assert_eq!(service["cap_drop"], serde_json::json!(["ALL"]), "{name}");
    let options = serde_json::json!(["no-new-privileges:true"]);
    assert_eq!(service["security_opt"], options, "{name}");
    assert!(service["healthcheck"]["test"].is_array(), "{name}");
    assert!(!service["mem_limit"].is_null(), "{name}");
    let image = service["image"].as_str().expect("an image");
    let tag = image.rsplit_once(':').expect("a tag").1;
    assert!(tag.contains('.'), "{name}: {image} is not pinned");
    for port in service["ports"].as_array().into_iter().flatten() {
        assert_eq!(port["host_ip"], "127.0.0.1", "{name}: open to everybody");
    }
}

/// Prometheus asks who runs beside it, and Grafana finds what is mounted.
fn is_provisioned(services: &serde_json::Map<String, Value>) {
    let prometheus = read("deploy/docker/prometheus.yml");
    for target in ["reachd:9797", "alertmanager:9093"] {
        assert!(prometheus.contains(target), "{target}");
        let name = target.split_once(':').expect("a port").0;
        assert!(services.contains_key(name), "{name}");
    }
    let provisioning = "deploy/grafana/provisioning";
    let sources = read(&format!("{provisioning}/datasources/prometheus.yml"));
    assert!(sources.contains("http://prometheus:9090"), "{sources}");
    let dashboards = read(&format!("{provisioning}/dashboards/reachd.yml"));
    let mounted = services["grafana"]["volumes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|volume| volume["target"].as_str());
    assert!(
        mounted
            .into_iter()
            .any(|target| dashboards.contains(&format!("path: {target}\n"))),
        "Grafana looks for dashboards elsewhere: {dashboards}"
    );
}
