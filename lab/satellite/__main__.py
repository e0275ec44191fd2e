# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serves the simulated Satellite until it is stopped."""

from __future__ import annotations

import argparse

from werkzeug.serving import make_server

from .server import Satellite

parser = argparse.ArgumentParser(prog="python -m lab.satellite")
parser.add_argument("--port", type=int, default=15080)
make_server("127.0.0.1", parser.parse_args().port, Satellite(), threaded=True).serve_forever()
