"""A `RemoteExecutionContext`, read: what happened to which record, when, by whom; as it was and as it is."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from app.crm.dynamics.settings import DynamicsSettings
from app.crm.dynamics.values import attributes, guid_of, moment, pairs, plain, reference_of
from app.crm.events import Malformed
from app.crm.reading import shown


class Context(NamedTuple):
    """One execution of a step. `target` has only what is changed; `pre` and `post` are images, where registered.

    `trimmed`: it was too large, and Dynamics has left out what it is about.
    """

    message: str
    table: str
    record_id: str | None
    at: datetime
    by: str | None
    channel: str | None
    inputs: dict[str, Any]
    target: dict[str, Any]
    pre: dict[str, Any]
    post: dict[str, Any]
    trimmed: bool

    @property
    def now(self) -> dict[str, Any]:
        """The record as far as it is known."""
        return {**self.pre, **self.target, **self.post}


def context_of(found: dict[str, Any], settings: DynamicsSettings) -> Context:
    """Read it. Raises Malformed."""
    message = found.get("MessageName")
    if not isinstance(message, str) or not message:
        raise Malformed("event_field_missing", field="MessageName")
    _check_organization(found, settings)
    inputs = pairs(found.get("InputParameters"))
    target = inputs.get("Target")
    pre, post = _image(found.get("PreEntityImages")), _image(found.get("PostEntityImages"))
    columns = attributes(target)
    reference = reference_of(target) or reference_of(inputs.get("EntityMoniker"))
    depth = found.get("Depth")
    return Context(
        message.lower(),
        str(found.get("PrimaryEntityName")).lower(),
        guid_of(found.get("PrimaryEntityId")) or (reference.id if reference else None),
        _at(found, {**columns, **post}),
        guid_of(found.get("InitiatingUserId")) or guid_of(found.get("UserId")),
        f"depth:{min(depth, 99)}" if isinstance(depth, int) and not isinstance(depth, bool) and depth > 1 else None,
        inputs, columns, pre, post,
        not inputs,
    )  # fmt: skip


def _at(found: Mapping[str, Any], columns: Mapping[str, Any]) -> datetime:
    """When the record says that it was changed, else when the operation was begun: to the second, as the audit has it.

    What happens within one second follows from what each step tells of before.
    """
    begun, modified = moment(found.get("OperationCreatedOn")), moment(plain(columns.get("modifiedon")))
    at = modified or begun
    if at is not None:
        return at.replace(microsecond=0)
    given = found.get("OperationCreatedOn")
    if given is None:
        raise Malformed("event_field_missing", field="OperationCreatedOn")
    raise Malformed("event_field_wrong", field="OperationCreatedOn", found=shown(given))


def _image(found: Any) -> dict[str, Any]:
    """All images joined: a step may have several, with different columns."""
    joined: dict[str, Any] = {}
    for image in pairs(found).values():
        for name, value in attributes(image).items():
            joined.setdefault(name, value)
    return joined


def _check_organization(found: Mapping[str, Any], settings: DynamicsSettings) -> None:
    given = guid_of(found.get("OrganizationId"))
    if settings.organization_id is not None and given != settings.organization_id:
        raise Malformed("event_of_another_account", found=shown(found.get("OrganizationId")))
    name = found.get("OrganizationName")
    if settings.organization_name is not None and name != settings.organization_name:
        raise Malformed("event_of_another_account", found=shown(name))
