"""Turns the nodes of a YAML text into plain values."""

from typing import Any

import yaml

from alectio_agent.config.document import Document
from alectio_agent.config.problems import Code, KeyPath, Problem
from alectio_agent.config.yaml_scalars import SCALAR_TAGS, scalar_value
from alectio_agent.core.errors import ConfigError
from alectio_agent.core.log import printable

MAX_COPIES = 10_000
"""Values that aliases may add. Without a bound, nine short lines can expand to a billion."""

_MERGE_TAG = "tag:yaml.org,2002:merge"
_MAPPING_TAGS = frozenset({"tag:yaml.org,2002:map"})
_LIST_TAGS = frozenset({"tag:yaml.org,2002:seq"})


class NodeBuilder:
    """Turns nodes into values, with a bound on what aliases may add."""

    def __init__(self, document: Document, root: yaml.Node) -> None:
        self._document = document
        self._budget = _count(root) + MAX_COPIES
        self._open: set[int] = set()

    def build(self, node: yaml.Node, path: KeyPath) -> Any:
        """The value of one node.

        Args:
            node: From `yaml.compose`.
            path: Where it stands.

        Returns:
            Plain values.
        """
        self._budget -= 1
        if self._budget < 0:
            raise self._refused(node, f"aliases that add more than {MAX_COPIES} values; write less")
        if id(node) in self._open:
            raise self._refused(node, "an alias inside the value it stands for; remove it")
        self._check_tag(node)
        if isinstance(node, yaml.ScalarNode):
            return scalar_value(node)
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self._item(child, (*path, at)) for at, child in enumerate(node.value)]
            return self._mapping(node, path)
        finally:
            self._open.discard(id(node))

    def _item(self, node: yaml.Node, path: KeyPath) -> Any:
        self._document.marks[path] = mark_of(node)
        return self.build(node, path)

    def _mapping(self, node: yaml.Node, path: KeyPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        merged: list[yaml.Node] = []
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE_TAG:
                merged += value_node.value if _is_list(value_node) else [value_node]
                continue
            key = self._key(key_node)
            if key in values:
                self._duplicate(key_node, (*path, key))
                continue
            self._document.marks[(*path, key)] = mark_of(key_node)
            values[key] = self.build(value_node, (*path, key))
        for other in merged:
            self._merge(other, values, path)
        return values

    def _merge(self, node: yaml.Node, values: dict[str, Any], path: KeyPath) -> None:
        """`<<: *base`: keys of the base that the mapping itself does not have."""
        if not isinstance(node, yaml.MappingNode):
            raise self._refused(node, "`<<` without a mapping; write `<<: *name`")
        own = dict(self._document.marks)
        for key, value in self.build(node, path).items():
            if key not in values:
                values[key] = value
        # A key that the mapping itself has keeps its own line, with all that stands below it.
        self._document.marks.update(own)

    def _key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise self._refused(node, "a list or mapping as a key; expected a name")
        self._budget -= 1
        return str(node.value)

    def _duplicate(self, node: yaml.Node, path: KeyPath) -> None:
        line, _ = self._document.marks[path]
        self._document.problems.append(
            Problem(
                Code.DUPLICATE_KEY,
                self._document.at(*mark_of(node)),
                path,
                f"stands twice, first in line {line}; keep one",
            )
        )

    def _check_tag(self, node: yaml.Node) -> None:
        allowed = _MAPPING_TAGS if isinstance(node, yaml.MappingNode) else _LIST_TAGS
        if isinstance(node, yaml.ScalarNode):
            allowed = SCALAR_TAGS
        if node.tag not in allowed:
            tag = printable(node.tag.replace("tag:yaml.org,2002:", "!!"), 60)
            raise self._refused(node, f"the tag {tag} is not allowed here; write a plain value")

    def _refused(self, node: yaml.Node, text: str) -> ConfigError:
        return self._document.refuse(text, *mark_of(node))


def _is_list(node: yaml.Node) -> bool:
    return isinstance(node, yaml.SequenceNode)


def mark_of(node: yaml.Node) -> tuple[int, int]:
    """Line and column of a node, from 1."""
    return node.start_mark.line + 1, node.start_mark.column + 1


def _count(root: yaml.Node) -> int:
    """How many nodes the text itself holds, each alias counted as nothing."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            waiting += [part for pair in node.value for part in pair]
    return len(seen)
