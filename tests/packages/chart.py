"""The Helm chart, rendered by Helm's own library: chart.py CHART OUT writes for other tools what they look at.

OUT/NAME-*.yaml are the manifests of each file of CHART/ci, OUT/rules.yml the rules of the PrometheusRule, OUT/reachd.yml the
default configuration, and OUT/flags the flags with which reachd is started.
"""

import json
import sys
from pathlib import Path

import helm_python
import yaml

# Every value that must be refused, with a word of what Helm says to it.
WRONG = [
    ({"shards": 0}, "shards"),
    ({"shards": "3"}, "shards"),
    ({"port": 80}, "port"),
    ({"image": {"repository": "reachd:0.1.0"}}, "repository"),
    ({"image": {"pullPolicy": "Sometimes"}}, "pullPolicy"),
    ({"secrets": ["Not A Name"]}, "secrets"),
    ({"secrets": ["twice", "twice"]}, "secrets"),
    ({"persistence": {"size": "much"}}, "size"),
    ({"serviceMonitor": {"interval": "often"}}, "interval"),
    ({"podDisruptionBudget": {"maxUnavailable": 0}}, "maxUnavailable"),
    ({"extraArgs": ["check"]}, "extraArgs"),
    ({"no_such_key": True}, "no_such_key"),
    ({"networkPolicy": {"form": []}}, "form"),
    ({"serviceMonitor": {"scheme": "ftp"}}, "scheme"),
]

PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


def main(folder: Path, out: Path) -> None:
    chart = helm_python.Chart.load(str(folder))
    is_sound(folder)
    refuses_what_is_wrong(chart)
    names = sorted(path.name.removesuffix("-values.yaml") for path in (folder / "ci").iterdir())
    rendered = {name: render(chart, folder / "ci" / f"{name}-values.yaml") for name in names}
    for name, manifests in rendered.items():
        every_pod_is_confined(manifests)
        for number, manifest in enumerate(manifests):
            if "monitoring.coreos.com" not in manifest["apiVersion"]:
                (out / f"{name}-{number}.yaml").write_text(yaml.safe_dump(manifest))
    everything, default = rendered["everything"], rendered["default"]
    (out / "flags").write_text("\n".join(flags(everything)))
    (out / "reachd.yml").write_text(one(default, "ConfigMap")["data"]["reachd.yml"])
    holds_the_rules(folder, everything, out / "rules.yml")
    holds_the_dashboards(folder, everything)
    goes_with_its_values(everything, default, rendered["minimal"])


def render(chart, values: Path) -> list[dict]:
    merged = chart.merge_values(yaml.safe_load(values.read_text()))
    chart.validate_schema(merged)
    texts = chart.render(merged, name="monitor", namespace="probes")
    manifests = [
        manifest
        for path, text in texts.items()
        if not path.endswith(".txt")
        for manifest in yaml.safe_load_all(text)
        if manifest
    ]
    assert all(manifest["metadata"]["namespace"] == "probes" for manifest in manifests)
    assert "monitor-reachd-0" in texts["reachd/templates/NOTES.txt"]
    return manifests


def is_sound(folder: Path) -> None:
    for values in sorted((folder / "ci").iterdir()):
        report = helm_python.lint(str(folder), yaml.safe_load(values.read_text()), strict=True)
        # 2 is a warning, 3 an error.
        assert not [m for m in report["messages"] if m["severity"] >= 2], report
        assert not report["errors"], report


def refuses_what_is_wrong(chart) -> None:
    for values, word in WRONG:
        try:
            chart.validate_schema(chart.merge_values(values))
        except helm_python.HelmError as error:
            assert word in str(error), (values, error)
        else:
            raise AssertionError(f"taken, though wrong: {values}")
    try:
        chart.render(chart.merge_values({}), name="monitor")
    except helm_python.HelmError as error:
        assert "image.repository" in str(error), error
    else:
        raise AssertionError("rendered without an image")


def every_pod_is_confined(manifests: list[dict]) -> None:
    pod = one(manifests, "StatefulSet")["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    (container,) = pod["containers"]
    context = container["securityContext"]
    assert context["readOnlyRootFilesystem"] is True, context
    assert context["allowPrivilegeEscalation"] is False, context
    assert context["capabilities"] == {"drop": ["ALL"]}, context
    assert container["resources"]["limits"]["memory"]
    volumes = {volume["name"] for volume in pod["volumes"]}
    claims = {claim["metadata"]["name"] for claim in one(manifests, "StatefulSet")["spec"].get("volumeClaimTemplates", [])}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes | claims


def flags(manifests: list[dict]) -> list[str]:
    (container,) = one(manifests, "StatefulSet")["spec"]["template"]["spec"]["containers"]
    arguments = container["args"] + container["startupProbe"].get("exec", {}).get("command", [])
    return [argument.split("=")[0] for argument in arguments if argument.startswith("--")]


def holds_the_rules(folder: Path, manifests: list[dict], out: Path) -> None:
    files = sorted((folder / "../../prometheus/rules").resolve().glob("*.yml"))
    assert files, "no rules"
    wanted = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    groups = one(manifests, "PrometheusRule")["spec"]["groups"]
    assert groups == wanted
    out.write_text(yaml.safe_dump({"groups": groups}))


def holds_the_dashboards(folder: Path, manifests: list[dict]) -> None:
    files = {file.name: file for file in (folder / "../../../dashboards").resolve().glob("*.json")}
    assert files, "no dashboards"
    maps = [m for m in manifests if m["kind"] == "ConfigMap" and m["metadata"]["labels"].get("grafana_dashboard") == "1"]
    found = {name: text for m in maps for name, text in m["data"].items()}
    assert found.keys() == files.keys(), found.keys() ^ files.keys()
    for name, text in found.items():
        assert json.loads(text) == json.loads(files[name].read_text()), name
    # What etcd takes.
    assert all(len(text) < 1_000_000 for text in found.values())


def goes_with_its_values(everything: list[dict], default: list[dict], minimal: list[dict]) -> None:
    kinds = {manifest["kind"] for manifest in minimal}
    assert kinds == {"ConfigMap", "Service", "StatefulSet"}, kinds
    kinds = {manifest["kind"] for manifest in default}
    assert not kinds & {"ServiceMonitor", "PrometheusRule"}, kinds
    assert "--shard.index" not in flags(default)
    stateful = one(everything, "StatefulSet")["spec"]
    assert stateful["replicas"] == 3
    (container,) = stateful["template"]["spec"]["containers"]
    assert {"--shard.index=auto", "--shard.count=3"} <= set(container["args"])
    assert stateful["serviceName"] == one(everything, "Service")["metadata"]["name"]
    # Behind TLS and logins reachd asks itself; else the kubelet does.
    asked = {probe: container[probe]["exec"]["command"][1:3] for probe in PROBES}
    assert set(map(tuple, asked.values())) == {("healthcheck", "--web.config.file=/etc/reachd/web/web.yml")}, asked
    ready = [probe for probe in PROBES if "--ready" in container[probe]["exec"]["command"]]
    assert ready == ["readinessProbe"], ready
    (plain,) = one(default, "StatefulSet")["spec"]["template"]["spec"]["containers"]
    paths = [plain[probe]["httpGet"]["path"] for probe in PROBES]
    assert paths == ["/-/healthy", "/-/healthy", "/-/ready"], paths
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert {"/etc/reachd/secrets/corp-proxy", "/etc/reachd/secrets/client.certificates"} <= mounts
    monitor = one(everything, "ServiceMonitor")["spec"]
    assert monitor["selector"]["matchLabels"].items() <= one(everything, "Service")["metadata"]["labels"].items()
    assert monitor["endpoints"][0]["port"] == one(everything, "Service")["spec"]["ports"][0]["name"]
    # Another configuration is another checksum.
    sums = [one(m, "StatefulSet")["spec"]["template"]["metadata"]["annotations"]["checksum/config"] for m in (everything, default)]
    assert sums[0] != sums[1]


def one(manifests: list[dict], kind: str) -> dict:
    found = [m for m in manifests if m["kind"] == kind]
    if kind == "ConfigMap":
        found = [m for m in found if "reachd.yml" in m["data"]]
    (manifest,) = found
    return manifest


main(Path(sys.argv[1]), Path(sys.argv[2]))
