"""A number with its noun, as people say it: 1 time, 2 times."""


def counted(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"
