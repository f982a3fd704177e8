"""A session with the echo backend and a real store."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from llmchat import weights
from llmchat.app import Session
from llmchat.config.file import parse
from llmchat.config.folders import Folders
from llmchat.config.resolve import resolve
from llmchat.config.settings import COURSE_SYSTEM
from llmchat.core.conversation import Message, Role, Status
from llmchat.core.generation import Settings
from llmchat.core.journal import Reply
from llmchat.core.turn import Turn
from llmchat.errors import InputError, MissingError, UnavailableError, UsageError
from llmchat.store import Store


@contextmanager
def fetching(_: weights.Model) -> Iterator[weights.Progress]:
    yield lambda _done, _total: None


Open = Callable[..., Session]


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders.find({"LLMCHAT_HOME": str(tmp_path / "home")})


@pytest.fixture
async def open_session(folders: Folders, tmp_path: Path) -> AsyncGenerator[Open]:
    """Opens a session with these flags, `model` being echo."""
    sessions = []

    def build(**flags: object) -> Session:
        config = resolve({"model": "echo"} | flags, environ={}, directory=tmp_path)
        sessions.append(Session(config, folders, fetching=fetching))
        return sessions[-1]

    yield build
    for session in sessions:
        await session.aclose()


async def run(turn: Turn) -> Reply:
    async with turn:
        async for _ in turn:
            pass
    assert turn.reply is not None
    return turn.reply


def kept(folders: Folders, conversation: str = "last") -> tuple[str, list[str]]:
    with Store.open(folders.database) as store:
        loaded = store.load(store.resolve(conversation))
    return loaded.system, [message.text for message in loaded.messages]


async def test_a_conversation_is_kept_from_its_first_question_on(
    open_session: Open, folders: Folders
) -> None:
    session = open_session(system="Be brief.")
    session.keep()
    assert session.conversation_id is None
    await run(session.ask("Hello you"))
    assert session.conversation_id is not None
    assert kept(folders) == ("Be brief.", ["Hello you", "Hello you"])
    assert session.take_notices() == []


async def test_without_keep_nothing_is_written(open_session: Open, folders: Folders) -> None:
    session = open_session()
    await run(session.ask("Hello"))
    session.keep()
    session.forget()
    await run(session.ask("Hello again"))
    assert session.conversation_id is None
    with pytest.raises(MissingError):
        kept(folders)


async def test_a_kept_conversation_is_gone_on_with(open_session: Open, folders: Folders) -> None:
    first = open_session(system="Be brief.")
    first.keep()
    await run(first.ask("One"))
    second = open_session()
    second.resume("last")
    await run(second.ask("Two"))
    assert second.conversation_id == first.conversation_id
    assert kept(folders) == ("Be brief.", ["One", "One", "Two", "Two"])


async def test_a_system_message_of_this_run_replaces_the_kept_one(
    open_session: Open, folders: Folders
) -> None:
    first = open_session(system="Be brief.")
    first.keep()
    await run(first.ask("One"))
    second = open_session(system="Be long.")
    second.resume("last")
    assert second.conversation.system == "Be long."
    assert kept(folders)[0] == "Be long."


async def test_what_is_resumed_without_keeping_changes_nothing_on_disk(
    open_session: Open, folders: Folders
) -> None:
    first = open_session(system="Be brief.")
    first.keep()
    await run(first.ask("One"))
    second = open_session(system="Be long.")
    second.resume("last", keep=False)
    assert [message.text for message in second.conversation.messages] == ["One", "One"]
    await run(second.ask("Two"))
    assert second.conversation_id is None
    assert kept(folders) == ("Be brief.", ["One", "One"])


async def test_resuming_what_is_not_there_is_an_error(open_session: Open) -> None:
    with pytest.raises(MissingError):
        open_session().resume("last")


async def test_a_new_conversation_begins_with_the_same_system_message(
    open_session: Open, folders: Folders
) -> None:
    session = open_session(system="Be brief.")
    session.keep()
    await run(session.ask("One"))
    old = session.conversation_id
    session.new_conversation()
    assert (session.conversation.system, session.conversation.messages) == ("Be brief.", ())
    await run(session.ask("Two"))
    assert session.conversation_id not in (None, old)
    assert kept(folders, old or "")[1] == ["One", "One"]
    assert kept(folders) == ("Be brief.", ["Two", "Two"])


async def test_the_system_message_can_be_changed_and_taken_away(open_session: Open, folders: Folders) -> None:
    session = open_session()
    session.keep()
    await run(session.ask("One"))
    for text in ("Be brief.", ""):
        session.set_system(text)
        assert session.conversation.system == kept(folders)[0] == text


@pytest.mark.parametrize(
    ("flags", "system"),
    [
        ({}, ""),
        ({"system": "Mine."}, "Mine."),
        ({"url": "http://127.0.0.1:9", "model": None}, COURSE_SYSTEM),
        ({"url": "http://127.0.0.1:9", "model": None, "system": ""}, ""),
    ],
)
async def test_the_system_message_is_the_chosen_one_or_on_a_url_the_courses(
    open_session: Open, flags: dict[str, object], system: str
) -> None:
    assert open_session(**flags).conversation.system == system


async def test_settings_change_for_the_session_and_back(open_session: Open) -> None:
    session = open_session(seed=7)
    assert session.model.shown_value("seed") == "7"
    assert session.model.shown_value("temperature") == "0.7 (default)"
    assert session.model.shown_value("top_p") == "the server's default"
    session.model.set_value("temperature", "0")
    assert session.model.shown_value("temperature") == "0"
    session.model.set_value("stop", "a b")
    assert session.model.shown_value("stop") == "'a b'"
    for name in ("temperature", "stop", "seed"):
        session.model.set_value(name, "default")
    assert session.model.shown_value("temperature") == "0.7 (default)"
    assert session.model.shown_value("stop") == session.model.shown_value("seed") == "the server's default"


@pytest.mark.parametrize(("name", "text"), [("temperature", "3"), ("temperature", "hot"), ("top_k", "0")])
async def test_a_value_that_a_setting_does_not_take_changes_nothing(
    open_session: Open, name: str, text: str
) -> None:
    session = open_session()
    before = session.model.settings
    with pytest.raises(UsageError, match=f"{name} cannot be {text}") as caught:
        session.model.set_value(name, text)
    assert caught.value.hint is not None
    assert session.model.settings == before


async def test_a_preview_is_exactly_what_would_be_sent(open_session: Open) -> None:
    session = open_session(system="Be brief.")
    preview = await session.preview("Hi\nUser: me")
    assert preview.text == "System: Be brief.\nUser: Hi\n User: me\nAssistant:"
    assert session.conversation.messages == ()
    with pytest.raises(InputError):
        await session.preview(None)
    await run(session.ask("One"))
    assert (await session.preview(None)).text == "System: Be brief.\nUser: One\nAssistant:"
    assert (await session.preview("Once", raw=True)).text == "Once"


async def test_a_preview_can_leave_a_server_alone(open_session: Open, unused_tcp_port: int) -> None:
    session = open_session(model=None, url=f"http://127.0.0.1:{unused_tcp_port}", system="")
    preview = await session.preview("Hi", ask_server=False)
    assert (preview.text, preview.count.exact) == ("User: Hi\nAssistant:", False)


async def test_the_status_tells_model_conversation_and_room(open_session: Open) -> None:
    session = open_session()
    assert session.status() == ["echo", "not saved"]
    session.keep()
    assert session.status() == ["echo", "new"]
    await session.model.warm()
    await run(session.ask("One two"))
    used = session.conversation
    assert len(used.messages) == 2
    model, conversation, used = session.status()
    assert (model, conversation) == ("echo", session.conversation_id)
    assert used.endswith(" of 1,000,000")
    assert not used.startswith("0 tokens")


async def test_a_server_is_shown_with_its_url(open_session: Open) -> None:
    session = open_session(model="gpt", url="http://127.0.0.1:9")
    assert session.model.shown == "gpt at http://127.0.0.1:9"


async def test_another_model_goes_on_with_the_conversation(open_session: Open, folders: Folders) -> None:
    session = open_session(system="Be brief.")
    session.keep()
    await run(session.ask("One"))
    await session.switch_model("canned")
    await run(session.ask("Two"))
    with Store.open(folders.database) as store:
        records = store.records(store.resolve("last"))
    assert [r.provenance.model for r in records if r.provenance] == ["echo", "canned"]
    assert session.conversation.system == "Be brief."


async def test_a_system_message_of_an_earlier_run_survives_another_model(open_session: Open) -> None:
    first = open_session(system="Be brief.")
    first.keep()
    await run(first.ask("One"))
    second = open_session()
    second.resume("last")
    await second.switch_model("canned")
    assert second.conversation.system == "Be brief."


async def test_a_model_that_is_not_there_changes_nothing(open_session: Open) -> None:
    session = open_session()
    before = session.model.connection
    for name in ("gpt-4", "missing.gguf"):
        with pytest.raises((UsageError, MissingError)):
            await session.switch_model(name)
    assert session.model.connection is before
    assert session.config.text("model") == "echo"
    assert (await run(session.ask("One"))).status is Status.COMPLETE


async def test_the_names_of_models_are_the_embedded_and_built_in_ones(open_session: Open) -> None:
    assert open_session().model.names() == ["smollm2", "qwen", "echo", "canned"]


@pytest.mark.parametrize("broken", ["folder", "database"])
async def test_a_store_that_cannot_be_opened_is_a_notice_and_costs_no_answer(
    open_session: Open, folders: Folders, broken: str
) -> None:
    folders.data.parent.mkdir()
    if broken == "folder":
        folders.data.write_text("in the way")
    else:
        folders.data.mkdir(mode=0o700)
        folders.database.write_bytes(b"not a database" * 100)
        folders.database.chmod(0o600)
    session = open_session()
    session.keep()
    (notice,) = session.take_notices()
    assert notice.startswith("this conversation is not saved: ")
    reply = await run(session.ask("One"))
    assert (reply.text, reply.unsaved) == ("One", None)
    assert session.conversation.messages[-1] == Message(Role.ASSISTANT, "One")


async def test_a_folder_that_was_open_to_others_is_restricted_with_a_notice(
    open_session: Open, folders: Folders
) -> None:
    folders.data.mkdir(parents=True, mode=0o777)
    folders.data.chmod(0o777)
    session = open_session()
    session.keep()
    assert len(session.take_notices()) == 1
    assert folders.data.stat().st_mode & 0o777 == 0o700


async def test_who_shares_a_conversation_with_another_process_is_told_once(
    open_session: Open, folders: Folders
) -> None:
    session = open_session()
    session.keep()
    await run(session.ask("One"))
    with Store.open(folders.database) as other:
        _, journal = other.resume(str(session.conversation_id))
        journal.begin(Message(Role.USER, "From another window"))
    assert session.take_notices() == []
    await run(session.ask("Two"))
    (notice,) = session.take_notices()
    assert notice.startswith("another llmchat is writing to this conversation, too")
    await run(session.ask("Three"))
    assert session.take_notices() == []
    assert kept(folders)[1] == ["One", "One", "Two", "Two", "Three", "Three"]


async def test_it_may_be_closed_twice(open_session: Open) -> None:
    session = open_session()
    session.keep()
    await session.aclose()
    await session.aclose()


PROFILES = """
[profiles.work]
url = "http://127.0.0.1:9"
api = "tgi"
system = "Of work."
temperature = 1.5
prompt_format = "chatml"

[profiles.local]
model = "canned"
seed = 3
"""


@pytest.fixture
async def profiled(folders: Folders, tmp_path: Path) -> AsyncGenerator[Open]:
    """Opens a session with these flags and profiles."""
    sessions = []

    def build(toml: str = PROFILES, **flags: object) -> Session:
        file = parse(toml, tmp_path / "config.toml")
        config = resolve(flags, environ={"LLMCHAT_API_KEY": "k"}, directory=tmp_path, file=file)
        sessions.append(Session(config, folders, fetching=fetching))
        return sessions[-1]

    yield build
    for session in sessions:
        await session.aclose()


async def test_another_profile_brings_all_that_it_says(profiled: Open) -> None:
    session = profiled(model="echo", url=None, top_p=0.5)
    session.model.set_value("temperature", "0")
    session.model.set_value("seed", "7")
    assert session.model.names()[:2] == ["work", "local"]
    with pytest.raises(UnavailableError):  # by the server, once all is changed
        await session.switch_model("work")
    assert session.model.shown == "tgi at http://127.0.0.1:9"
    assert session.model.settings == Settings(temperature=1.5, top_p=0.5, seed=7)
    assert session.conversation.system == "Of work."
    preview = await session.preview("Hi", ask_server=False)
    assert preview.text.startswith("<|im_start|>system\nOf work.<|im_end|>")


async def test_a_model_of_this_machine_leaves_the_profile_of_a_server(profiled: Open) -> None:
    session = profiled(model="work")
    await session.switch_model("echo")
    assert session.model.shown == "echo"
    assert session.model.settings == Settings()
    assert session.conversation.system == ""
    await session.switch_model("local")
    assert (session.model.shown, session.model.settings.seed) == ("canned", 3)
    await session.switch_model("echo")
    assert session.model.settings.seed == 3  # that profile is no server's


async def test_a_system_message_of_a_file_does_not_replace_the_kept_one(profiled: Open) -> None:
    toml = 'model = "echo"\nsystem = "Of the file."\n[profiles.mine]\nsystem = "Mine."\n'
    first = profiled(toml, system="Be brief.")
    first.keep()
    await run(first.ask("One"))
    second, third = profiled(toml), profiled(toml, model="mine")
    assert second.conversation.system == "Of the file."
    second.resume("last")
    assert second.conversation.system == "Be brief."
    third.resume("last")
    assert third.conversation.system == "Mine."
