"""What a use case refuses, as exceptions with the figures their texts need. The API turns each into one problem."""

from typing import Any, ClassVar

from app.engine import FileProblem


class Refused(Exception):
    """A request that cannot be carried out. `kind` is the problem's type; `params` fill its text."""

    kind: ClassVar[str]

    def __init__(self, **params: Any) -> None:
        super().__init__(self.kind)
        self.params = params


class UnknownProcess(Refused):
    """No such process: `process`, `known` (a few keys that exist)."""

    kind = "unknown-process"


class UnknownVersion(Refused):
    """The process has no such version: `process`, `version`."""

    kind = "unknown-version"


class UnknownDeal(Refused):
    """No such deal: `deal`."""

    kind = "unknown-deal"


class UnknownActivity(Refused):
    """The deal has no such activity: `activity`, `deal`."""

    kind = "unknown-activity"


class UnknownDecision(Refused):
    """No such decision: `decision`."""

    kind = "unknown-decision"


class UnknownStarter(Refused):
    """No such starter: `starter`, `known`."""

    kind = "unknown-starter"


class UnknownStageAsked(Refused):
    """The process has no such stage: `stage`, `known`, and the `place` in the request."""

    kind = "unknown-stage"


class ActivityConflict(Refused):
    """Another content is known under this activity id: `activity`."""

    kind = "activity-conflict"


class StageConflict(Refused):
    """The deal is not in the stage the caller expected: `expected`, `stage`."""

    kind = "stage-conflict"


class DealMoved(Refused):
    """Somebody else changed the deal in the meantime: `deal`."""

    kind = "deal-moved"


class AlreadyThere(Refused):
    """The deal is in that stage already: `deal`, `stage`."""

    kind = "already-there"


class PreconditionFailed(Refused):
    """The deal is not in the state that If-Match or If-None-Match names: `deal`."""

    kind = "precondition-failed"


class InvalidProcessFile(Refused):
    """The file has errors: `problems`, all of them."""

    kind = "invalid-process-file"

    def __init__(self, problems: tuple[FileProblem, ...]) -> None:
        super().__init__(count=sum(problem.severity == "error" for problem in problems))
        self.problems = problems


class InvalidRequest(Refused):
    """One value of the request cannot be: `place`, `code` (of a `request.*` text), and what that text needs."""

    kind = "invalid-request"

    def __init__(self, place: str, code: str, **params: Any) -> None:
        super().__init__(count=1)
        self.place = place
        self.code = code
        self.text_params = params
