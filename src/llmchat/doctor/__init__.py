"""The checks behind `llmchat doctor`: whether a chat would work. Prints nothing, changes nothing."""

from llmchat.doctor.checks.answering import check_answer, check_engine, check_weights
from llmchat.doctor.checks.clock import check_clock
from llmchat.doctor.checks.configuration import check_configuration, check_key, check_model
from llmchat.doctor.checks.database import check_database
from llmchat.doctor.checks.disk_space import check_disk
from llmchat.doctor.checks.folders import check_folders
from llmchat.doctor.checks.server import check_server
from llmchat.doctor.checks.versions import check_libraries, check_version
from llmchat.doctor.finding import Finding as Finding
from llmchat.doctor.finding import Verdict as Verdict
from llmchat.doctor.finding import good as good
from llmchat.doctor.finding import warning as warning
from llmchat.doctor.run import Check as Check
from llmchat.doctor.run import Found as Found
from llmchat.doctor.run import examine as examine
from llmchat.doctor.subject import Subject as Subject

_BY_DEADLINES_S = 3600.0
"""Seconds for checks with deadlines of their own, which the person can set."""

CHECKS = (
    Check("configuration", check_configuration),
    Check("folders", check_folders),
    Check("model", check_model, needs=("configuration",)),
    Check("key", check_key, needs=("model",)),
    Check("weights", check_weights, needs=("model",), within=600),
    Check("engine", check_engine, needs=("key", "weights"), within=600),
    Check("server", check_server, needs=("key", "weights"), within=_BY_DEADLINES_S),
    Check("answer", check_answer, needs=("engine", "server"), within=_BY_DEADLINES_S),
    Check("clock", check_clock, needs=("model",), stops=False),
    Check("database", check_database, within=60),
    Check("disk", check_disk, stops=False),
    Check("version", check_version, stops=False),
    Check("libraries", check_libraries, stops=False),
)
"""The checks in the order they are shown. The first that fails sets the exit code."""
