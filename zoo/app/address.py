"""The address to listen on, and the names by which visitors may call it."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from zoo.errors import ZooError

_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Names:
    """Who may ask: requests for other names, or sent by other sites' pages, are refused.

    A page of another site whose name suddenly leads here (DNS rebinding) could else read this one. An address in
    figures cannot be made to do so.

    Attributes:
        hosts: names in lower case.
        any_address: whether all addresses in figures will do.
        public: scheme and authority of the page behind a reverse proxy, or "".
    """

    hosts: frozenset[str] = _HERE
    any_address: bool = False
    public: str = ""

    @classmethod
    def of(cls, host: str, root_path: str = "") -> Names:
        """For a server on ``host``, behind ``root_path``. Raises `ZooError` for a root path that is none."""
        try:
            public = urlsplit(root_path)
            _ = public.port
        except ValueError as error:  # a port beyond all, or half of an IPv6 address
            raise ZooError(f"--root-path {root_path!r} is no address: {error}") from error
        full = public.scheme in ("http", "https") and public.hostname
        extra = public.query or public.fragment or "@" in public.netloc
        if root_path and (
            extra or not (full or (not public.scheme and root_path.startswith("/") and not public.netloc))
        ):
            raise ZooError(f"--root-path must be like https://example.org/zoo or /zoo, not {root_path!r}")
        hosts = _HERE | {host.strip("[]").lower()} | ({public.hostname} if public.hostname else set())
        origin = f"{public.scheme}://{public.netloc}".lower() if public.netloc else ""
        if is_loopback(host):
            return cls(frozenset(hosts), False, origin)
        own = socket.gethostname().lower()
        return cls(frozenset(hosts | {own, f"{own}.local"}), True, origin)

    def know(self, host: str) -> bool:
        """``host`` as in a request's header: a name or an address, perhaps with a port."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self.hosts or (self.any_address and _is_address(name))

    def same_site(self, origin: str, host: str) -> bool:
        """Whether ``origin``, as in a request's header, is this page's own."""
        return origin.lower() in (f"http://{host}".lower(), f"https://{host}".lower(), self.public or None)


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine can reach it."""
    try:
        return all(ipaddress.ip_address(found[4][0]).is_loopback for found in _resolved(host, 0))
    except ZooError:
        return False


def listen(host: str, port: int) -> tuple[socket.socket, str]:
    """A socket that listens on ``host`` (a name, 127.0.0.1, ::1, 0.0.0.0, ::, …), and the page's address from here.

    Args:
        port: 0: any that is free.

    Raises:
        ZooError: nothing can listen there.
    """
    family, _, _, _, address = _resolved(host, port)[0]
    both = host.strip("[]") == "::" and socket.has_dualstack_ipv6()
    try:
        listening = socket.create_server(address[:2], family=family, dualstack_ipv6=both)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ZooError(f"cannot listen on {host}, port {port}: {reason}; give another --port or --host") from error
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address[0], host.strip("[]"))
    return listening, f"http://{f'[{shown}]' if ':' in shown else shown}:{listening.getsockname()[1]}"


def _resolved(host: str, port: int) -> list[tuple[socket.AddressFamily, int, int, str, tuple[str, int]]]:
    try:
        return socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)  # type: ignore[return-value]
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ZooError(f"cannot listen on {host!r}, port {port}: {reason}; give another --host") from error


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
