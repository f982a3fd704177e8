"""How the hub is reached: certificates, proxy, redirects. Reads no environment, sends no key."""

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
    """Follows the hub's redirects, but only to https."""

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
    """Sends everything through one proxy. urllib's own handler would make exceptions for NO_PROXY."""

    handler_order = 100  # runs before the handlers that connect

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
    """A urllib opener for this route. Raises ConfigError for certificates that cannot be read.

    Raises UnavailableError for an https:// proxy, to which urllib would not use TLS.
    """
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({}), _SecureRedirects()]
    if proxy:
        if not proxy.lower().startswith("http://"):
            raise UnavailableError("weights cannot be downloaded through an https:// proxy")
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
