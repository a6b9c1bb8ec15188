"""Write Ringfence policies in Python."""

import json
from typing import Any, Callable, Dict, Iterable, List, Optional

from .contract import (
    Action, Action_Mask, Action_Pseudonymise, Action_Remove, Action_Replace, Caller, Declaration,
    Edit, Err, Finding, Judgement, Kind, Permission, Permission_Any, Permission_Nowhere,
    Permission_Only, Permission_Within, Request, Role, Scope, Scope_Always, Scope_Outside,
    Scope_Towards, Segment, Target, Zone,
)
from .spans import Match, utf8_length, utf8_matches, utf8_slice, utf8_span

#: Wherever it still may go.
ANY = Permission_Any()
#: Nowhere: the request is refused.
NOWHERE = Permission_Nowhere()
#: The entity's name in brackets takes the place of the span.
MASK = Action_Mask()
#: A keyed placeholder takes its place, and the answer gets the original back.
PSEUDONYMISE = Action_Pseudonymise()
#: Nothing takes its place.
REMOVE = Action_Remove()
#: For every target.
ALWAYS = Scope_Always()


class Policy:
    """A policy. The component exports a class `Judge` that is one.

    `setup` and `decide` refuse by raising: the text of what is raised goes to the
    operator, for `setup`, or to a debug log that is off by default.
    """

    # Of the class: whoever makes the component's objects need not keep one.
    _configured: Optional["Policy"] = None

    def setup(self, config: Dict[str, Any]) -> Declaration:
        """Takes the entry's own table. Runs once, when the file is loaded: what it keeps in
        `self` is what `decide` finds there."""
        raise NotImplementedError

    def decide(self, request: Request) -> Judgement:
        """Judges one request, in an instance of its own."""
        raise NotImplementedError

    def configure(self, config: str) -> Declaration:
        """What the contract calls."""
        def configured() -> Declaration:
            declaration = self.setup(json.loads(config))
            type(self)._configured = self
            return declaration
        return _told(configured)

    def judge(self, request: Request) -> Judgement:
        """What the contract calls."""
        def judged() -> Judgement:
            configured = type(self)._configured
            if configured is None:
                raise ValueError("judged before it was configured")
            return configured.decide(request)
        return _told(judged)


def _told(body: Callable[[], Any]) -> Any:
    # Anything else that is raised would be a trap.
    try:
        return body()
    except Err:
        raise
    except Exception as error:
        raise Err(f"{type(error).__name__}: {error}") from None


def declare(
    codes: Iterable[str] = (), labels: Iterable[str] = (), needs: Iterable[str] = ()
) -> Declaration:
    """What a policy says about itself. A code or a label that is not declared fails the
    judgement; without the grants that it needs it is not loaded."""
    return Declaration(codes=list(codes), labels=list(labels), needs=list(needs))


def judgement(
    permit: Permission = ANY,
    prefer: Iterable[str] = (),
    edits: Iterable[Edit] = (),
    labels: Iterable[str] = (),
    code: str = "",
) -> Judgement:
    """What a policy says of a request. What is left out permits everything."""
    return Judgement(
        permit=permit, prefer=list(prefer), edits=list(edits), labels=list(labels), code=code)


def within(zone: Zone) -> Permission:
    """Only to targets of this zone or a nearer one."""
    return Permission_Within(zone)


def only(request: Request, keep: Callable[[Target], bool]) -> Permission:
    """Only to the targets that `keep` keeps; with none kept, nowhere."""
    return Permission_Only([target.name for target in request.targets if keep(target)])


def outside(zone: Zone) -> Scope:
    """For targets farther away than this zone."""
    return Scope_Outside(zone)


def towards(names: Iterable[str]) -> Scope:
    """For the targets named."""
    return Scope_Towards(list(names))


def replace(text: str) -> Action:
    """This text takes the place of the span."""
    return Action_Replace(text)


def edit_of(finding: Finding, action: Action, scope: Scope = ALWAYS) -> Edit:
    """An edit of what was found."""
    return Edit(segment=finding.segment, start=finding.start, end=finding.end,
                entity=finding.entity, action=action, scope=scope)


def only_keys(config: Dict[str, Any], *keys: str) -> Dict[str, Any]:
    """Refuses a table with other keys: a misspelt rule protects nobody."""
    for key in config:
        if key not in keys:
            raise ValueError(f"unknown key `{key}`, expected one of {', '.join(keys)}")
    return config


def found(request: Request) -> List[Finding]:
    """What the detectors found. Without the grant nothing is known, which is an error."""
    if request.findings is None:
        raise ValueError("the grant `findings` is missing")
    return request.findings


def segment_of(request: Request, id: int) -> Optional[Segment]:
    """The segment that a finding or an edit names."""
    return next((segment for segment in request.segments if segment.id == id), None)


def caller_label(request: Request, name: str) -> Optional[str]:
    """A label of the caller; `None` without it, and without the grant `caller`."""
    return dict(request.caller.labels).get(name) if request.caller else None


def score(request: Request, label: str) -> Optional[float]:
    """What a classifier says of the request: the probability of `NAME/LABEL`, 0 to 1.

    `None` where the policy did not declare that it needs `score:NAME`, and for a label that
    the model does not have.
    """
    return dict(request.scores).get(label)


def attribute(target: Target, name: str) -> Optional[str]:
    """One of the operator's own words about a target."""
    return dict(target.attributes).get(name)


def is_within(target: Target, zone: Zone) -> bool:
    """Whether a target is in `zone` or a nearer one."""
    return target.zone.value <= zone.value


def has_room(target: Target) -> bool:
    """Whether a target is well and would take one more request at once."""
    return target.healthy and target.in_flight + target.queued < target.capacity


__all__ = [
    "ALWAYS", "ANY", "Action", "Action_Mask", "Action_Pseudonymise", "Action_Remove",
    "Action_Replace", "Caller", "Declaration", "Edit", "Err", "Finding", "Judgement", "Kind",
    "MASK", "Match", "NOWHERE", "PSEUDONYMISE", "Permission", "Permission_Any",
    "Permission_Nowhere", "Permission_Only", "Permission_Within", "Policy", "REMOVE", "Request",
    "Role", "Scope", "Scope_Always", "Scope_Outside", "Scope_Towards", "Segment", "Target",
    "Zone", "attribute", "caller_label", "declare", "edit_of", "found", "has_room", "is_within",
    "judgement", "only", "only_keys", "outside", "replace", "score", "segment_of", "towards",
    "utf8_length", "utf8_matches", "utf8_slice", "utf8_span", "within",
]
