"""The demo's connection fits the process that the demo publishes."""

from pathlib import Path

from app.crm.demo import demo_connection
from app.engine import CompiledProcess, compile_process
from app.engine.load import load_process
from app.services.connection_mapping import mapping_problems, with_types
from app.services.processes import Processes
from app.store.database import Reader

STARTER = Path(__file__).parents[3] / "app" / "starters" / "b2b-saas.yaml"


class _Starter(Processes):
    async def compiled(
        self, db: Reader, tenant_id: str, key: str, version: int | None = None
    ) -> CompiledProcess | None:
        del db, tenant_id, version
        return compile_process(load_process(STARTER.read_bytes()), 1) if key == "b2b-saas" else None


async def test_every_stage_field_choice_and_role_is_one_of_the_process() -> None:
    nowhere: Reader = None  # type: ignore[assignment]
    settings = demo_connection()
    assert await mapping_problems(nowhere, _Starter(), "demo", settings) == []
    assert await with_types(nowhere, _Starter(), "demo", settings) == settings
    stages = list(settings.pipelines["default"].stages.values())
    assert stages == [stage.key for stage in load_process(STARTER.read_bytes()).stages]
