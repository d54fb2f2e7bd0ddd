"""One HTTP exchange with CometChat. aiohttp and its errors end here: what comes out is a `Reply`."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import time
import urllib.request
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

import aiohttp
import orjson
from multidict import CIMultiDictProxy
from yarl import URL

from provisioner.errors import ConfigurationError
from provisioner.logs.masking import Secret
from provisioner.model import UserRequest, with_auth_token
from provisioner.sending.calls import Failure, Operation, Reply, document_of
from provisioner.sending.serverclock import ServerClock, number_in, retry_after
from provisioner.sending.users import profile
from provisioner.wording import printable, printable_in

# What is kept of a server's words: enough to act on, too little to fill a disk.
_LONGEST_MESSAGE: Final = 500
# And what of them is masked before they are cut to that.
_LOOKED_AT: Final = 16 * _LONGEST_MESSAGE

MOST: Final = 64 << 20
"""Bytes of an answer, unpacked: twice what a page of a thousand users of the largest kind can have."""

# Scheme, log-in and address of a proxy as it was given; a password may hold anything.
_PROXY: Final = re.compile(r"([A-Za-z][\w+.-]*://)?(.*@)?([^/?#]*)", re.DOTALL)

_LOGIN_WANTED: Final = 407
# What a proxy answers that may let the next one through: it is busy, or cannot get further itself.
_PASSING: Final = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds."""

    connect: float = 10.0
    read: float = 60.0
    total: float = 60.0


@dataclass(frozen=True, slots=True)
class Proxy:
    """What requests go through.

    url       may hold a password
    shown     the same without it, for messages
    variable  of the environment, which names it
    login     it is given one
    """

    url: str = field(repr=False)
    shown: str
    variable: str
    login: bool = False

    def trouble(self, error: BaseException) -> str:
        """Say how it failed and what to do."""
        if isinstance(error, aiohttp.ClientHttpProxyError):
            if error.status == _LOGIN_WANTED:
                return self.wants_login(f"{error.status} {error.message}")
            what = f"does not let requests through (it answered {error.status} {error.message})"
        else:
            timed_out = isinstance(error, aiohttp.ConnectionTimeoutError)
            why = "no connection in time" if timed_out else getattr(error, "strerror", None) or str(error)
            what = f"cannot be reached ({why})"
        return f"the proxy {self.shown} {what}; check {self.variable} in the environment"

    def wants_login(self, answer: str) -> str:
        """Say so, what it answered, and what to do."""
        if self.login:
            return f"the proxy {self.shown} does not accept the log-in in {self.variable} ({answer}); correct it there"
        todo = f"put it into {self.variable}, as http://user:password@host:port"
        return f"the proxy {self.shown} wants a log-in ({answer}); {todo}"


class Client:
    """A session with one app, through the proxy that the environment names. Use as an async context manager.

    base_url   the part before `/users`; a trailing slash does no harm
    in_flight  connections kept at most

    Raises `ConfigurationError` when there is a proxy that cannot be one.
    """

    def __init__(self, base_url: str, api_key: str, *, timeouts: Timeouts, in_flight: int, agent: str) -> None:
        self._users = URL(base_url.rstrip("/") + "/users")
        self._roles = self._users.parent / "roles"
        self._proxy = proxy_for(base_url)
        self._key, self._secret = api_key, Secret(api_key)
        self._timeouts = timeouts
        self._in_flight = in_flight
        self._agent = agent
        self.clock = ServerClock()

    async def __aenter__(self) -> Self:
        connector = _Connections(limit=self._in_flight, ttl_dns_cache=60)
        headers = {"apikey": self._key, "Accept": "application/json", "User-Agent": self._agent}
        # Two sessions over the same connections: headers given with each request would cost more than reading a reply.
        self._reading = self._session(connector, headers)
        self._writing = self._session(connector, {**headers, "Content-Type": "application/json"})
        return self

    def _session(self, connector: aiohttp.TCPConnector, headers: dict[str, str]) -> aiohttp.ClientSession:
        limits = self._timeouts
        # A timer that cannot be the first to fire is not set: it would be set anew with every piece of every answer.
        read = limits.read if limits.read < limits.total else None
        session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=limits.total, sock_connect=limits.connect, sock_read=read),
            proxy=self._proxy.url if self._proxy is not None else None,
        )
        # aiohttp would send a GET or PUT a second time by itself when a kept connection turns out dead: a request
        # that no limiter has let through and nobody has counted. It has no public switch for it.
        session._retry_connection = False  # noqa: SLF001
        return session

    async def __aexit__(self, *_: object) -> None:
        await self._reading.close()
        await self._writing.close()

    def send(self, operation: Operation, request: UserRequest, query: str = "") -> Coroutine[Any, Any, Reply]:
        """Carry out one operation on one user; never raises for anything the network or the server does.

        query  which page of the users, for `Operation.LIST`
        """
        match operation:
            case Operation.CREATE | Operation.CREATE_ROLE:
                place = self._users if operation is Operation.CREATE else self._roles
                body = with_auth_token(request.body) if request.token else request.body
                return self._exchange("POST", place, body)
            case Operation.READ:
                return self._exchange("GET", self._users / request.uid, None)
            case Operation.UPDATE:
                change = request.change.payload if request.change else profile.without_uid(request)
                return self._exchange("PUT", self._users / request.uid, change)
            case Operation.MINT:
                return self._exchange("POST", self._users / request.uid / "auth_tokens", b"{}")
            case Operation.FLUSH:
                return self._exchange("DELETE", self._users / request.uid / "auth_tokens", None)
            case Operation.DEACTIVATE:
                return self._exchange("DELETE", self._users, _one_uid("uidsToDeactivate", request.uid))
            case Operation.REACTIVATE:
                return self._exchange("PUT", self._users, _one_uid("uidsToActivate", request.uid))
            case Operation.DELETE:
                return self._exchange("DELETE", self._users / request.uid, b'{"permanent":true}')
            case Operation.ROLES | Operation.LIST | Operation.PROBE:
                place = self._roles if operation is Operation.ROLES else self._users.with_query(query or "perPage=1")
                return self._exchange("GET", place, None)

    async def _exchange(self, method: str, url: URL, body: bytes | None) -> Reply:
        session = self._reading if body is None else self._writing
        try:
            async with session.request(method, url, data=body, allow_redirects=False) as answer:
                raw = await _body(answer)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            return self._failed(error)
        except (ValueError, OverflowError) as error:  # no request was sent: to an address that cannot be one, say
            return Reply(failure=Failure.UNREACHED, message=self._words(str(error)))
        arrived = self.clock.ticks()
        reply = self._read(answer.status, answer.headers, raw)
        # What is shown of users: of other answers no words go anywhere.
        if body is None and self._secret.unmistakable and self._secret.may_stand_in(raw):
            reply = reply._replace(data=self._secret.masked_in(reply.data))
        date = answer.headers.get("Date")
        # What is not the API's own answer may have the time of a proxy, as it may have a proxy's limit.
        if date is not None and reply.own:
            self.clock.learn(date, arrived)
        return reply

    def _failed(self, error: Exception) -> Reply:
        failure = failure_of(error, proxied=self._proxy is not None)
        if self._proxy is not None and failure in {Failure.PROXY, Failure.BARRED}:
            return Reply(failure=failure, message=self._words(self._proxy.trouble(error)))
        return Reply(failure=failure, message=self._words(str(error) or failure))

    def _read(self, status: int, headers: CIMultiDictProxy[str], raw: bytes) -> Reply:
        document = document_of(raw) or {}
        allowed = int(number_in(headers, "X-RateLimit-Limit", "X-Rate-Limit") or 0) or None
        if 200 <= status < 300:
            data = document.get("data")
            if isinstance(data, list):
                meta = document.get("meta")
                data = {"items": data, "meta": meta} if isinstance(meta, dict) else {"items": data}
            if not isinstance(data, dict):
                return Reply(status=status, failure=Failure.UNREADABLE, message=f"answer {status} without data in it")
            return Reply(status=status, data=data, limit=allowed)
        if status == _LOGIN_WANTED and self._proxy is not None:
            return Reply(status=status, failure=Failure.BARRED, message=self._proxy.wants_login(str(status)))
        error = document.get("error")
        if not isinstance(error, dict):  # the answer is not the API's, nor is a limit that it tells
            error, allowed = {}, None
        return self._refusal(status, headers, error, allowed)

    def _refusal(
        self, status: int, headers: CIMultiDictProxy[str], error: Mapping[str, Any], limit: int | None
    ) -> Reply:
        code, message, details = error.get("code"), error.get("message"), error.get("details")
        return Reply(
            status=status,
            code=self._code(code) if isinstance(code, str) and code else None,
            message=self._words(message if isinstance(message, str) else f"HTTP {status} without an explanation"),
            details=printable_in(self._secret.masked_in(details)) if isinstance(details, dict) else None,
            retry_after=retry_after(headers, time.time()),
            limit=limit,
        )

    def _code(self, code: str) -> str:
        return self._words(code) if self._secret.unmistakable else printable(code)[:_LONGEST_MESSAGE]

    def _words(self, text: str) -> str:
        # An answer to a wrong key has been seen to quote the key in full. A terminal would obey what cannot be printed,
        # and take a line break for the end of what the server said.
        return printable(self._secret.masked(text[:_LOOKED_AT]))[:_LONGEST_MESSAGE]


class _Connections(aiohttp.TCPConnector):
    """Those that are kept, but for those on which something came unasked: it would be taken for the next answer."""

    async def connect(self, *request: Any, **how: Any) -> aiohttp.connector.Connection:
        for _ in range(self.limit + 1):  # all that may be kept, and a new one
            connection = await super().connect(*request, **how)
            if connection.protocol is None or not connection.protocol.should_close:
                return connection
            connection.close()
        raise ValueError("the server speaks before it is asked")


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    """Read as much as an answer can have; `answer.read` would unpack whatever comes, without a bound."""
    content, blocks, size = answer.content, list[bytes](), 0
    try:
        while not content.at_eof():
            blocks.append(await content.readany())
            if (size := size + len(blocks[-1])) > MOST:
                answer.close()
                raise aiohttp.ClientPayloadError(f"an answer of more than {MOST >> 20} MiB")
    except (TimeoutError, aiohttp.ClientError, OSError):
        if answer.status < 300:  # a success has to name the user; a refusal says enough by its status and headers
            raise
        return b""
    return b"".join(blocks)


def _one_uid(member: str, uid: str) -> bytes:
    """Name one user in a call for many: one answer for each is what can be believed, recorded and repeated."""
    return orjson.dumps({member: [uid]})


def failure_of(error: BaseException, *, proxied: bool = False) -> Failure:
    """Say which of our failures an error of aiohttp, asyncio or the system is.

    proxied  the connection was to be made to a proxy, whose name is the only one that is looked up then
    """
    match error:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ServerFingerprintMismatch():
            return Failure.UNTRUSTED
        case aiohttp.ClientHttpProxyError(status=status) if status // 100 in {3, 4} and status not in _PASSING:
            return Failure.BARRED
        case aiohttp.ClientProxyConnectionError() | aiohttp.ClientHttpProxyError():
            return Failure.PROXY
        case aiohttp.ClientConnectorDNSError() | aiohttp.ConnectionTimeoutError() if proxied:
            return Failure.PROXY
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
            return Failure.UNREACHED
        case asyncio.TimeoutError():
            return Failure.TIMEOUT
        case aiohttp.ClientPayloadError() | aiohttp.ClientResponseError():
            return Failure.UNREADABLE
        case _:
            return Failure.LOST


def proxy_for(url: str) -> Proxy | None:
    """Find the proxy the environment names for `url`; looked up once, since aiohttp would do it for each request.

    Raises `ConfigurationError` when it cannot be one.
    """
    address = URL(url)
    host = address.host or ""
    if _is_loopback(host) or urllib.request.proxy_bypass(host):
        return None
    given = urllib.request.getproxies().get(address.scheme)
    return _proxy(given.strip(), f"{address.scheme.upper()}_PROXY") if given else None


def _proxy(given: str, variable: str) -> Proxy:
    scheme, login, place = _PROXY.findall(given)[0]
    shown = f"{scheme}{'***@' if login else ''}{place}"
    if not scheme:
        raise ConfigurationError(f"{variable}: the proxy {shown} has no scheme; give it as http://{shown}")
    if scheme.lower() not in {"http://", "https://"} or not _has_host(given):
        raise ConfigurationError(f"{variable}: {shown} is no proxy that can be used; give it as http://host:port")
    return Proxy(given, shown, variable, login=bool(login))


def _has_host(url: str) -> bool:
    try:
        return bool(URL(url).host)
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
