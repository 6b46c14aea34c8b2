"""The business process flow of an opportunity: a row of a table of its own, which says in which stage it is."""

from typing import Any

from app.crm.client import ClientError
from app.crm.dynamics.api import WebApi
from app.crm.dynamics.settings import DynamicsSettings
from app.crm.dynamics.values import guid_of

_LOOKUPS = ("_bpf_opportunityid_value", "_opportunityid_value")
_BEYOND = ("client_refused", "client_not_found")


async def flow_row(api: WebApi, settings: DynamicsSettings, object_id: str) -> dict[str, Any] | None:
    """The row that is active, else the last one that was; None where the opportunity is in no such flow."""
    rows = await _rows(api, await _entity_set(api, settings), object_id)
    return rows[0] if rows else None


async def move_in_flow(api: WebApi, settings: DynamicsSettings, object_id: str, stage: str) -> None:
    """Put the opportunity into a stage of its flow, and have the flow remember the way there."""
    entity_set = await _entity_set(api, settings)
    rows = await _rows(api, entity_set, object_id)
    row_id = guid_of(rows[0].get("businessprocessflowinstanceid")) if rows else None
    if row_id is None:
        raise ClientError("client_not_found", again=False, said=str(settings.process_table))
    way = [one for one in str(rows[0].get("traversedpath") or "").split(",") if one]
    way = [*way[: way.index(stage)], stage] if stage in way else [*way, stage]
    body = {"activestageid@odata.bind": f"/processstages({stage})", "traversedpath": ",".join(way)}
    await api.call("PATCH", f"/{entity_set}({row_id})", body=body)


async def _rows(api: WebApi, entity_set: str, object_id: str) -> list[dict[str, Any]]:
    """Flows made in the designer call their lookup otherwise than the ones that came with the product."""
    refusal: ClientError | None = None
    for lookup in _LOOKUPS:
        query = {"$filter": f"{lookup} eq {object_id}", "$orderby": "statecode,modifiedon desc"}
        try:
            return (await api.page(f"/{entity_set}", query))[0]
        except ClientError as error:
            if error.code not in _BEYOND:
                raise
            refusal = error
    raise refusal or ClientError("client_not_found", again=False, said=entity_set)


async def _entity_set(api: WebApi, settings: DynamicsSettings) -> str:
    path = f"/EntityDefinitions(LogicalName='{settings.process_table}')"
    answer = await api.call("GET", path, query={"$select": "EntitySetName"})
    found = answer.get("EntitySetName") if isinstance(answer, dict) else None
    return str(found or f"{settings.process_table}s")
