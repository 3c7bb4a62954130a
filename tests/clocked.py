"""The program as a process of its own, by the clock of a test: `clocked.py TIME ARGUMENT…`."""

from __future__ import annotations

import sys
from datetime import datetime

from reconciler import cli
from reconciler.clock import Clock

sys.exit(cli.main(sys.argv[2:], clock=Clock(datetime.fromisoformat(sys.argv[1]))))
