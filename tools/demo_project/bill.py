"""Bills in cents. It has two bugs, both well known, on purpose: tools/demo shows a test run that fails."""


def parse(text: str) -> int:
    """Cents of an amount such as `12.50`."""
    return int(float(text) * 100)


def show(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def tip(total: int, percent: int) -> int:
    return (total * percent + 50) // 100


def split(total: int, people: int) -> list[int]:
    """Shares that add up to the total."""
    return [total // people] * people
