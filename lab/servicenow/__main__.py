# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serves the simulated ServiceNow until it is stopped."""

from __future__ import annotations

import argparse

from werkzeug.serving import make_server

from .server import ServiceNow

parser = argparse.ArgumentParser(prog="python -m lab.servicenow")
parser.add_argument("--port", type=int, default=15090)
make_server("127.0.0.1", parser.parse_args().port, ServiceNow(), threaded=True).serve_forever()
