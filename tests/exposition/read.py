"""Reads an exposition with Prometheus' own client library.

usage: read.py TEXT OPENMETRICS

Fails where a file is not what its format asks for, or where the two tell of different families. Prints the id of each
exemplar.
"""

import re
import sys

from prometheus_client.openmetrics.parser import text_fd_to_metric_families as read_openmetrics
from prometheus_client.parser import text_fd_to_metric_families as read_text


def samples(families):
    """The names of all samples with their labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items())))
        for family in families
        for sample in family.samples
        # A moment lies between the two files.
        if not sample.name.startswith(("reachd_probe_fail", "reachd_cause"))
    }


def main():
    with open(sys.argv[1]) as text:
        plain = list(read_text(text))
    with open(sys.argv[2]) as text:
        families = list(read_openmetrics(text))
    assert len(families) > 30, len(families)
    difference = samples(plain) ^ samples(families)
    assert not difference, difference
    units = {family.name: family.unit for family in families if family.unit}
    assert units["reachd_probe_duration_seconds"] == "seconds", units
    assert units["process_cpu_seconds"] == "seconds", units
    types = {family.name: family.type for family in families}
    assert types["reachd_probes"] == "counter", types
    assert types["reachd_endpoint"] == "info", types
    for family in families:
        for sample in family.samples:
            if sample.exemplar:
                id = sample.exemplar.labels["trace_id"]
                assert re.fullmatch("[0-9a-f]{32}", id), id
                assert float(sample.exemplar.timestamp) > 1.6e9, sample
                if sample.name == "reachd_probe_duration_seconds_bucket":
                    assert sample.exemplar.value <= float(sample.labels["le"]), sample
                print(id)


main()
