"""What a Grafana dashboard is made of, as far as ours need it: panels, their fields, rows of them, variables and links.

Each function returns a part of the JSON model (https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/).
"""

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24

# Grafana's own colours, by what they mean here. Only what is wrong is red or orange.
GOOD, WARNING, BAD, NEUTRAL, INFO = "green", "orange", "red", "text", "blue"


# === queries ===

def query(expr, legend="__auto", ref="A"):
    """A series over time."""
    return {"datasource": DATASOURCE, "editorMode": "code", "expr": expr, "legendFormat": legend, "range": True, "refId": ref}


def now(expr, legend="__auto", ref="A"):
    """One value a series: that at the end of the time range."""
    return {"datasource": DATASOURCE, "editorMode": "code", "expr": expr, "legendFormat": legend, "instant": True, "range": False, "refId": ref}


def rows_of(expr, ref="A"):
    """The same as the rows of a table, with a column a label."""
    return {"datasource": DATASOURCE, "editorMode": "code", "expr": expr, "format": "table", "instant": True, "range": False, "refId": ref}


# === fields ===

def thresholds(*steps):
    """`thresholds(GOOD, (1, WARNING), (2, BAD))`: the first colour holds below all."""
    first, *rest = steps
    return {"mode": "absolute", "steps": [{"color": first, "value": None}] + [{"color": color, "value": value} for value, color in rest]}


def words(table):
    """`words({0: ("OK", GOOD)})`: text and colour in a value's place."""
    options = {str(value): {"text": text, "color": color, "index": index} for index, (value, (text, color)) in enumerate(table.items())}
    return {"type": "value", "options": options}


def between(first, last, text, color, index):
    """Text and colour of a range of values."""
    result = {"color": color, "index": index}
    if text:
        result["text"] = text
    return {"type": "range", "options": {"from": first, "to": last, "result": result}}


def override(name, **properties):
    """What is different about one field. Underscores in the names of properties stand for dots."""
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key.replace("_", "."), "value": value} for key, value in properties.items()],
    }


def fixed(color):
    return {"mode": "fixed", "fixedColor": color}


def without_value(kind, text):
    """What stands in the cells of a table that have no value, by their type."""
    return {"matcher": {"id": "byType", "options": kind}, "properties": [{"id": "noValue", "value": text}]}


def matching(pattern, **properties):
    """What is different about the fields whose name matches a regular expression."""
    return override("", **properties) | {"matcher": {"id": "byRegexp", "options": f"/{pattern}/"}}


def link(title, url, new_tab=False):
    """From a value, with what is in its row or series."""
    return {"title": title, "url": url, "targetBlank": new_tab}


def plain_link(title, url, new_tab=False, keep=False):
    """From a panel or a dashboard. `keep`: with the variables and the time range."""
    return {"title": title, "type": "link", "icon": "dashboard" if keep else "doc", "url": url, "tags": [], "asDropdown": False, "targetBlank": new_tab,
            "includeVars": keep, "keepTime": keep, "tooltip": ""}


# === panels ===

def panel(kind, title, description, targets, *, unit, explain, options, defaults=None, custom=None, overrides=(), transformations=(),
          no_value=None, repeat=None):
    """A panel without its place. `explain` is the page of the runbook about it."""
    fields = {"unit": unit, "custom": custom or {}, "mappings": [], "thresholds": thresholds(GOOD), **(defaults or {})}
    if no_value:
        fields["noValue"] = no_value
    made = {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "targets": targets,
        "fieldConfig": {"defaults": fields, "overrides": list(overrides)},
        "options": options,
        "transformations": list(transformations),
        "links": [plain_link("Runbook: what it means and what to do", "${reachd}/explain" + (f"/{explain}" if explain else ""), new_tab=True)],
        "transparent": False,
    }
    if repeat:
        made |= {"repeat": repeat, "repeatDirection": "h", "maxPerRow": 3}
    return made


def stat(title, description, targets, *, unit="short", explain="", color="value", name=None, side_by_side=False, **more):
    """Big numbers. `color` is `value` or `background`."""
    options = {
        "colorMode": color,
        "graphMode": "none",
        "justifyMode": "center",
        "orientation": "vertical" if side_by_side else "auto",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "textMode": name or "value",
        "wideLayout": True,
    }
    return panel("stat", title, description, targets, unit=unit, explain=explain, options=options, **more)


def timeseries(title, description, targets, *, unit, explain="", stack=False, bars=False, fill=0, legend=(), place="bottom", lowest=0, **more):
    """Lines, areas or bars over time. `legend` names what is calculated beside each name."""
    custom = {
        "drawStyle": "bars" if bars else "line",
        "fillOpacity": 70 if stack or bars else fill,
        "lineWidth": 0 if bars else 1 if stack else 2,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"group": "A", "mode": "normal" if stack or bars else "none"},
        "axisSoftMin": 0,
        "gradientMode": "none",
        "thresholdsStyle": {"mode": "off"},
    }
    defaults = {"color": {"mode": "palette-classic"}, **more.pop("defaults", {})}
    if lowest is not None:
        defaults["min"] = lowest
    options = {
        "legend": {"calcs": list(legend), "displayMode": "table" if legend else "list", "placement": place, "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    custom |= more.pop("custom", {})
    return panel("timeseries", title, description, targets, unit=unit, explain=explain, options=options, defaults=defaults, custom=custom, **more)


def timeline(title, description, targets, *, unit="short", explain="", row_height=0.8, **more):
    """A row a series, with its state over time."""
    options = {
        "alignValue": "left",
        "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": True},
        "mergeValues": True,
        "rowHeight": row_height,
        "showValue": "never",
        "tooltip": {"mode": "single", "sort": "none"},
    }
    custom = {"fillOpacity": 80, "lineWidth": 0}
    return panel("state-timeline", title, description, targets, unit=unit, explain=explain, options=options, custom=custom, **more)


def bars(title, description, targets, *, unit, explain="", **more):
    """A horizontal bar a series."""
    options = {
        "displayMode": "basic",
        "minVizHeight": 16,
        "minVizWidth": 8,
        "maxVizHeight": 40,
        "namePlacement": "auto",
        "orientation": "horizontal",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "showUnfilled": True,
        "sizing": "auto",
        "valueMode": "color",
    }
    return panel("bargauge", title, description, targets, unit=unit, explain=explain, options=options, **more)


def table(title, description, targets, *, columns, unit="short", explain="", sort=None, joined=None, matrix=None, **more):
    """A table. `columns` says which labels are shown, in order: `{"endpoint": "Endpoint"}`; whatever else there is, is hidden.

    `joined` names the label by which several queries become one table, `matrix` the labels of rows and columns.
    """
    shaping = []
    if joined:
        shaping.append({"id": "joinByField", "options": {"byField": joined, "mode": "outer"}})
    overrides = [without_value("string", "–"), without_value("number", "–"), *more.pop("overrides", [])]
    if matrix:
        row, column = matrix
        shaping.append({"id": "groupingToMatrix", "options": {"columnField": column, "rowField": row, "valueField": "Value", "emptyValue": "null"}})
    else:
        shaping.append({"id": "filterFieldsByName", "options": {"include": {"names": list(columns)}}})
        order = {name: index for index, name in enumerate(columns)}
        shaping.append({"id": "organize", "options": {"excludeByName": {}, "indexByName": order, "renameByName": columns}})
    options = {
        "cellHeight": "sm",
        "showHeader": True,
        "sortBy": [{"displayName": name, "desc": descending} for name, descending in (sort or {}).items()],
    }
    custom = {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": False, "inspect": False} | more.pop("custom", {})
    defaults = {"color": {"mode": "thresholds"}, **more.pop("defaults", {})}
    return panel("table", title, description, targets, unit=unit, explain=explain, options=options, custom=custom, defaults=defaults,
                 overrides=overrides, transformations=shaping, **more)


# === where they stand ===

def placed(*bands):
    """Panels in bands from top to bottom: `("Title of a row",)` or `(height, (width, panel), ...)`; the widths of a band fill it."""
    panels, top = [], 0
    for band in bands:
        if isinstance(band[0], str):
            row = {"type": "row", "title": band[0], "collapsed": False, "panels": []}
            panels.append(row | {"gridPos": {"x": 0, "y": top, "w": WIDTH, "h": 1}})
            top += 1
            continue
        height, *beside = band
        left = 0
        for width, made in beside:
            panels.append(made | {"gridPos": {"x": left, "y": top, "w": width, "h": height}})
            left += width
        assert left == WIDTH, f"{[made['title'] for _, made in beside]} fill {left} of {WIDTH}"
        top += height
    return [{"id": number, **made} for number, made in enumerate(panels, 1)]


# === variables ===

def datasource_variable():
    return {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "hide": 0, "refresh": 1, "regex": "",
            "multi": False, "includeAll": False, "current": {"selected": False, "text": "default", "value": "default"}, "options": []}


def label_variable(name, metric_and_label, label):
    """The values of a label; several can be chosen, or all."""
    expr = f"label_values({metric_and_label})"
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": DATASOURCE,
        "query": {"qryType": 1, "query": expr, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
        "refresh": 2,
        "regex": "",
        "sort": 1,
        "hide": 0,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "options": [],
    }


def text_variable(name, label, value, description):
    return {"name": name, "label": label, "type": "textbox", "description": description, "query": value, "hide": 0,
            "current": {"selected": True, "text": value, "value": value}, "options": [{"selected": True, "text": value, "value": value}]}


# === the whole ===

def annotation(name, expr, color, title, text, enabled=True):
    return {"name": name, "datasource": DATASOURCE, "enable": enabled, "hide": False, "iconColor": color, "expr": expr, "step": "30s",
            "titleFormat": title, "textFormat": text, "useValueForTime": False}


def dashboard(uid, title, description, panels, variables, annotations, links, refresh="30s", since="now-6h"):
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["reachd"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "fiscalYearStartMonth": 0,
        "liveNow": False,
        "refresh": refresh,
        "time": {"from": since, "to": "now"},
        "timepicker": {},
        "timezone": "browser",
        "weekStart": "",
        "templating": {"list": variables},
        "annotations": {"list": annotations},
        "links": links,
        "panels": panels,
    }
