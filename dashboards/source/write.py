#!/usr/bin/env python3
"""Writes the dashboards: `python3 dashboards/source/write.py [FOLDER]`. A test holds that what is there is what it writes."""

import json
import sys
from pathlib import Path

from certificates import CERTIFICATES
from endpoint import ENDPOINT
from itself import ITSELF
from overview import OVERVIEW
from routes import ROUTES

FILES = {"overview": OVERVIEW, "endpoint": ENDPOINT, "routes": ROUTES, "certificates": CERTIFICATES, "reachd": ITSELF}

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
for name, dashboard in FILES.items():
    (folder / f"{name}.json").write_text(json.dumps(dashboard, indent=2, ensure_ascii=False) + "\n")
