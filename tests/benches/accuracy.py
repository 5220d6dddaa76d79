"""How far the reported time of a phase is from the truth while 300 probes a second of other checks run, for reachd and for
prometheus-blackbox-exporter: a peer that is late by 0, 10, 50 and 200 ms in one phase, and that writes down how late it really was.

Where a machine has other things to do, `chrt -r 1 tests/bench accuracy` keeps them out of the figures.

The error is what was reported, minus what was written down of the same probe, minus the median of just that where nothing was late:
what the phase takes anyhow."""

import re
import shutil
import statistics
import subprocess
import sys
import time
import urllib.parse

from benches import delays
from benches.lab import DNS, MEASURED_ON, REACHD, Lab, get, say_what_is_measured, series, wait_for
from benches.peers import BLACKBOX, Driver

LATE = (0, 10, 50, 200)
LOAD = 300
# Reported: phase and peer of reachd, and the phase of blackbox_exporter, which has none for what a proxy does.
PHASES = {
    "dns": ("dns", "endpoint", "resolve"),
    "connect": ("connect", "endpoint", "connect"),
    "proxy": ("proxy", "proxy", None),
    "tls": ("tls", "endpoint", "tls"),
    "request": ("request", "endpoint", "processing"),
    "response": ("response", "endpoint", "transfer"),
}
# Of each peer, one a second.
PROBES = 50


def run(folder, programs, options):
    with Lab(folder, LOAD) as lab:
        Accuracy(lab, programs["reachd"]).run()


class Peer:
    """One that is late in one phase, for one who asks."""

    def __init__(self, number, phase, late, who):
        self.phase, self.late = phase, late
        self.name = f"{phase}-{late}-{who}"
        self.port = 20000 + number
        self.address = f"{delays.FAR}{number + 1}" if phase == "connect" else "127.0.0.1"
        has_own_port = phase not in ("dns", "connect")
        self.url = f"https://{self.name}.lab.test{f':{self.port}' if has_own_port and phase != 'proxy' else ''}/"
        self.file = f"delays-{phase if phase in ('dns', 'connect') else 'tls'}"


class Accuracy:
    def __init__(self, lab, reachd):
        self.lab, self.reachd = lab, reachd
        cases = [(phase, late, who) for phase in PHASES for late in LATE for who in ("reachd", "blackbox")]
        self.peers = {who: [] for who in ("reachd", "blackbox")}
        for number, (phase, late, who) in enumerate(cases):
            if who == "reachd" or PHASES[phase][2]:
                self.peers[who].append(Peer(number, phase, late, who))

    def run(self):
        say_what_is_measured("prometheus-blackbox-exporter", self.reachd)
        everyone = self.peers["reachd"] + self.peers["blackbox"]
        hosts = {peer.name: (peer.address, peer.late / 1e3) for peer in everyone if peer.file != "delays-tls"}
        servers = [(peer.port, peer.name, peer.phase, peer.late / 1e3) for peer in everyone if peer.file == "delays-tls"]
        processes = delays.start(self.lab.folder, hosts, servers)
        try:
            time.sleep(1)
            reported = {"reachd": self.ask_reachd(), "blackbox_exporter": self.ask_blackbox()}
        finally:
            for process in processes:
                process.kill()
        self.tell(reported)

    def ask_reachd(self):
        """For each peer: when each probe started and ended, and what its phase took."""
        config = self.lab.folder / "reachd.yml"
        load = "".join(f'  - {{name: load-{n}, service: load, url: "https://t{n:05}.lab.test/", resolver: load}}\n' for n in range(LOAD))
        proxies = "".join(
            f'  {peer.name}: {{url: "http://127.0.0.1:{peer.port}"}}\n' for peer in self.peers["reachd"] if peer.phase == "proxy"
        )
        late = "".join(
            f'  - {{name: {peer.name}, service: late, url: "{peer.url}", routes: [{peer.name if peer.phase == "proxy" else "direct"}]}}\n'
            for peer in self.peers["reachd"]
        )
        config.write_text(
            "global: {interval: 1s, timeout: 5s, retry_interval: off, resolver: late}\n"
            f'resolvers:\n  late: {{servers: ["{delays.NAMES}:53"], transport: udp}}\n  load: {{servers: ["{DNS}:53"], transport: udp}}\n'
            f"proxies:\n{proxies}routes: [direct]\n"
            f"tls: {{ca_file: {self.lab.folder}/root.pem}}\nrevocation: {{mode: off}}\nmetrics: {{histograms: none}}\nendpoints:\n{load}{late}"
        )
        process = self.lab.start(MEASURED_ON, str(self.reachd), "--config.file", str(config))
        wait_for(REACHD, "/-/healthy")
        done = lambda: sum(value for _, value in series(get(REACHD, "/metrics"), "reachd_probes_total"))
        time.sleep(5)
        before, begun = done(), time.monotonic()
        probes = {peer.name: {} for peer in self.peers["reachd"]}
        latest = {}
        while time.monotonic() - begun < PROBES:
            time.sleep(0.45)
            former, latest = latest, self.latest_probes()
            # Seen twice: a scrape may have begun before a probe ended, and ended after it.
            for name, probe in latest.items():
                if former.get(name) == probe:
                    probes[name][probe[0]] = probe
        print(f"reachd probed {(done() - before) / (time.monotonic() - begun):.0f} times a second", file=sys.stderr)
        self.lab.stop(process)
        return {name: list(seen.values()) for name, seen in probes.items()}

    def latest_probes(self):
        """By name, of the latest probe: when it started, how long it took, and what its phase took."""
        text = get(REACHD, "/metrics")
        late = lambda metric: [(labels, value) for labels, value in series(text, metric) if 'service="late"' in labels]
        name_of = lambda labels: re.search(r'endpoint="([^"]*)"', labels)[1]
        started = {name_of(labels): value for labels, value in late("reachd_probe_last_run_timestamp_seconds")}
        took, phases = dict.fromkeys(started, 0), {}
        for labels, value in late("reachd_probe_last_phase_duration_seconds"):
            name = name_of(labels)
            took[name] += value
            step, whom, _ = PHASES[name.split("-")[0]]
            if f'phase="{step}",peer="{whom}"' in labels:
                phases[name] = value
        return {name: (started[name], took[name], phases[name]) for name in phases}

    def ask_blackbox(self):
        # It asks the system's name server, so that it gets a system of its own. The load asks by name, too.
        folder = self.lab.folder
        (folder / "late-resolv.conf").write_text(f"nameserver {delays.NAMES}\n")
        script = f"mount --bind {folder}/late-resolv.conf $(realpath /etc/resolv.conf) && exec prometheus-blackbox-exporter " \
                 f"--config.file={folder}/blackbox.yml --web.listen-address={BLACKBOX} --log.level=error"
        process = self.lab.start(MEASURED_ON, shutil.which("unshare"), "--mount", "sh", "-c", script)
        wait_for(BLACKBOX, "/-/healthy")
        driver = Driver(LOAD, LOAD)
        time.sleep(2)
        reported = {}
        begun, before = time.monotonic(), driver.probes
        for peer in self.peers["blackbox"]:
            reported[peer.name] = []
            for _ in range(PROBES):
                started = time.time()
                text = get(BLACKBOX, f"/probe?module=https&target={urllib.parse.quote(peer.url, safe='')}")
                took = time.time() - started
                phase = re.search(rf'^probe_http_duration_seconds{{phase="{PHASES[peer.phase][2]}"}} (\S+)', text, re.M)
                if "\nprobe_success 1" in text:
                    reported[peer.name].append((started, took, float(phase[1])))
        print(f"blackbox_exporter probed {(driver.probes - before) / (time.monotonic() - begun):.0f} times a second", file=sys.stderr)
        driver.stop()
        self.lab.stop(process)
        return reported

    def tell(self, reported):
        written = delays.written(self.lab.folder)
        print(f"\n## error of the reported time of a phase, ms, {LOAD} probes a second beside it\n")
        print("| phase | late by | reachd: median | p99 | probes | blackbox_exporter: median | p99 | probes |")
        print("|---" * 8 + "|")
        for phase in PHASES:
            excess = {}
            for who, peers in (("reachd", self.peers["reachd"]), ("blackbox_exporter", self.peers["blackbox"])):
                for peer in peers:
                    if peer.phase == phase:
                        excess[who, peer.late] = beyond_truth(reported[who][peer.name], written.get((peer.file, peer.name), []))
            for late in LATE:
                cells = []
                for who in ("reachd", "blackbox_exporter"):
                    base, errors = excess.get((who, 0)), excess.get((who, late))
                    if not base or not errors:
                        cells += ["", "", str(len(errors)) if errors is not None else ""]
                        continue
                    anyhow = statistics.median(base)
                    if late == 0:
                        cells += [f"takes {1e3 * anyhow:.3f}", "", str(len(errors))]
                        continue
                    errors = sorted(1e3 * (error - anyhow) for error in errors)
                    last = errors[min(len(errors) - 1, int(0.99 * len(errors)))]
                    cells += [f"{statistics.median(errors):+.3f}", f"{last:+.3f}", str(len(errors))]
                print(f"| {phase} | {late} ms | " + " | ".join(cells) + " |", flush=True)


def beyond_truth(reported, delays_written):
    """What was reported beyond the delay that the peer wrote down of the same probe. A name is asked for twice, for either
    family, at once: the longer delay counts."""
    excess = []
    for started, took, seconds in reported:
        lasted = [lasted for at, lasted in delays_written if started - 0.001 <= at <= started + took]
        if lasted:
            excess.append(seconds - max(lasted))
    return excess

