"""Data stays in the regions of its tenant, on targets with the attributes that it needs."""

from typing import Any, Dict, List, Set

from ringfence_sdk import (
    Declaration, Judgement, Policy, Request, Target, Zone, attribute, caller_label, declare,
    is_within, judgement, only, only_keys,
)


def regions_of(value: Any, name: str) -> Set[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"`{name}` is no list of regions")
    return set(value)


class Judge(Policy):
    def setup(self, config: Dict[str, Any]) -> Declaration:
        only_keys(config, "tenants", "labels", "attributes", "default")
        self.tenants = {tenant: regions_of(regions, tenant)
                        for tenant, regions in config.get("tenants", {}).items()}
        # Each label narrows what the tenant allows.
        self.labels = {label: {value: regions_of(regions, f"{label}.{value}")
                               for value, regions in values.items()}
                       for label, values in config.get("labels", {}).items()}
        self.attributes: Dict[str, str] = {name: str(value) for name, value
                                           in config.get("attributes", {}).items()}
        self.default = regions_of(config.get("default", []), "default")
        return declare(codes=["residency"], labels=["resident"], needs=["caller"])

    def decide(self, request: Request) -> Judgement:
        caller = request.caller
        rules: List[Set[str]] = []
        if caller and caller.tenant in self.tenants:
            rules.append(self.tenants[caller.tenant])
        for label, values in self.labels.items():
            value = caller_label(request, label)
            if value in values:
                rules.append(values[value])
        # Of whom nothing is known nothing but the default is allowed.
        allowed = set.intersection(*rules) if rules else self.default

        def keeps(target: Target) -> bool:
            return is_within(target, Zone.PROCESS) or (
                target.region in allowed
                and all(attribute(target, name) == value
                        for name, value in self.attributes.items()))

        return judgement(only(request, keeps), labels=["resident"], code="residency")
