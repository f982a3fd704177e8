"""The themes: rich styles by name, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rich.style import Style

_SHAPES = {
    "strong": "bold",
    "emphasis": "italic",
    "strike": "strike",
    "link": "underline",
    "url": "dim",
    "heading1": "bold underline",
    "heading2": "bold",
    "heading3": "bold",
    "heading4": "bold italic",
    "heading5": "italic",
    "heading6": "italic",
    "rule": "dim",
    "quote": "dim",
    "marker": "bold",
    "label": "dim",
    "border": "dim",
    "header": "bold",
    "code": "bold",
    "math": "italic",
}
# The terminal's 16 colours fit its background; plain white, black and yellow are not readable on both.
_COLOURS = _SHAPES | {
    "link": "blue underline",
    "heading1": "bold magenta underline",
    "heading2": "bold magenta",
    "heading3": "bold cyan",
    "heading4": "cyan",
    "heading5": "cyan italic",
    "marker": "magenta",
    "code": "cyan",
    "math": "cyan",
    # token types of Pygments
    "token.Comment": "dim italic",
    "token.Keyword": "magenta",
    "token.Keyword.Constant": "cyan",
    "token.Operator.Word": "magenta",
    "token.Literal.String": "green",
    "token.Literal.Number": "cyan",
    "token.Name.Builtin": "cyan",
    "token.Name.Class": "bold blue",
    "token.Name.Constant": "cyan",
    "token.Name.Decorator": "blue",
    "token.Name.Exception": "red",
    "token.Name.Function": "blue",
    "token.Name.Tag": "blue",
    "token.Name.Attribute": "cyan",
    "token.Generic.Deleted": "red",
    "token.Generic.Inserted": "green",
    "token.Generic.Heading": "bold",
    "token.Generic.Prompt": "bold",
    "token.Generic.Output": "dim",
}

THEMES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "dark": MappingProxyType(
            _COLOURS
            | {
                "link": "bright_blue underline",
                "code": "bright_cyan",
                "token.Literal.String": "bright_green",
                "token.Name.Function": "bright_blue",
                "token.Name.Class": "bold bright_blue",
            }
        ),
        "light": MappingProxyType(_COLOURS),
        "mono": MappingProxyType(_SHAPES | {"token.Comment": "italic", "token.Keyword": "bold"}),
    }
)


@dataclass(frozen=True, slots=True)
class Theme:
    """Styles by name. An unknown name is plain; a token type falls back to its parent."""

    styles: Mapping[str, Style]

    def __getitem__(self, name: str) -> Style:
        return self.styles.get(name) or Style.null()

    def token(self, name: str) -> Style:
        """The style of a Pygments token type by its dotted name, such as `Keyword.Declaration`."""
        while name:
            if style := self.styles.get(f"token.{name}"):
                return style
            name = name.rpartition(".")[0]
        return Style.null()


def load_theme(name: str) -> Theme:
    """The theme with this name. Raises KeyError if it is not in THEMES."""
    return Theme({what: Style.parse(style) for what, style in THEMES[name].items()})
