"""Finds the place of the cursor in a command line: after which command, in which option's value. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

Parameter = TyperArgument | TyperOption
Command = TyperCommand | TyperGroup


@dataclass(frozen=True, slots=True)
class Place:
    """The place of the cursor: in a value of `parameter`, else at the start of a command or an option."""

    root: Command
    command: Command
    path: tuple[str, ...]  # the names of the command and its parents, without the program's
    before: tuple[str, ...]  # the arguments that were given already
    beginning: str
    parameter: Parameter | None = None
    options: tuple[TyperOption, ...] = ()  # the options that can still be given here


def locate(root: Command, words: Sequence[str]) -> Place | None:
    """The place of the last word, which may be empty; None if it is unknown what belongs there.

    The words are those after the program's name, as the program would get them.
    """
    *before, current = words
    command: Command = root
    path: tuple[str, ...] = ()
    given: list[str] = []
    literal = False
    waiting: TyperOption | None = None
    seen: list[TyperOption] = []
    for word in before:
        if waiting is not None:
            waiting = None
        elif not literal and word == "--":
            literal = True
        elif not literal and len(word) > 1 and word.startswith("-"):
            named = list(_named(command, word))
            seen += named
            waiting = named[-1] if named and _waits(named, word) else None
        elif isinstance(command, TyperGroup):
            found = command.commands.get(word)
            if not isinstance(found, TyperCommand | TyperGroup):
                return None
            command, path, given, literal, seen = found, (*path, word), [], False, []
        else:
            given.append(word)

    place = Place(root, command, path, tuple(given), current, waiting)
    if waiting is not None:
        return place
    name, equals, value = current.partition("=")
    if not literal and name.startswith("--") and equals:
        named = [each for each in _options(command) if name in each.opts and not each.is_flag]
        return replace(place, beginning=value, parameter=named[0]) if named else None
    if not literal and current.startswith("-"):
        return replace(place, options=tuple(e for e in _options(command) if e.multiple or e not in seen))
    return replace(place, parameter=_argument(command, len(given)))


def _options(command: Command) -> Iterator[TyperOption]:
    return (each for each in command.params if isinstance(each, TyperOption) and not each.hidden)


def _named(command: Command, word: str) -> Iterator[TyperOption]:
    """The options in a word: a long one, or a cluster of short ones up to one with a value."""
    spellings = {spelling: each for each in _options(command) for spelling in each.opts}
    long = word.startswith("--")
    for name in [word.partition("=")[0]] if long else [f"-{letter}" for letter in word[1:]]:
        if name not in spellings:
            return
        yield spellings[name]
        if not spellings[name].is_flag:
            return


def _waits(named: Sequence[TyperOption], word: str) -> bool:
    """True if the next word is the value of the last option in this word."""
    last = word in named[-1].opts or (not word.startswith("--") and len(named) == len(word) - 1)
    return last and not named[-1].is_flag


def _argument(command: Command, given: int) -> TyperArgument | None:
    """The parameter of the next argument, after `given` arguments."""
    arguments = [each for each in command.params if isinstance(each, TyperArgument)]
    if given < len(arguments):
        return arguments[given]
    return arguments[-1] if arguments and arguments[-1].nargs == -1 else None
