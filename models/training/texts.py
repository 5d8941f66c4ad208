"""Plate texts of both countries, drawn at random with the syntaxes of the plates (Circulars 58/2020 and 24/2023 for
Vietnam, GA 36-2018 for China). Rare letters, series and provinces come far more often than on the road, on purpose:
a reader that has hardly ever seen a letter reads it as another.
"""
from dataclasses import dataclass

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
SUFFIXES = "挂学警港澳试超领使"
DIGITS = "0123456789"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#: Class 0 is "no character here".
ALPHABET = "-" + DIGITS + LETTERS + PROVINCES + SUFFIXES
SLOTS = 9

CN_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
VN_SERIES = "ABCDEFGHKLMNPSTUVXYZ"
VN_COMMON = "AABCCCDEFGHHKLMRR"
VN_SPECIAL = ["LD", "LD", "DA", "KT", "R", "R", "R", "R", "RM", "RM", "RM", "RM", "MK", "TD", "HC", "HC", "HC", "HC", "CD", "CD", "LA", "LA", "LA", "LB", "KT", "KT", "CT", "KL", "MD"]
VN_DIPLOMATIC = ["NG", "QT", "CV", "NN"]
#: Special and border economic zones: always yellow with red letters.
VN_ZONES = ("LB", "CT", "KL")
NEV = "ABCDEFGHJKDDDF"

COUNTRIES = ["vn", "cn", "none"]
COLOURS = ["white", "yellow", "blue", "green", "red", "black"]


@dataclass(frozen=True)
class Look:
    """One plate: its text, and what must be known to draw it."""

    text: str
    country: str
    colour: str
    lines: int
    #: vn: ordinary, special, zone, army, diplomatic, temporary, painted; cn: ordinary, trailer, green, green-large, learner, police, hk, embassy
    kind: str


def _pick(r, items):
    return items[r.integers(len(items))]


def _digits(r, n):
    # Runs and repeated digits are liked on real plates and hard to count for a reader: every fifth number has them.
    if r.random() < 0.2:
        a, b = _pick(r, DIGITS), _pick(r, DIGITS)
        return "".join(a if r.random() < 0.7 else b for _ in range(n))
    return "".join(_pick(r, DIGITS) for _ in range(n))


def vietnamese(r):
    area = f"{r.integers(11, 100)}"
    lines = 1 if r.random() < 0.5 else 2
    x = r.random()
    if x < 0.035:
        return Look(_pick(r, "ABCHKPQTV") + _pick(r, LETTERS) + _digits(r, 4), "vn", "red", lines, "army")
    if x < 0.06:
        series = _pick(r, VN_DIPLOMATIC)
        number = series + _digits(r, 5) if r.random() < 0.6 else _digits(r, 3) + series + _digits(r, 2)
        return Look(("80" if r.random() < 0.6 else area) + number, "vn", "white", lines, "diplomatic")
    if x < 0.068:
        return Look("T" + area + _digits(r, 5), "vn", "white", lines, "temporary")
    number = _digits(r, 5 if r.random() < 0.74 else 4)
    if x < 0.3:
        series = _pick(r, VN_SPECIAL) if r.random() < 0.7 else _pick(r, VN_SERIES) + _pick(r, VN_SERIES)
        colour = "yellow" if r.random() < 0.4 else "white"
        zone = series in VN_ZONES
        return Look(area + series + number, "vn", "yellow" if zone else colour, lines, "zone" if zone else "special")
    y = r.random()
    series = _pick(r, VN_COMMON) if y < 0.5 else _pick(r, VN_SERIES) if y < 0.93 else _pick(r, LETTERS)
    colour = "white" if (z := r.random()) < 0.56 else "yellow" if z < 0.84 else "blue"
    return Look(area + series + number, "vn", colour, lines, "painted" if r.random() < 0.03 else "ordinary")


def _serial(r, n):
    # Mostly digits with up to two letters, as issued; some with any mixture.
    s = list(_digits(r, n))
    for _ in range(r.integers(0, 3) if r.random() < 0.8 else r.integers(0, n + 1)):
        s[r.integers(n)] = _pick(r, CN_LETTERS)
    return "".join(s)


def chinese(r):
    province = _pick(r, PROVINCES) if r.random() < 0.75 else _pick(r, "云桂粤湘川苏皖浙沪")
    city = _pick(r, CN_LETTERS)
    x = r.random()
    if x < 0.26:
        # O stood for police and authorities for decades; some of these plates are still about.
        return Look(province + ("O" if r.random() < 0.05 else city) + _serial(r, 5), "cn", "blue", 1, "ordinary")
    if x < 0.36:
        return Look(province + city + _serial(r, 5), "cn", "yellow", 1, "ordinary")
    if x < 0.57:
        return Look(province + city + _serial(r, 5), "cn", "yellow", 2, "ordinary")
    if x < 0.73:
        return Look(province + city + _serial(r, 4) + "挂", "cn", "yellow", 2 if r.random() < 0.85 else 1, "trailer")
    if x < 0.90:
        if r.random() < 0.55:
            return Look(province + city + _pick(r, NEV) + (_pick(r, CN_LETTERS) if r.random() < 0.3 else _pick(r, DIGITS)) + _digits(r, 4), "cn", "green", 1, "green")
        return Look(province + city + _digits(r, 5) + _pick(r, NEV), "cn", "green", 1, "green-large")
    if x < 0.93:
        return Look(province + city + _serial(r, 4) + "学", "cn", "yellow", 1, "learner")
    if x < 0.96:
        return Look(province + city + _serial(r, 4) + _pick(r, "警警警超试"), "cn", "white", 1, "police")
    if x < 0.985:
        return Look("粤Z" + _serial(r, 4) + _pick(r, "港澳"), "cn", "black", 1, "hk")
    if r.random() < 0.5:
        number = _digits(r, 6)
        return Look(number + "使" if r.random() < 0.6 else "使" + number, "cn", "black", 1, "embassy")
    return Look(province + city + _digits(r, 4) + "领", "cn", "black", 1, "embassy")


def random_look(r, avoid=frozenset()):
    """A plate with a random text that is not in `avoid`; `r` is a numpy Generator."""
    look = None
    while look is None or look.text in avoid:
        look = vietnamese(r) if r.random() < 0.55 else chinese(r)
    return look
