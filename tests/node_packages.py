"""Where tests/provide-node-packages.sh puts the judges that are written for Node.js."""

from __future__ import annotations

from pathlib import Path

_HOME = Path(__file__).parents[1] / ".node-packages"
INSTALLED = _HOME / "installed.json"
"""There once all are installed."""

PACKAGES = _HOME / "node_modules"
NODE = _HOME / "node.run"
