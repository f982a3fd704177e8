"""What must not be shown is known even where a file is broken, or not believed."""

from __future__ import annotations

from pathlib import Path

from llmchat.config.secrets import known_secrets


def test_secrets_of_the_environment_of_dotenv_and_of_config_toml_are_known(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "export HF_TOKEN='one'\nLLMCHAT_SEED=7\n=\n\nbroken (\nWORK_KEY = \"number-two\"\n"
    )
    (tmp_path / ".env").chmod(0o666)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text(
        '[profiles.x\nurl = "http://x"\napi_key = "number-three"\n'
    )
    environ = {"LLMCHAT_HOME": str(tmp_path), "LLMCHAT_API_KEY": "zero", "LLMCHAT_MODEL": "m"}
    assert known_secrets(environ, tmp_path) == ["zero", "one", "number-two", "number-three"]


def test_without_files_there_is_nothing_to_hide(tmp_path: Path) -> None:
    (tmp_path / ".env").symlink_to("/dev/zero")
    assert known_secrets({"LLMCHAT_HOME": str(tmp_path)}, tmp_path) == []
