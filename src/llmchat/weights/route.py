"""The way to the hub: its certificates, the proxy, its redirects. Reads no environment, and sends no key."""

from __future__ import annotations

import base64
import http.client
import ssl
import urllib.request
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

from llmchat.errors import ConfigError, UnavailableError


class _SecureRedirects(urllib.request.HTTPRedirectHandler):
    """Follows the hub to its content network, but never out of TLS."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if req.type == "https" and not newurl.startswith("https://"):
            raise UnavailableError("the hub redirects to an insecure address")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Proxy(urllib.request.BaseHandler):
    """Sends everything through one proxy. The library's own would ask NO_PROXY for exceptions."""

    handler_order = 100  # before the handlers that connect

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = parts.netloc.rpartition("@")[2]
        self._credentials = None
        if parts.username is not None:
            name_and_password = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._credentials = f"Basic {base64.b64encode(name_and_password.encode()).decode()}"

    def http_open(self, request: urllib.request.Request) -> None:
        request.set_proxy(self._address, "http")
        if self._credentials:
            request.add_header("Proxy-authorization", self._credentials)

    https_open = http_open


def opener(proxy: str | None, ca_file: Path | None) -> urllib.request.OpenerDirector:
    """Opens URLs by this way only. Raises ConfigError for certificates that cannot be read.

    UnavailableError for a proxy that is spoken to over TLS: urllib speaks in the clear to those, too.
    """
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({}), _SecureRedirects()]
    if proxy:
        if not proxy.lower().startswith("http://"):
            raise UnavailableError("weights come through no https:// proxy")
        handlers.append(_Proxy(proxy))
    if ca_file:
        context = ssl.create_default_context()
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:  # ssl.SSLError is one
            raise ConfigError(
                f"cannot read the certificates in {ca_file}", hint="ca_file must name a PEM file"
            ) from error
        handlers.append(urllib.request.HTTPSHandler(context=context))
    return urllib.request.build_opener(*handlers)
