"""Which short texts has everybody? The names of cities after which the time zones are called.

The time zone database is in the public domain. Python has it from the system, or from the package tzdata.
"""

from zoneinfo import available_timezones

REGIONS = {"Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
NO_CITIES = {"North", "Queensland", "South", "Tasmania", "Victoria", "West", "Yancowinna"}
"""Parts of Australia; abbreviations, such as NSW, are left out too."""


def load_city_names() -> list[str]:
    """Some 400 names of cities, in alphabetical order, as the time zone database of this machine has them.

    Raises:
        OSError: there is no time zone database.

    >>> names = load_city_names()
    >>> "Berlin" in names, "New York" in names
    (True, True)
    """
    zones = [zone.split("/") for zone in available_timezones()]
    last = {parts[-1].replace("_", " ") for parts in zones if len(parts) > 1 and parts[0] in REGIONS}
    names = {name for name in last if not name.isupper()} - NO_CITIES
    if not names:
        raise OSError("this machine has no time zone database: pip install tzdata")
    return sorted(names)
