"""reachd beside prometheus-blackbox-exporter and the raw loop of benches/limit.rs, in alternating rounds: saturated and paced."""

import http.client
import json
import re
import statistics
import subprocess
import sys
import threading
import time

from benches.lab import DNS, MEASURED_ON, REACHD, Lab, Measured, get, say_what_is_measured, series, spread, wait_for

BLACKBOX = "127.0.0.1:9115"
AT_ONCE = 32


def run(folder, programs, options):
    with Lab(folder, options.names) as lab:
        Peers(lab, programs, options).run()


class Peers:
    def __init__(self, lab, programs, options):
        self.lab, self.options = lab, options
        self.reachd, self.limit = programs["reachd"], programs["limit"]

    def run(self):
        say_what_is_measured("prometheus-blackbox-exporter", self.reachd)
        contestants = [
            ("limit", self.measure_limit),
            ("reachd", self.measure_reachd),
            ("blackbox_exporter", self.measure_blackbox),
        ]
        for title, pace in (("saturated, one core", None), (f"paced, {self.options.pace}/s", self.options.pace)):
            rounds = []
            for number in range(self.options.rounds):
                turn = number % len(contestants)
                rounds.append({name: measure(pace) for name, measure in contestants[turn:] + contestants[:turn]})
                print(f"{title}, round {number + 1}: {json.dumps(rounds[-1])}", file=sys.stderr)
            table(title, rounds)

    def measure_limit(self, pace):
        arguments = [f"{self.lab.folder}/root.pem", f"{DNS}:53", str(self.options.names), str(self.options.seconds)]
        command = ["taskset", "-c", MEASURED_ON, str(self.limit), *arguments, *([str(pace)] if pace else [])]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)

    def measure_reachd(self, pace):
        # Without a pace, three times as many checks are due as one core can do.
        names, interval = (self.options.names, self.options.names / pace) if pace else (self.options.names, 0)
        config = self.lab.folder / "reachd.yml"
        copies = 1 if pace else max(1, 4000 // names)
        endpoints = "".join(
            f"  - {{name: e{copy}-{number}, service: s{copy}, url: \"https://t{number:05}.lab.test/\"}}\n"
            for copy in range(copies)
            for number in range(names)
        )
        config.write_text(
            f"global: {{interval: {max(interval, 1):g}s, timeout: 5s, retry_interval: off, resolver: bench{'' if pace else f', concurrency: {AT_ONCE}'}}}\n"
            f"resolvers: {{bench: {{servers: [\"{DNS}:53\"], transport: udp}}}}\n"
            f"tls: {{ca_file: {self.lab.folder}/root.pem}}\nrevocation: {{derived_interval: off}}\nmetrics: {{histograms: service}}\nendpoints:\n{endpoints}"
        )
        process = self.lab.start(MEASURED_ON, str(self.reachd), "--config.file", str(config))
        wait_for(REACHD, "/-/healthy")
        # A full round, so that no handshake is the first of its kind.
        time.sleep(2 + (min(interval, 10) if pace else 2))
        probes = lambda: sum(value for _, value in series(get(REACHD, "/metrics"), "reachd_probes_total"))
        measured = Measured(process.pid, probes, self.options.seconds)
        text = get(REACHD, "/metrics")
        failed = sum(value for labels, value in series(text, "reachd_probes_total") if 'result="failure"' in labels)
        phases = {}
        for labels, value in series(text, "reachd_probe_last_phase_duration_seconds"):
            check = re.search(r'service="([^"]*)",endpoint="([^"]*)"', labels).groups()
            phases[check] = phases.get(check, 0) + value
        self.lab.stop(process)
        return {**measured.figures(), "p50_ms": round(statistics.median(phases.values()) * 1e3, 3), "failed": failed}

    def measure_blackbox(self, pace):
        process = self.lab.start(MEASURED_ON, "prometheus-blackbox-exporter", f"--config.file={self.lab.folder}/blackbox.yml",
                             f"--web.listen-address={BLACKBOX}", "--log.level=error")
        wait_for(BLACKBOX, "/-/healthy")
        driver = Driver(pace, self.options.names)
        time.sleep(2)
        driver.seconds.clear()
        measured = Measured(process.pid, lambda: driver.probes, self.options.seconds)
        driver.stop()
        self.lab.stop(process)
        return {**measured.figures(), "p50_ms": round(statistics.median(driver.seconds) * 1e3, 3), "failed": driver.failed}


class Driver:
    """Asks blackbox_exporter for probes: evenly, or as fast as it answers."""

    def __init__(self, pace, names):
        self.pace, self.names = pace, names
        self.probes = self.failed = 0
        self.seconds = []
        self.lock = threading.Lock()
        self.is_over = False
        self.begun = time.monotonic()
        self.asked = 0
        self.threads = [threading.Thread(target=self.ask, daemon=True) for _ in range(AT_ONCE)]
        for thread in self.threads:
            thread.start()

    def ask(self):
        connection = http.client.HTTPConnection(BLACKBOX, timeout=10)
        while not self.is_over:
            with self.lock:
                number = self.asked
                self.asked += 1
            if self.pace:
                time.sleep(max(0.0, self.begun + number / self.pace - time.monotonic()))
            connection.request("GET", f"/probe?module=https&target=https://t{number % self.names:05}.lab.test/")
            text = connection.getresponse().read().decode()
            seconds = float(re.search(r"^probe_duration_seconds (\S+)", text, re.M)[1])
            with self.lock:
                self.probes += 1
                self.failed += "\nprobe_success 1" not in text
                self.seconds.append(seconds)

    def stop(self):
        self.is_over = True
        for thread in self.threads:
            thread.join(20)


def table(title, rounds):
    """Medians over the rounds, and the medians of the rounds' own ratios."""
    figures = ["cpu_ms_per_1000", "probes_per_second", "p50_ms", "switches_per_probe", "resident_mb"]
    print(f"\n## {title}: median (least-most) of {len(rounds)} rounds\n")
    print("| | " + " | ".join(figures) + " | CPU to limit | CPU to blackbox_exporter |")
    print("|---" * (len(figures) + 3) + "|")
    for name in rounds[0]:
        cells = [spread([a_round[name][figure] for a_round in rounds]) if figure in rounds[0][name] else "" for figure in figures]
        ratios = [
            spread([a_round[name]["cpu_ms_per_1000"] / a_round[other]["cpu_ms_per_1000"] for a_round in rounds])
            for other in ("limit", "blackbox_exporter")
        ]
        print(f"| {name} | " + " | ".join(cells + ratios) + " |")
    failed = sum(contestant.get("failed", 0) for a_round in rounds for contestant in a_round.values())
    print(f"\nfailed probes: {failed:g}", flush=True)
