"""Documents that tests render: one for every construct of the dialect, and replies as models write them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

_HERE = Path(__file__).parent
_VISIBLE = str.maketrans({"\u23ce": "\n", "\u2192": "\t", "\u241b": "\x1b"})


def _documents() -> dict[str, str]:
    lines = (_HERE / "documents.txt").read_text(encoding="utf-8").splitlines()[1:]
    return {name: text.translate(_VISIBLE) for name, _, text in (line.partition("|") for line in lines)}


def _replies() -> dict[str, str]:
    parts = (_HERE / "replies.txt").read_text(encoding="utf-8").split("%%%% ")[1:]
    return {name: text.replace("\\r\n", "\r\n") for name, _, text in (part.partition("\n") for part in parts)}


DOCUMENTS = _documents()
REPLIES = _replies()
EVERYTHING = DOCUMENTS | REPLIES

Size = TypeVar("Size")


def rotate(names: Iterable[str], sizes: Sequence[Size], *, turn: int = 0) -> list[tuple[str, Size]]:
    """Every name with one of the sizes, which take turns; `turn` says which one comes first.

    Every document at every size takes as many times longer as there are sizes, and finds no more.
    """
    return [(name, sizes[(at + turn) % len(sizes)]) for at, name in enumerate(names)]
