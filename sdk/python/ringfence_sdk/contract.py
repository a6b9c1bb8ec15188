"""The types of the contract: the component's own inside a component, and the same ones,
generated in advance, outside."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._result import Err
    from ._types import (
        Action, Action_Mask, Action_Pseudonymise, Action_Remove, Action_Replace, Caller,
        Declaration, Edit, Finding, Judgement, Kind, Permission, Permission_Any,
        Permission_Nowhere, Permission_Only, Permission_Within, Request, Role, Scope,
        Scope_Always, Scope_Outside, Scope_Towards, Segment, Target, Zone,
    )
else:
    try:
        from componentize_py_types import Err
        from wit_world.imports.types import (
            Action, Action_Mask, Action_Pseudonymise, Action_Remove, Action_Replace, Caller,
            Declaration, Edit, Finding, Judgement, Kind, Permission, Permission_Any,
            Permission_Nowhere, Permission_Only, Permission_Within, Request, Role, Scope,
            Scope_Always, Scope_Outside, Scope_Towards, Segment, Target, Zone,
        )
    except ImportError:
        from ._result import Err
        from ._types import (
            Action, Action_Mask, Action_Pseudonymise, Action_Remove, Action_Replace, Caller,
            Declaration, Edit, Finding, Judgement, Kind, Permission, Permission_Any,
            Permission_Nowhere, Permission_Only, Permission_Within, Request, Role, Scope,
            Scope_Always, Scope_Outside, Scope_Towards, Segment, Target, Zone,
        )

__all__ = [
    "Action", "Action_Mask", "Action_Pseudonymise", "Action_Remove", "Action_Replace", "Caller",
    "Declaration", "Edit", "Err", "Finding", "Judgement", "Kind", "Permission", "Permission_Any",
    "Permission_Nowhere", "Permission_Only", "Permission_Within", "Request", "Role", "Scope",
    "Scope_Always", "Scope_Outside", "Scope_Towards", "Segment", "Target", "Zone",
]
