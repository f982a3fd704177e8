"""On which line a key of a TOML text stands."""

from __future__ import annotations

import tomllib

import pytest

from llmchat.config.toml_lines import TomlLines

TEXT = '''\
# url = "in a comment"
url = "http://x" # and = behind one
system = """
temperature = 1
[profiles.no]
a quote: \\""" and two more"""""
"quoted key" = 1
stop = [
  "seed = 1",
  'top_k = 2',
]
profiles.dotted.seed = 3

[ profiles . "my work" ] # spaced
url = 'http://y'
literal = \'\'\'
api = 1
\'\'\'
api = "tgi"

[others]
inline = { url = "http://z", seed = 4 }
'''


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("url",), 2),
        (("system",), 3),
        (("quoted key",), 7),
        (("stop",), 8),
        (("profiles", "dotted", "seed"), 12),
        (("profiles", "my work"), 14),
        (("profiles", "my work", "url"), 15),
        (("profiles", "my work", "api"), 19),
        (("others", "inline"), 22),
        (("others", "inline", "seed"), 22),
        (("nowhere",), 1),
    ],
)
def test_a_key_is_found_on_its_line(keys: tuple[str, ...], line: int) -> None:
    tomllib.loads(TEXT)  # it is TOML
    assert TomlLines(TEXT).line(*keys) == line
