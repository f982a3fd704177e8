"""Removes keys from errors, logs and tracebacks. Never changes a model's answer.

Removes the known secrets, also if a server echoes them split, escaped, percent-encoded, in base64 or in
part; and whatever looks like a key. Ordinary words such as sk-learn stay.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterable, Mapping, Sequence

KEY_VARIABLES = ("LLMCHAT_API_KEY", "HF_API_KEY", "HF_TOKEN", "OPENAI_API_KEY")
"""The variables that llmchat reads keys from."""

MARK = "[key]"

_LONG = 8  # minimum length of a secret that is also found encoded, and inside other words
_LONGER = 16  # minimum length of a secret whose beginning and end count as secrets, too
_TELLING = 10  # minimum length of such a beginning or end
_GAP = r"[^\x21-\x7e]*"  # line breaks and invisible characters between two characters of a key
_REST = r"[\w.~+/=%-]*"

_SECRET_NAME = re.compile(
    r"(?:^|_)(?:API_?KEY|KEY|TOKEN|SECRET|PASS|PASSWORD|PASSWD|CREDENTIALS?)(?:_|$)", re.IGNORECASE
)
_USER_INFO = re.compile(r"(?<=://)[^/?#@\s]{1,500}(?=@)")

# A word that is a key: long, and with a digit or capitals in the middle. Each repetition is bounded, so that
# searching a hostile server's text stays fast.
_KEY_LIKE = r"(?=[\w.~+/-]{0,99}(?:\d|[a-z][A-Z]))[\w.~+/-]{12,999}=*"
_SCHEME = r"(?:Bearer|Basic|Token|Digest|Negotiate|ApiKey)"
_SHAPES: Sequence[tuple[re.Pattern[str], str]] = (
    (re.compile(rf"(authorization\W{{1,6}}{_SCHEME}\s+)[^\s\"',;<>]+", re.IGNORECASE), rf"\1{MARK}"),
    (re.compile(rf"((?i:authorization|api[-_]?key)\W{{1,6}}){_KEY_LIKE}"), rf"\1{MARK}"),
    (re.compile(rf"\b((?i:{_SCHEME})\s+){_KEY_LIKE}"), rf"\1{MARK}"),
    (re.compile(r"\bhf_[A-Za-z0-9]{16,}"), MARK),
    (re.compile(r"\bsk-(?=[\w-]{0,99}\d)(?=[\w-]{0,99}[A-Za-z0-9]{16})[\w-]{16,}"), MARK),
    (_USER_INFO, MARK),
)


def scrub(text: str, secrets: Iterable[str] = ()) -> str:
    """Replaces these secrets, and whatever looks like a key, by a mark."""
    for secret in sorted(set(_forms(secrets)), key=len, reverse=True):
        text = re.sub(_pattern(secret), MARK, text, flags=re.IGNORECASE)
    for shape, mark in _SHAPES:
        text = shape.sub(mark, text)
    return text


def secrets_in(variables: Mapping[str, str]) -> list[str]:
    """The secrets in an environment or a .env: by the variables' names, and passwords in URLs."""
    found = []
    for name, value in variables.items():
        text = value.strip()
        if name in KEY_VARIABLES or (
            _SECRET_NAME.search(name) and len(text) >= _LONG and text[0] not in "/~"
        ):
            found.append(text)
        for user_info in _USER_INFO.findall(text):
            _, has_password, password = user_info.partition(":")
            found += [user_info, password] if has_password else []
    return [each for each in found if each]


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without secrets, for a child process that needs none."""
    return {
        name: value
        for name, value in environ.items()
        if not _SECRET_NAME.search(name) and not name.upper().endswith("_PROXY")
    }


def _forms(secrets: Iterable[str]) -> Iterable[str]:
    """The secrets, and the user name and password inside a Basic key."""
    for secret in filter(None, secrets):
        yield secret
        try:
            inside = base64.b64decode(secret, validate=True).decode("ascii")
        except (binascii.Error, ValueError):
            continue
        if ":" in inside and inside.isprintable():
            yield inside
            yield from filter(None, [inside.partition(":")[2]])


def _pattern(secret: str) -> str:
    """A pattern for the secret: a short one only as a whole word, a long one in every encoding."""
    if len(secret) < _LONG:
        return rf"(?<![0-9A-Za-z]){re.escape(secret)}(?![0-9A-Za-z])"
    characters = [_disguises(character) for character in secret if character != " "]
    found = [_GAP.join(characters)]
    if len(characters) >= _LONGER:
        part = max(_TELLING, len(characters) // 3)
        found += [_GAP.join(characters[:part]) + _REST, _GAP.join(characters[-part:])]
    return "|".join([*found, *_in_base64(secret.encode())])


def _disguises(character: str) -> str:
    """A character, and its escapes in URLs, JSON, Python and HTML."""
    code = f"{ord(character):02x}"
    plain = re.escape(character)
    ways = [
        plain if character.isalnum() else rf"\\{{0,3}}{plain}",
        rf"%(?:25)*{code}",
        rf"\\{{1,3}}(?:u00|x){code}",
        rf"&\#(?:x0*{code}|0*{ord(character)});",
    ]
    if (named := html.escape(character)) != character:
        ways.append(re.escape(named))
    return f"(?:{'|'.join(ways)})"


def _in_base64(secret: bytes) -> Iterable[str]:
    """The part of the secret's base64 that does not depend on its neighbours, in both alphabets."""
    for before, lost in enumerate((0, 2, 3)):
        encoded = base64.b64encode(bytes(before) + secret).rstrip(b"=").decode()
        whole = (before + len(secret)) % 3 == 0
        core = re.escape(encoded[lost:] if whole else encoded[lost:-1])
        yield core.replace(r"\+", "[+-]").replace("/", "[/_]") + r"[\w+/-]*=*"
