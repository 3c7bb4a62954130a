"""The browser's window: how wide it is, and which theme and medium the page is asked for."""

from __future__ import annotations

from collections.abc import Callable

from selenium.webdriver import Chrome

Show = Callable[[str], Chrome]
"""Opens a page, given as its HTML."""

Faultless = Callable[[Chrome], None]
"""Fails on whatever axe finds on the page as it is shown now."""


def look(chrome: Chrome, *, width: int = 1280, theme: str = "light", media: str = "") -> None:
    """Make the window so wide, and ask the page for a theme and a medium."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": theme}]
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})
    # Styles follow at once, but the page is told with its next frame, before the callbacks of that frame.
    chrome.execute_async_script("requestAnimationFrame(arguments[0])")
