"""The ids of conversations: creates them, and finds the one that a person typed; knows no database."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from llmchat.errors import MissingError, UsageError, nearest

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base32 (crockford.com/base32.html) in lower case: no i, l, o, u."""

_LENGTH = 10
_MISREAD = str.maketrans("ilo", "110")  # Crockford's reading of the omitted letters
_LISTED = 5  # candidates named in an error


def new_id() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(_LENGTH))


def is_id(text: str) -> bool:
    """True if this could be the id of a conversation."""
    return len(text) == _LENGTH and set(text) <= set(ALPHABET)


def choose_id(given: str, ids: Sequence[str]) -> str:
    """Chooses one of these ids, newest first: by `last`, an id or the beginning of one.

    Ignores case, and reads o, i, l as 0, 1, 1. Raises MissingError if none matches, UsageError if several do.
    """
    if not ids:
        raise MissingError("there is no conversation yet", hint="`llmchat` starts one")
    wanted = given.strip().lower()
    if wanted == "last":
        return ids[0]
    wanted = wanted.translate(_MISREAD)
    found = [key for key in ids if key.startswith(wanted)]
    if len(found) == 1 and wanted:
        return found[0]
    if found:
        named = ", ".join(found[:_LISTED]) + (", ..." if len(found) > _LISTED else "")
        raise UsageError(
            f"{len(found)} conversations begin with {given!r}: {named}", hint="type more characters of the id"
        )
    near = nearest(wanted, ids)
    raise missing(given, f"; the nearest is {near}" if near else "")


def missing(given: str, also: str = "") -> MissingError:
    """The error for an id that no conversation has."""
    return MissingError(f"there is no conversation {given!r}{also}", hint="`llmchat history list` lists them")
