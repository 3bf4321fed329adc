"""Knows how a model's graph is run for one message: its nodes one after the other.

Rasa hands the graph to Dask, which plans it anew for every message and for every prediction; that
takes longer than most nodes do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rasa.engine.graph import GraphNode, GraphSchema
from rasa.engine.runner.dask import DaskGraphRunner

Plan = Sequence[tuple[str, GraphNode, Sequence[str]]]
"""Nodes by name with what each needs, none before what it needs."""


class InOrder(DaskGraphRunner):
    """Runs a loaded graph as Rasa's runner does, with the order worked out once."""

    _plans: dict[tuple[str, ...], Plan]

    @classmethod
    def over(cls, loaded: DaskGraphRunner) -> InOrder:
        """Return a runner of the nodes that `loaded` holds."""
        runner = cls.__new__(cls)
        runner.__dict__.update(loaded.__dict__)
        runner._plans = {}
        return runner

    def run(
        self, inputs: Mapping[str, Any] | None = None, targets: Sequence[str] | None = None
    ) -> dict[str, Any]:
        """Return what each of `targets` makes of `inputs`, which stand for the nodes they name."""
        wanted = tuple(targets or self._graph_schema.target_names)
        if wanted not in self._plans:
            self._plans[wanted] = self._plan(self._graph_schema.minimal_graph_schema(list(wanted)))
        made = {name: (name, value) for name, value in (inputs or {}).items()}
        for name, node, needs in self._plans[wanted]:
            if name not in made:
                made[name] = node(*(made[need] for need in needs))
        return dict(made[name] for name in wanted)

    def _plan(self, schema: GraphSchema) -> Plan:
        planned: dict[str, tuple[str, GraphNode, Sequence[str]]] = {}

        def add(name: str) -> None:
            if name in planned or name not in schema.nodes:  # an input is no node
                return
            needs = list(schema.nodes[name].needs.values())
            for need in needs:
                add(need)
            planned[name] = (name, self._instantiated_nodes[name], needs)

        for name in schema.nodes:
            add(name)
        return list(planned.values())
