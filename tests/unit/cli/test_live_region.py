"""What a terminal shows after the region was drawn, on a small terminal that folds rows."""

import re

import pytest

from alectio_agent.cli.live.region import Region, Size
from alectio_agent.cli.live.render import Line

TOKEN = re.compile(r"\x1b\[(\d*)([A-Z])|\x1b[78]|\r|\n|[^\x1b\r\n]+")


class SmallTerminal:
    """Knows what the region uses: text, CR, LF, up, down, clearing, keeping the cursor's place."""

    def __init__(self, columns: int, rows: int) -> None:
        self.size = Size(columns, rows)
        self.screen: list[str] = [""]
        self.history: list[str] = []
        self.row = self.column = 0
        self.kept = (0, 0)
        self.written: list[str] = []

    def write(self, text: str) -> None:
        self.written.append(text)
        for token in TOKEN.finditer(text):
            self._do(token)

    def _do(self, token: re.Match[str]) -> None:
        if token[0] == "\r":
            self.column = 0
        elif token[0] == "\n":
            self._down()
        elif token[2] == "A":
            self.row = max(0, self.row - int(token[1] or 1))
        elif token[2] == "B":
            self.row = min(self.size.rows - 1, self.row + int(token[1] or 1))
            self.screen += [""] * (self.row + 1 - len(self.screen))
        elif token[0] == "\x1b7":
            self.kept = (self.row, self.column)
        elif token[0] == "\x1b8":
            self.row, self.column = self.kept
        elif token[2] == "K":
            self.screen[self.row] = self.screen[self.row][: self.column]
        elif token[2] == "J":
            if self.row == self.column == 0:  # as tmux does it
                self.history += [line for line in self.screen if line]
            self.screen[self.row] = self.screen[self.row][: self.column]
            del self.screen[self.row + 1 :]
        else:
            line = self.screen[self.row].ljust(self.column)
            end = self.column + len(token[0])
            self.screen[self.row] = line[: self.column] + token[0] + line[end:]
            self.column = end

    def _down(self) -> None:
        self.row += 1
        if self.row == len(self.screen):
            self.screen.append("")
        if len(self.screen) > self.size.rows:
            self.history.append(self.screen.pop(0))
            self.row -= 1

    @property
    def shown(self) -> list[str]:
        """Without empty rows at the end."""
        rows = [*self.screen]
        while rows and not rows[-1]:
            rows.pop()
        return rows

    def resize(self, columns: int, rows: int) -> None:
        """As tmux does it: fold long rows, push rows out at the top, or let them come back."""
        folded: list[str] = []
        for number, line in enumerate(self.screen):
            if number == self.row:
                row = len(folded)
            step = range(0, max(1, len(line)), columns)
            folded += [line[start : start + columns] for start in step]
        self.row, self.screen = row, folded
        while len(self.screen) > rows:
            self.history.append(self.screen.pop(0))
            self.row -= 1
        while rows > self.size.rows and self.history and len(self.screen) < rows:
            self.screen.insert(0, self.history.pop())
            self.row += 1
        self.size = Size(columns, rows)


class Bench:
    def __init__(self, columns: int = 20, rows: int = 8) -> None:
        self.terminal = SmallTerminal(columns, rows)
        self.region = Region(self.terminal)

    def draw(self, *lines: str) -> None:
        self.region.draw([Line(line, len(line)) for line in lines], self.terminal.size)

    def say(self, *lines: str) -> None:
        self.region.print_above(lines, self.terminal.size)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_rows_are_replaced_in_place(bench: Bench) -> None:
    bench.draw("one", "two", "three")
    bench.draw("one", "2", "three", "four")
    assert bench.terminal.screen == ["one", "2", "three", "four"]
    bench.draw("one", "2")
    assert [line for line in bench.terminal.screen if line] == ["one", "2"]
    bench.draw("1", "two", "3")
    assert [line for line in bench.terminal.screen if line] == ["1", "two", "3"]


def test_only_rows_that_changed_are_written(bench: Bench) -> None:
    """What is not written cannot flicker."""
    bench.draw("one", "two", "three")
    bench.draw("one", "2", "three")
    assert "one" not in bench.terminal.written[-1]
    assert "three" not in bench.terminal.written[-1]
    before = len(bench.terminal.written)
    bench.draw("one", "2", "three")
    assert len(bench.terminal.written) == before


def test_lines_are_printed_above_and_stay(bench: Bench) -> None:
    bench.say("before")
    bench.draw("view", "end")
    bench.say("first", "second")
    assert bench.terminal.screen == ["before", "first", "second", "view", "end"]
    bench.region.erase(bench.terminal.size)
    assert bench.terminal.shown == ["before", "first", "second"]
    assert bench.terminal.row == 3


def test_lines_above_scroll_out_and_the_region_stays_whole(bench: Bench) -> None:
    bench.draw("view", "end")
    for number in range(9):
        bench.say(f"line {number}")
    assert bench.terminal.screen[-2:] == ["view", "end"]
    assert bench.terminal.history + bench.terminal.screen[:-2] == [f"line {n}" for n in range(9)]


def test_a_narrower_terminal_folds_rows_and_nothing_of_them_is_left(bench: Bench) -> None:
    bench.say("kept")
    bench.draw("a" * 19, "b" * 19, "c" * 19)
    bench.terminal.resize(8, 12)
    bench.draw("a", "b", "c")
    assert bench.terminal.screen == ["kept", "a", "b", "c"]


def test_a_lower_and_a_higher_terminal_leave_no_old_rows_on_the_screen(bench: Bench) -> None:
    """The rows that were pushed out at the top come back when it grows."""
    bench.draw(*"1234567")
    bench.terminal.resize(20, 4)
    bench.draw("a", "b", "c")
    assert bench.terminal.screen == ["a", "b", "c"]
    bench.terminal.resize(20, 8)
    bench.draw("A", "B", "C", "D", "E")
    assert bench.terminal.screen == ["A", "B", "C", "D", "E"]


def test_a_view_that_fills_the_screen_leaves_no_copies_in_the_history(bench: Bench) -> None:
    """In tmux each change of the size left one: it keeps what is cleared from the top left on."""
    bench.draw(*"1234567")
    for columns in (18, 16, 20):
        bench.terminal.resize(columns, 7)
        bench.draw(*"1234567")
    assert bench.terminal.history == []
    assert bench.terminal.shown == list("1234567")


def test_a_line_printed_after_a_resize_finds_its_place(bench: Bench) -> None:
    bench.draw("a" * 19, "b" * 19)
    bench.terminal.resize(10, 8)
    bench.say("line")
    assert bench.terminal.screen[0] == "line"
    assert bench.terminal.screen[1].startswith("a")


def test_after_another_program_has_written_the_region_begins_anew(bench: Bench) -> None:
    bench.draw("view", "end")
    bench.region.forget()
    bench.terminal.write("\r\nfrom the shell\r\n")
    bench.draw("view", "end")
    assert bench.terminal.screen[-3:] == ["from the shell", "view", "end"]
