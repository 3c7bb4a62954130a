"""Where a page leads: to other pages of a site, to a resource by its address, and to a manifest's line in Git."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from msgspec import Struct

from reconciler.model.address import Address, Origin
from reconciler.model.copies import replace
from reconciler.render.characters import neutral

_FORGES = (
    ("github", re.compile(r"(^|\.|-)github(\.|-|$)"), "{web}/blob/{commit}/{path}#L{line}", "{web}/commit/{commit}"),
    (
        "gitlab",
        re.compile(r"(^|\.|-)gitlab(\.|-|$)"),
        "{web}/-/blob/{commit}/{path}#L{line}",
        "{web}/-/commit/{commit}",
    ),
    (
        "bitbucket",
        re.compile(r"^bitbucket\.org$"),
        "{web}/src/{commit}/{path}#lines-{line}",
        "{web}/commits/{commit}",
    ),
)
"""Forges, the hosts that are theirs by name, and how each writes the URL of a line and of a commit."""

_SCP = re.compile(r"(?:[^@/:]+@)?(?P<host>[^/:]+):(?P<path>[^/].*)")
_HEX = re.compile("[0-9a-f]{7,64}")


class NavItem(NamedTuple):
    """A page of the site, as the navigation names it; `href` as seen from the page that is shown."""

    name: str
    href: str
    is_current: bool = False


class Repository(Struct, frozen=True):
    """Where the manifests are kept: the repository's web page, the commit, and the project's folder in it.

    Any of them may be "", which is: not known. `forge` is how a host of another name than a forge's writes its URLs.
    `committed` are the files that are as the commit has them, relative to the project; None: all are.
    """

    web: str = ""
    commit: str = ""
    folder: str = ""
    forge: str = ""
    committed: frozenset[str] | None = None

    @classmethod
    def of(
        cls,
        remote: str,
        commit: str,
        folder: str = "",
        *,
        forge: str = "",
        committed: frozenset[str] | None = None,
    ) -> Repository:
        """What a remote's URL says, as Git has it: by HTTP or SSH. Who signs in by it is left out."""
        return cls(_web(remote), commit if _HEX.fullmatch(commit) else "", folder, forge, committed)

    @property
    def commit_url(self) -> str:
        """The commit's page; "" where the host is none that we know."""
        return self._written(3).format(web=self.web, commit=self.commit) if self.commit else ""

    def line_url(self, origin: Origin) -> str:
        """The page that shows the line in this commit; "" where none is known, or the file is outside of it."""
        path = posixpath.normpath(posixpath.join(self.folder, origin.path))
        is_committed = self.committed is None or origin.path in self.committed
        if not self.commit or not is_committed or path.startswith(("/", "..")):
            return ""
        return self._written(2).format(web=self.web, commit=self.commit, path=quote(path), line=origin.line)

    def _written(self, which: int) -> str:
        host = urlsplit(self.web).hostname or ""
        named = next((forge[0] for forge in _FORGES if forge[1].search(host)), self.forge if self.web else "")
        return next((str(forge[which]) for forge in _FORGES if forge[0] == named), "")


class Links(Struct, frozen=True):
    """What a page may lead to. One that stands alone has no navigation, and its style and script inside.

    `homes` has for an address the page of the site that tells most of it, and `root` leads from the page that is shown
    to the site's folder (`../`). `assets` is the folder of shared style and script, as seen from the page. `on_page`
    are the addresses that the page itself has elements for. `notices` are sentences that stand above every page: what
    the site leaves out.
    """

    nav: tuple[NavItem, ...] = ()
    homes: Mapping[str, str] = {}
    root: str = ""
    assets: str = ""
    repository: Repository = Repository()
    on_page: frozenset[str] = frozenset()
    notices: tuple[str, ...] = ()

    def of(self, address: Address | str) -> str:
        """The link to a resource; "" where nothing tells more of it."""
        text = str(address)
        home = self.homes.get(text)
        if home is None and neutral(text) not in self.on_page:
            return ""
        return f"{self.root}{quote(home)}#{fragment(text)}" if home is not None else f"#{fragment(text)}"

    def place(self, origin: Origin) -> str:
        """The link to a manifest's line; "" where the repository's URL is not known."""
        return self.repository.line_url(origin)

    def showing(self, addresses: Iterable[Address | str]) -> Links:
        """The same links on a page that has elements for these addresses."""
        return replace(self, on_page=frozenset(neutral(str(address)) for address in addresses))


ALONE = Links()
"""A page by itself."""


def fragment(address: str) -> str:
    """What stands behind the `#` of a link to the element about this address, whose id is the address itself."""
    return quote(neutral(address), safe="/!$&'()*+,;=:@~")


def _web(remote: str) -> str:
    parts = urlsplit(remote)
    if parts.scheme in ("http", "https"):
        host, path = parts.netloc.rpartition("@")[2], parts.path
    elif parts.scheme in ("ssh", "git+ssh", "git"):
        host, path = parts.hostname or "", parts.path
    elif found := _SCP.fullmatch(remote):
        host, path = found["host"], found["path"]
    else:
        return ""
    if "@" in path or len(host) < 2:  # somebody's name or password in a form that Git does not have; a drive
        return ""
    path = path.strip("/").removesuffix(".git")
    scheme = "http" if parts.scheme == "http" else "https"
    return f"{scheme}://{host}/{quote(path)}" if host and path else ""
