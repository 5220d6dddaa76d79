"""The servers of a benchmark, in the network namespace in which it runs: nginx (TLS 1.3, ECDSA P-256, no resumption) and knot on the
first processor; and what a process on the second one has used."""

import http.client
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

DNS = "127.0.0.53"
REACHD = "127.0.0.1:9797"
SERVERS_ON, MEASURED_ON = "0", "1"
TICK = os.sysconf("SC_CLK_TCK")


class Lab:
    """Servers for so many names, and whatever else was started beside them."""

    def __init__(self, folder, names):
        self.folder, self.names = folder, names
        self.started = []

    def __enter__(self):
        self.make_certificates()
        self.start_servers()
        return self

    def __exit__(self, *_):
        for process in reversed(self.started):
            process.kill()
            process.wait()

    def make_certificates(self):
        def openssl(*arguments):
            subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

        def key(name):
            openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")

        def sign(name, by, extensions):
            (self.folder / f"{name}.ext").write_text(extensions)
            openssl("req", "-new", "-key", f"{name}.key", "-subj", f"/CN=bench {name}", "-out", f"{name}.csr")
            openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.pem", "-CAkey", f"{by}.key", "-days", "365",
                    "-CAcreateserial", "-extfile", f"{name}.ext", "-out", f"{name}.pem")

        for name in ("root", "intermediate", "leaf"):
            key(name)
        openssl("req", "-x509", "-new", "-key", "root.key", "-subj", "/CN=bench root", "-days", "365", "-out", "root.pem")
        sign("intermediate", "root", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n")
        sign("leaf", "intermediate", "subjectAltName=DNS:*.lab.test\nextendedKeyUsage=serverAuth\n"
             "crlDistributionPoints=URI:http://crl.lab.test/intermediate.crl\n")
        # Nobody is on it: it is looked up, kept, and looked into by whoever asks about revocation.
        (self.folder / "ca.cnf").write_text(
            f"[ca]\ndefault_ca = bench\n[bench]\ndatabase = {self.folder}/ca.index\ncertificate = {self.folder}/intermediate.pem\n"
            f"private_key = {self.folder}/intermediate.key\ndefault_md = sha256\ndefault_crl_days = 30\n"
        )
        (self.folder / "ca.index").touch()
        openssl("ca", "-config", "ca.cnf", "-gencrl", "-out", "intermediate.crl.pem")
        openssl("crl", "-in", "intermediate.crl.pem", "-outform", "DER", "-out", "intermediate.crl")
        chain = (self.folder / "leaf.pem").read_text() + (self.folder / "intermediate.pem").read_text()
        (self.folder / "chain.pem").write_text(chain)

    def start_servers(self):
        folder = self.folder
        names = "".join(f"t{number:05} A 127.1.{number // 250}.{number % 250 + 1}\n" for number in range(self.names))
        (folder / "lab.test.zone").write_text(f"$TTL 0\n@ SOA ns. host. 1 1 1 1 0\n@ NS ns.lab.test.\nns A {DNS}\ncrl A 127.1.0.1\n{names}")
        (folder / "knot.conf").write_text(
            f"server:\n  rundir: {folder}\n  listen: {DNS}@53\n  udp-workers: 1\n"
            f"database:\n  storage: {folder}/db\nzone:\n  - domain: lab.test\n    file: {folder}/lab.test.zone\n"
        )
        (folder / "nginx.conf").write_text(
            f"daemon off; user root; pid {folder}/nginx.pid; error_log stderr error; worker_processes 1;\n"
            "events { worker_connections 8192; }\n"
            "http { access_log off; keepalive_timeout 0; ssl_session_tickets off; ssl_session_cache off;\n"
            "  server { listen 443 ssl backlog=4096; ssl_protocols TLSv1.3;\n"
            f"    ssl_certificate {folder}/chain.pem; ssl_certificate_key {folder}/leaf.key;\n"
            "    location / { default_type text/plain; return 200 'twenty-five bytes of body'; } }\n"
            f"  server {{ listen 80; root {folder}; }} }}\n"
        )
        (folder / "blackbox.yml").write_text(
            "modules:\n  https:\n    prober: http\n    timeout: 5s\n"
            "    http: {preferred_ip_protocol: ip4, ip_protocol_fallback: false, enable_http2: false,\n"
            f"           tls_config: {{ca_file: {folder}/root.pem}}}}\n"
        )
        resolv = folder / "resolv.conf"
        resolv.write_text(f"nameserver {DNS}\n")
        subprocess.run(["mount", "--bind", str(resolv), os.path.realpath("/etc/resolv.conf")], check=True)
        self.start(SERVERS_ON, "knotd", "-c", f"{folder}/knot.conf")
        self.start(SERVERS_ON, "nginx", "-c", f"{folder}/nginx.conf")
        time.sleep(1)

    def start(self, processor, *command):
        with (self.folder / "log").open("a") as log:
            process = subprocess.Popen(["taskset", "-c", processor, *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.started.append(process)
        return process

    def stop(self, process):
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        self.started.remove(process)


class Measured:
    """What a process used while it probed for so many seconds."""

    def __init__(self, pid, probes, seconds):
        begun, used, switches, done = time.monotonic(), processor_seconds(pid), voluntary_switches(pid), probes()
        time.sleep(seconds)
        self.probes = probes() - done
        self.used = processor_seconds(pid) - used
        self.switches = voluntary_switches(pid) - switches
        self.took = time.monotonic() - begun
        self.resident = int(re.search(r"VmRSS:\s*(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024

    def figures(self):
        return {
            "probes": self.probes,
            "cpu_ms_per_1000": round(self.used * 1e6 / self.probes, 1),
            "probes_per_second": round(self.probes / self.took, 1),
            "switches_per_probe": round(self.switches / self.probes, 2),
            "resident_mb": round(self.resident, 1),
        }


def spread(values):
    return f"{statistics.median(values):.3g} ({min(values):.3g}-{max(values):.3g})"


def get(address, path):
    host, port = address.split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.request("GET", path)
    return connection.getresponse().read().decode()


def wait_for(address, path):
    for _ in range(200):
        try:
            get(address, path)
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"nothing answers at {address}")


def series(text, name):
    for line in text.splitlines():
        if line.startswith(name + "{"):
            labels, value = line.rsplit(" ", 1)
            yield labels, float(value)


def processor_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def voluntary_switches(pid):
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int(re.search(r"\nvoluntary_ctxt_switches:\s*(\d+)", (task / "status").read_text())[1])
    return total


def say_what_is_measured(*programs):
    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    print(f"processor: {processor[1] if processor else 'unknown'}, {os.cpu_count()} of them")
    for command in [["uname", "-r"], ["nginx", "-v"], *([str(program), "--version"] for program in programs)]:
        answer = subprocess.run(command, capture_output=True, text=True)
        print(f"{Path(command[0]).name}: {(answer.stdout + answer.stderr).splitlines()[0]}")
