"""Which short texts has everybody? The names of cities after which the time zones are called.

The time zone database is in the public domain. Python has it from the system, or from the package tzdata.
"""

from zoneinfo import available_timezones

REGIONS = {"Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}


def load_city_names() -> list[str]:
    """Some 400 names of cities, in alphabetical order, as the time zone database of this machine has them.

    Raises:
        OSError: there is no time zone database.

    >>> names = load_city_names()
    >>> "Berlin" in names, "New York" in names
    (True, True)
    """
    zones = [zone.split("/") for zone in available_timezones()]
    names = {parts[-1].replace("_", " ") for parts in zones if len(parts) > 1 and parts[0] in REGIONS}
    if not names:
        raise OSError("this machine has no time zone database: pip install tzdata")
    return sorted(names)
