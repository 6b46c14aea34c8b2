"""Outbound Messages: SOAP, read with everything off that XML can do to its reader."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from app.crm.events import Malformed

DEEPEST = 32
MOST_ELEMENTS = 50_000
ACK = (
    b'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    b'xmlns:out="http://soap.sforce.com/2005/09/outbound"><soapenv:Header/><soapenv:Body><out:notificationsResponse>'
    b"<out:Ack>true</out:Ack></out:notificationsResponse></soapenv:Body></soapenv:Envelope>"
)
"""Anything else, and Salesforce sends the message again for a day."""
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_OPENS = re.compile(rb"<([A-Za-z_][\w.\-]{0,40}:)?SessionId(?=[\s/>])")
_CLOSES = re.compile(rb"</([A-Za-z_][\w.\-]{0,40}:)?SessionId\s{0,40}>")


class Notification(NamedTuple):
    """One object of a message; None among its values where a field is empty."""

    organization: str | None
    type: str
    values: dict[str, str | None]


class _Shallow(TreeBuilder):
    """Builds no tree that is deeper or larger than a message."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = self._count = 0

    def start(self, tag: Any, attrs: Any, /) -> Element:
        self._depth += 1
        self._count += 1
        if self._depth > DEEPEST:
            raise Malformed("xml_too_deep", most=DEEPEST)
        if self._count > MOST_ELEMENTS:
            raise Malformed("xml_too_large", most=MOST_ELEMENTS)
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def is_xml(body: bytes) -> bool:
    """Whether a body is XML rather than JSON, good or bad."""
    return _first(body) == b"<"


def wants_ack(body: bytes) -> bool:
    """Whether it is for Salesforce's queue, which waits for an acknowledgement, rather than from a relay of JSON."""
    return _first(body) not in (b"{", b"[")


def notifications(body: bytes) -> list[Notification]:
    """The objects of a message. Raises Malformed."""
    found: list[Notification] = []
    sent = [one for part in _children(_tree(body), "Body") for one in _children(part, "notifications")]
    if not sent:
        raise Malformed("event_field_missing", field="notifications")
    for one in sent:
        organization = next((_text(part) for part in _children(one, "OrganizationId")), None)
        for notification in _children(one, "Notification"):
            found += [
                Notification(organization, _type(part), _values(part)) for part in _children(notification, "sObject")
            ]
    return found


def scrub(body: bytes) -> bytes:
    """The body without the session that Salesforce may hand over: whoever has it may do what its user may.

    What is no text in UTF-8, in which it could hide, is Malformed: it is not kept at all.
    """
    if not _is_text(body):
        raise Malformed("xml_not_utf8")
    parts: list[bytes] = []
    start = 0
    while (opened := _OPENS.search(body, start)) is not None:
        parts.append(body[start : opened.start()])
        end = body.find(b">", opened.end())
        if end > 0 and body[end - 1 : end] == b"/":
            start = end + 1
            continue
        closed = _CLOSES.search(body, opened.end())
        if closed is None:
            return b"".join(parts)
        start = closed.end()
    return b"".join((*parts, body[start:]))


def _tree(body: bytes) -> Element:
    if not _is_text(body):
        raise Malformed("xml_not_utf8")
    parser = DefusedXMLParser(
        target=_Shallow(), encoding="utf-8", forbid_dtd=True, forbid_entities=True, forbid_external=True
    )
    try:
        parser.feed(body)
        tree: Element = parser.close()
    except DefusedXmlException as error:
        raise Malformed("xml_unsafe") from error
    except (ParseError, ValueError, LookupError) as error:
        raise Malformed("xml_invalid", problem=str(error)[:100]) from error
    if _name(tree) != "Envelope":
        raise Malformed("event_field_missing", field="Envelope")
    return tree


def _first(body: bytes) -> bytes:
    return body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]


def _is_text(body: bytes) -> bool:
    try:
        return "\0" not in body.decode("utf-8")
    except UnicodeDecodeError:
        return False


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _children(element: Element, name: str) -> Iterator[Element]:
    return (one for one in element if _name(one) == name)


def _type(element: Element) -> str:
    return element.get(_TYPE, "").rpartition(":")[2]


def _text(element: Element) -> str | None:
    return None if element.get(_NIL) in ("true", "1") else (element.text or "").strip()


def _values(element: Element) -> dict[str, str | None]:
    """Its fields; of one that stands there twice, the first."""
    values: dict[str, str | None] = {}
    for one in element:
        values.setdefault(_name(one), _text(one))
    return values
