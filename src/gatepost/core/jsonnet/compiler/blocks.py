"""Python code being written: lines, and blocks of lines."""


class Block:
    """Lines of one indentation; a block may be put down before it is filled."""

    def __init__(self) -> None:
        self._parts: list[str | tuple[str, Block] | Block] = []

    def add(self, line: str) -> None:
        """Append a line."""
        self._parts.append(line)

    def nested(self, header: str) -> "Block":
        """Append a header and return the block under it."""
        block = Block()
        self._parts.append((header, block))
        return block

    def slot(self) -> "Block":
        """Return a block at this place, to be filled later."""
        block = Block()
        self._parts.append(block)
        return block

    def take(self, other: "Block") -> None:
        """Append what another block holds."""
        self._parts.append(other)

    @property
    def empty(self) -> bool:
        """Whether there is no line in it yet."""
        return all(isinstance(part, Block) and part.empty for part in self._parts)

    @property
    def closes(self) -> bool:
        """Whether something defined in it keeps hold of the variables around."""
        return any(
            part.closes
            if isinstance(part, Block)
            else part[0].startswith("def ") or part[1].closes
            if isinstance(part, tuple)
            else "lambda" in part
            for part in self._parts
        )

    def lines(self, depth: int = 0) -> list[str]:
        """Return the lines, indented."""
        margin = " " * depth
        lines: list[str] = []
        for part in self._parts:
            if isinstance(part, str):
                lines.append(margin + part)
            elif isinstance(part, Block):
                lines += part.lines(depth)
            else:
                header, body = part
                lines.append(margin + header)
                lines += body.lines(depth + 1) or [f"{margin} pass"]
        return lines
