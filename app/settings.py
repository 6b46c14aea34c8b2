"""What the operator decides, read from STAGERAIL_* variables once, at start, by whoever composes the application.

A value that makes no sense, or a combination that is not safe, ends the start with one plain sentence for each.
"""

import base64
import binascii
import difflib
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Annotated, Any, Literal, NamedTuple, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

PREFIX = "STAGERAIL_"
MEBIBYTE = 1024 * 1024
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

# One sentence for each setting, shown when its value is refused. Secrets are never repeated back.
EXPECTED = {
    "database_url": "must be sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/NAME",
    "host": "must be a host name or an address to listen on, such as 127.0.0.1 or 0.0.0.0",
    "port": "must be a number from 1 to 65535",
    "log_level": "must be debug, info, warning or error",
    "log_format": "must be auto, json or text",
    "cors_origins": "must be origins separated by commas, such as https://crm.example.com, or * alone",
    "public_url": "must be the address that callers use, such as https://stagerail.example.com, without ? or #",
    "max_body_bytes": "must be a number of bytes from 1024 to 67108864",
    "encryption_key": "must be 32 bytes in url-safe base64 (44 characters); several with commas, the newest first",
    "outgoing_allow": "must be networks and hosts separated by commas, such as 10.1.0.0/16, crm.internal:8443",
    "demo": "must be true or false",
    "docs": "must be true or false",
}


class SettingProblem(NamedTuple):
    """One setting that cannot be used: `code` names the text, `params` fills it, `sentence` is the English of it."""

    code: str
    params: dict[str, Any]
    sentence: str


class SettingsError(Exception):
    """The settings cannot be used. Nothing was started."""

    def __init__(self, problems: tuple[SettingProblem, ...]) -> None:
        """Keep every problem: all of them are told at once."""
        super().__init__("\n".join(problem.sentence for problem in problems))
        self.problems = problems


def _database_url(url: str) -> str:
    if url.startswith("postgres://"):
        url = "postgresql" + url.removeprefix("postgres")
    path = url.removeprefix("sqlite:///")
    if (path == url or not path) and not (url.startswith("postgresql://") and urlsplit(url).path.strip("/")):
        raise ValueError
    return url


def _is_origin(origin: str) -> bool:
    parts = urlsplit(origin)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and origin == f"{parts.scheme}://{parts.netloc}"


def _origins(value: object) -> object:
    if not isinstance(value, str):
        return value
    origins = tuple(part.strip().rstrip("/") for part in value.split(",") if part.strip())
    if origins != ("*",) and not all(map(_is_origin, origins)):
        raise ValueError
    return origins


def _entries(value: object) -> object:
    """Networks and hosts; what each of them means, whoever dials knows (app/outbox/addresses.py)."""
    if not isinstance(value, str):
        return value
    entries = tuple(part.strip() for part in value.split(",") if part.strip())
    if not all(map(_is_network_or_host, entries)):
        raise ValueError
    return entries


def _is_network_or_host(entry: str) -> bool:
    if "/" in entry:
        ip_network(entry)
        return True
    parts = urlsplit(f"//{entry}")
    return bool(parts.hostname) and parts.username is None and (parts.port is None or parts.port > 0)


def _public_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError
    return url.rstrip("/")


def _encryption_key(keys: SecretStr) -> SecretStr:
    """One key, or several with commas: the first encrypts, all decrypt."""
    listed = [key.strip() for key in keys.get_secret_value().split(",")]
    for key in listed:
        try:
            raw = base64.urlsafe_b64decode(key)
        except (binascii.Error, ValueError) as error:
            raise ValueError from error
        if len(raw) != 32:  # noqa: PLR2004 - the length of a Fernet key
            raise ValueError
    return SecretStr(",".join(listed))


class Settings(BaseModel):
    """Every setting of a server, with the values that suit a first run on one machine."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    database_url: Annotated[str, AfterValidator(_database_url), Field(repr=False)] = "sqlite:///stagerail.db"
    host: Annotated[str, Field(min_length=1, pattern=r"^[A-Za-z0-9.:_-]+$")] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "text"] = "auto"
    cors_origins: Annotated[tuple[str, ...], BeforeValidator(_origins)] = ()
    public_url: Annotated[str, AfterValidator(_public_url)] | None = None
    max_body_bytes: Annotated[int, Field(ge=1024, le=64 * MEBIBYTE)] = MEBIBYTE
    encryption_key: Annotated[SecretStr, AfterValidator(_encryption_key)] | None = None
    outgoing_allow: Annotated[tuple[str, ...], BeforeValidator(_entries)] = ()
    demo: bool = False
    docs: bool = True

    @classmethod
    def from_env(cls, environ: Mapping[str, str], **overrides: object) -> Self:
        """Read the settings. `overrides` are the command line's and win; empty variables count as not set.

        PORT is honoured where STAGERAIL_PORT is not set, as hosting platforms hand it over under that name.
        """
        known = {PREFIX + name.upper(): name for name in cls.model_fields}
        values: dict[str, object] = {"port": environ["PORT"]} if environ.get("PORT") else {}
        values |= {name: environ[variable] for variable, name in known.items() if environ.get(variable)}
        values |= {name: value for name, value in overrides.items() if value is not None}
        problems = list(_misspelt(environ, known))
        try:
            settings = cls.model_validate(values)
        except ValidationError as error:
            names = dict.fromkeys(str(detail["loc"][0]) for detail in error.errors())
            raise SettingsError((*problems, *map(_refused, names))) from error
        problems += _unsafe(settings)
        if problems:
            raise SettingsError(tuple(problems))
        return settings


def _refused(name: str) -> SettingProblem:
    variable = PREFIX + name.upper()
    return SettingProblem(f"setting_{name}", {"variable": variable}, f"{variable} {EXPECTED[name]}")


def _misspelt(environ: Mapping[str, str], known: Mapping[str, str]) -> list[SettingProblem]:
    """Find names that are nearly a setting. Others are let be: Kubernetes adds its own for a service of our name."""
    problems = []
    for variable in sorted(environ):
        if variable.startswith(PREFIX) and variable not in known:
            close = difflib.get_close_matches(variable.removeprefix(PREFIX).lower(), known.values(), n=1, cutoff=0.8)
            problems += [_not_a_setting(variable, PREFIX + name.upper()) for name in close]
    return problems


def _not_a_setting(variable: str, meant: str) -> SettingProblem:
    sentence = f"{variable} is not a setting; did you mean {meant}?"
    return SettingProblem("setting_unknown", {"variable": variable, "meant": meant}, sentence)


def _unsafe(settings: Settings) -> list[SettingProblem]:
    """Refuse what would run but must not."""
    if settings.demo and settings.host not in LOOPBACK:
        sentence = (
            f"the demo has a key that anybody on this machine can read, so it listens on 127.0.0.1 only, "
            f"not on {settings.host}: unset STAGERAIL_HOST, or leave the demo out"
        )
        return [SettingProblem("setting_demo_exposed", {"host": settings.host}, sentence)]
    return []
