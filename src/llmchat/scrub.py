"""Takes keys out of what llmchat says about itself: errors, logs, tracebacks. Never touches an answer.

Two things go: the secrets it is told, also where a server echoes them split, escaped, percent-encoded, in
base64 or in part; and whatever has the shape of a key. Ordinary words such as sk-learn stay.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterable, Mapping, Sequence

KEY_VARIABLES = ("LLMCHAT_API_KEY", "HF_API_KEY", "HF_TOKEN", "OPENAI_API_KEY")
"""The variables that llmchat reads keys from by itself."""

MARK = "[key]"

_LONG = 8  # characters from which a secret is looked for in disguise, and inside other words
_LONGER = 16  # and from which its beginning and its end are secrets, too
_TELLING = 10  # characters that these have at least
_GAP = r"[^\x21-\x7e]*"  # line breaks and invisible characters between two characters of a key
_REST = r"[\w.~+/=%-]*"

_SECRET_NAME = re.compile(
    r"(?:^|_)(?:API_?KEY|KEY|TOKEN|SECRET|PASS|PASSWORD|PASSWD|CREDENTIALS?)(?:_|$)", re.IGNORECASE
)
_USER_INFO = re.compile(r"(?<=://)[^/?#@\s]{1,500}(?=@)")

# A word that is a key: long, and with a digit or capitals in the middle. Each repetition is bounded: what a
# hostile server sends must not take long to look through.
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
    """The text with every one of these secrets, and whatever looks like a key, replaced by a mark."""
    for secret in sorted(set(_forms(secrets)), key=len, reverse=True):
        text = re.sub(_pattern(secret), MARK, text, flags=re.IGNORECASE)
    for shape, mark in _SHAPES:
        text = shape.sub(mark, text)
    return text


def secrets_in(variables: Mapping[str, str]) -> list[str]:
    """The secrets in an environment or a .env: by the names of its variables, and passwords in its URLs."""
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
    """The environment for a child that needs no secret of anybody."""
    return {
        name: value
        for name, value in environ.items()
        if not _SECRET_NAME.search(name) and not name.upper().endswith("_PROXY")
    }


def _forms(secrets: Iterable[str]) -> Iterable[str]:
    """The secrets, and the name and password inside one that is sent as Basic."""
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
    """Finds the secret: a short one where it stands alone, a long one in every disguise."""
    if len(secret) < _LONG:
        return rf"(?<![0-9A-Za-z]){re.escape(secret)}(?![0-9A-Za-z])"
    characters = [_disguises(character) for character in secret if character != " "]
    found = [_GAP.join(characters)]
    if len(characters) >= _LONGER:
        part = max(_TELLING, len(characters) // 3)
        found += [_GAP.join(characters[:part]) + _REST, _GAP.join(characters[-part:])]
    return "|".join([*found, *_in_base64(secret.encode())])


def _disguises(character: str) -> str:
    """A character as it is, and as URLs, JSON, Python and HTML escape it."""
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
    """What is the same of the secret in base64 whatever stands before and after it, in both alphabets."""
    for before, lost in enumerate((0, 2, 3)):
        encoded = base64.b64encode(bytes(before) + secret).rstrip(b"=").decode()
        whole = (before + len(secret)) % 3 == 0
        core = re.escape(encoded[lost:] if whole else encoded[lost:-1])
        yield core.replace(r"\+", "[+-]").replace("/", "[/_]") + r"[\w+/-]*=*"
