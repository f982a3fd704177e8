"""Patterns as llama.cpp's grammar; tests/backends/test_local.py has the engine generate from some."""

from __future__ import annotations

import pytest

from llmchat.backends.constraints.llama_cpp import to_gbnf
from llmchat.errors import UsageError


@pytest.mark.parametrize(
    ("pattern", "root"),
    [
        ("ab", "[a] [b]"),
        ("^a$", "[a]"),
        (r"\Aa\Z", "[a]"),
        ("^(a|b)$", "([a-b])"),
        ("^one|two$", "([o] [n] [e] | [t] [w] [o])"),
        ("(^ab|cd$)", "(([a] [b] | [c] [d]))"),
        ("a|bc|", '([a] | [b] [c] | "")'),
        ("(?:ab)?", "([a] [b]){0,1}"),
        ("a*?b+?", "([a]){0,} ([b]){1,}"),
        ("a{2,3}b{4}", "([a]){2,3} ([b]){4,4}"),
        ("(?P<n>a)", "([a])"),
        (r"\d", "[0-9]"),
        (r"\w", r"[0-9A-Z\U0000005Fa-z]"),
        (r"[a-c_]", r"[\U0000005Fa-c]"),
        (r'[^"\\]', r"[^\U00000022\U0000005C]"),
        (r"[^\w!-~]", r"[\U00000000-\U00000020\U0000007F]"),
        (r"[\W\w]", r"[\U00000000-\U0000007F]"),
        ("[^a]", "[^a]"),
        (".", r"[^\U0000000A]"),
        ("(?s).", "."),
        ("(?s:.).", r"(.) [^\U0000000A]"),
        ("(?x) a  # a comment", "[a]"),
        ("é[à-ü]😀", r"[\U000000E9] [\U000000E0-\U000000FC] [\U0001F600]"),
        ("(?#nothing)", '""'),
    ],
)
def test_a_pattern_becomes_a_grammar(pattern: str, root: str) -> None:
    assert to_gbnf(pattern) == f"root ::= {root}\n"


@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        ("(?=a)b", "lookahead"),
        ("(?<!a)b", "negative lookahead or lookbehind"),
        (r"(a)\1", "back reference"),
        (r"(a)(?(1)b|c)", "condition"),
        (r"a\b", r"word boundary \b"),
        (r"\Ba", r"\B"),
        ("(?>a)", "atomic group"),
        ("a++", "possessive"),
        ("a^b", "anchor ^"),
        ("a$b", "anchor $"),
        (r"(a\Z)?b", r"\Z"),
        ("(^a)*", "anchor ^"),
        ("(?i)a", "(?i)"),
        ("x(?i:a)", "(?i)"),
        ("(a*)*", "unbounded repeat"),
        (r"[^\w\W]", "empty character class"),
        ("(" * 2000 + "a" + ")" * 2000, "nested"),
    ],
)
def test_what_a_grammar_cannot_hold_is_named(pattern: str, named: str) -> None:
    with pytest.raises(UsageError, match=r"llama\.cpp does not support a pattern with ") as refused:
        to_gbnf(pattern)
    assert named in refused.value.message
