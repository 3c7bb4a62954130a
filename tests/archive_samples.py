"""Zip files for tests: as `zip` makes them, and as nobody should."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping


def packed(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED, *, mode: int = 0) -> bytes:
    """An archive with these members, each with the type and rights `mode` of its file."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            member = zipfile.ZipInfo(name)
            member.external_attr = mode << 16
            archive.writestr(member, content, method)
    return target.getvalue()


def twice(name: str, other: str) -> bytes:
    """Two members, whatever their names: `zipfile` itself warns of two that are the same."""
    first = packed({"a" * len(name.encode()): b"x\n1\n", "b" * len(other.encode()): b"x\n2\n"})
    return first.replace(b"a" * len(name.encode()), name.encode()).replace(b"b" * len(other.encode()), other.encode())


def with_flag(archive: bytes, flag: int) -> bytes:
    """The same with a bit set in the flags of each member, in both of its headers."""
    data = bytearray(archive)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            (flags,) = struct.unpack_from("<H", data, at + offset)
            struct.pack_into("<H", data, at + offset, flags | flag)
            at = data.find(mark, at + 4)
    return bytes(data)


def damaged(name: str = "a.csv") -> bytes:
    """An archive whose directory is whole, and whose content is not: a byte of it was changed."""
    content = b"url\n" + bytes(range(48, 58)) * 20
    data = bytearray(packed({name: content}, zipfile.ZIP_STORED))
    data[data.find(content) + 50] ^= 0xFF
    return bytes(data)
