"""Ten thousand endpoints at an interval of 30 s: how long the first round takes, how late probes start, what it takes of memory, what a
scrape costs, and what a reload of one in a hundred disturbs. Then a hundred thousand that wait."""

import math
import re
import signal
import statistics
import sys
import time
from pathlib import Path

from benches.lab import DNS, REACHD, Lab, get, processor_seconds, say_what_is_measured, series, wait_for

CHECKS, INTERVAL = 10_000, 30
IDLE_CHECKS = 100_000
SCRAPED_EVERY = 15
BOTH = "0,1"


def run(folder, programs, options):
    with Lab(folder, CHECKS) as lab:
        Scale(lab, programs["reachd"]).run()


class Scale:
    def __init__(self, lab, reachd):
        self.lab, self.reachd = lab, reachd
        self.config = lab.folder / "reachd.yml"

    def run(self):
        say_what_is_measured(self.reachd)
        print(f"\n## {CHECKS} checks every {INTERVAL} s, reachd on both processors, nginx and the DNS on the first\n")
        self.write_config(CHECKS, f"{INTERVAL}s")
        started = time.monotonic()
        self.process = self.start()
        self.first_round(started)
        for rounds, until in ((1, INTERVAL), (3, 3 * INTERVAL), (6, 6 * INTERVAL)):
            self.scrape_until(started + until + 1)
            print(f"resident memory after {rounds} rounds: {resident(self.process.pid):.1f} MB (most so far {peak(self.process.pid):.1f} MB)")
        print_lag("over all of it", Exposition(""), Exposition(get(REACHD, "/metrics")))
        self.scrapes()
        self.reload()
        self.lab.stop(self.process)
        self.idle()

    def first_round(self, started):
        """Ends with the first outcome of the last check."""
        scraped = started
        while True:
            text = get(REACHD, "/metrics")
            ran = sum(1 for _ in series(text, "reachd_probe_success"))
            if ran >= CHECKS or time.monotonic() > started + 5 * INTERVAL:
                break
            # Seldom, and more often towards the end, so that looking costs little.
            time.sleep(5 if ran < 0.8 * CHECKS else 0.5)
        failed = sum(1 for _, value in series(text, "reachd_probe_success") if value == 0)
        print(f"from the start to the end of the first round: {time.monotonic() - started:.1f} s ({ran} checks ran, {failed} failed)")

    def scrape_until(self, then):
        while (left := then - time.monotonic()) > 0:
            time.sleep(min(left, SCRAPED_EVERY))
            get(REACHD, "/metrics")

    def scrapes(self):
        """What one scrape costs: the processor time of the thread that serves, which has nothing else to do."""
        pid, size, used, most = self.process.pid, 0, [], []
        for _ in range(7):
            time.sleep(2)
            # So that the peak is that of the scrape alone.
            Path(f"/proc/{pid}/clear_refs").write_text("5")
            before, ran = resident(pid), thread_seconds(pid, "server")
            size = len(get(REACHD, "/metrics"))
            used.append((thread_seconds(pid, "server") - ran) * 1e3)
            most.append(peak(pid) - before)
        print(f"a scrape of {size / 1e6:.1f} MB, not compressed: {statistics.median(used):.1f} ms CPU of the server's thread ({min(used):.1f}-{max(used):.1f}), "
              f"the process grows by {statistics.median(most):.2f} MB meanwhile ({min(most):.2f}-{max(most):.2f})")

    def reload(self):
        """Every hundredth check gets another timeout: it starts anew, and no other one notices."""
        before = Exposition(get(REACHD, "/metrics"))
        self.write_config(CHECKS, f"{INTERVAL}s", is_changed=lambda number: number % 100 == 7)
        used, began = processor_seconds(self.process.pid), time.monotonic()
        self.process.send_signal(signal.SIGHUP)
        reloaded = before
        while reloaded.reloaded_at == before.reloaded_at and time.monotonic() < began + 60:
            time.sleep(0.5)
            reloaded = Exposition(get(REACHD, "/metrics"))
        took, used = time.monotonic() - began, processor_seconds(self.process.pid) - used
        print(f"a reload that changes {CHECKS // 100} checks: in force after {took:.1f} s, in which reachd used {used:.1f} s of processors")
        waiting = len(before.last_run) - len(reloaded.last_run)
        print(f"then {waiting} checks waited for their first result; most memory so far {peak(self.process.pid):.1f} MB")
        time.sleep(INTERVAL + 5)
        after = Exposition(get(REACHD, "/metrics"))
        turns = [(after.last_run[check] - began_at) / INTERVAL for check, began_at in before.last_run.items() if check in after.last_run]
        off = sum(1 for number in turns if abs(number - round(number)) * INTERVAL > 1)
        print(f"a round later: {off} checks have another rhythm, {len(before.last_run) - len(turns)} have no result any more, {resident(self.process.pid):.1f} MB resident")
        print_lag("from the reload to a round later", before, after)

    def idle(self):
        """Looked at before more than a few have run: they begin over a minute. Each endpoint has ten routes, for a configuration is
        small; the proxies are not there."""
        print("\n## checks that wait for their turn\n")
        sizes = {}
        for checks in (1_000, IDLE_CHECKS):
            self.write_config(checks // 10, "1d", proxies=9)
            self.process = self.start()
            time.sleep(1)
            sizes[checks] = resident(self.process.pid)
            ran = len(Exposition(get(REACHD, "/metrics")).last_run)
            print(f"{checks} checks: {sizes[checks]:.1f} MB resident (most so far {peak(self.process.pid):.1f} MB), {ran} had run")
            self.lab.stop(self.process)
        of_each = (sizes[IDLE_CHECKS] - sizes[1_000]) * 1e6 / (IDLE_CHECKS - 1_000)
        print(f"each takes {of_each:.0f} bytes", flush=True)

    def start(self):
        process = self.lab.start(BOTH, str(self.reachd), "--config.file", str(self.config))
        wait_for(REACHD, "/-/healthy")
        # It answers before it probes.
        while "\nreachd_checks 0\n" in get(REACHD, "/metrics"):
            time.sleep(0.1)
        return process

    def write_config(self, endpoints, interval, proxies=0, is_changed=lambda number: False):
        routes = ["direct", *(f"p{number}" for number in range(proxies))]
        written = "".join(f"  p{number}: {{url: \"http://127.0.0.9:{3128 + number}\"}}\n" for number in range(proxies))
        listed = "".join(
            f"  - {{name: e{number}, service: s{number % 100}, url: \"https://t{number:05}.lab.test/\""
            f"{', timeout: 6s' if is_changed(number) else ''}}}\n"
            for number in range(endpoints)
        )
        self.config.write_text(
            f"global: {{interval: {interval}, timeout: 5s, resolver: bench}}\n"
            f"resolvers: {{bench: {{servers: [\"{DNS}:53\"], transport: udp}}}}\n"
            f"tls: {{ca_file: {self.lab.folder}/root.pem}}\nrevocation: {{derived_interval: off}}\nmetrics: {{histograms: service}}\n"
            + (f"proxies:\n{written}" if proxies else "")
            + f"routes: [{', '.join(routes)}]\nendpoints:\n{listed}"
        )


class Exposition:
    """What a scrape says, as far as it matters here."""

    def __init__(self, text):
        self.last_run, self.lag, self.skipped, self.reloaded_at = {}, {}, 0.0, 0.0
        for line in text.splitlines():
            name, _, rest = line.partition("{")
            if name == "reachd_probe_last_run_timestamp_seconds":
                labels, value = rest.rsplit("} ", 1)
                self.last_run[labels] = float(value)
            elif name == "reachd_scheduler_lag_seconds_bucket":
                bound, count = re.match(r'le="(.*)"} (.*)', rest).groups()
                self.lag[float(bound)] = float(count)
            elif line.startswith("reachd_probes_skipped_total "):
                self.skipped = float(line.split()[1])
            elif line.startswith("reachd_config_last_reload_success_timestamp_seconds "):
                self.reloaded_at = float(line.split()[1])


def print_lag(when, before, after):
    """Between which bounds of the histogram the quantiles lie."""
    counts = {bound: count - before.lag.get(bound, 0) for bound, count in sorted(after.lag.items())}
    total = counts[math.inf]
    words = []
    for quantile in (0.5, 0.99, 0.999):
        least = 0.0
        for bound, count in counts.items():
            if count >= quantile * total:
                words.append(f"p{100 * quantile:g} {least * 1e3:g}-{bound * 1e3:g} ms")
                break
            least = bound
    within = counts.get(0.05, math.nan) / total
    print(f"lag {when}: {', '.join(words)}; {100 * within:.3f} % of {total:g} probes within 50 ms; skipped {after.skipped - before.skipped:g}",
          flush=True)


def resident(pid):
    return status(pid, "VmRSS")


def peak(pid):
    return status(pid, "VmHWM")


def status(pid, field):
    return int(re.search(rf"{field}:\s*(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) * 1024 / 1e6


def thread_seconds(pid, name):
    """What the thread of this name has used of processors, to the nanosecond."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            return int((task / "schedstat").read_text().split()[0]) / 1e9
    sys.exit(f"reachd has no thread {name}")
