"""An import-linter contract: outsiders import a room or its values, never its service or its store."""

from __future__ import annotations

from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class FacesContract(Contract):
    """Furniture named in ``private`` is imported from inside its own room only."""

    private = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        intrusions = []
        private: Any = self.private
        for imported in graph.modules:
            room, _, furniture = imported.rpartition(".")
            if furniture in private:
                importers = graph.find_modules_that_directly_import(imported)
                intrusions += [
                    (importer, imported)
                    for importer in importers
                    if importer != room and not importer.startswith(f"{room}.")
                ]
        return ContractCheck(kept=not intrusions, metadata={"intrusions": sorted(intrusions)})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, imported in check.metadata["intrusions"]:
            output.print_error(f"{importer} climbs in through {imported}; use the front door")
