"""IPTC as XMP, for formats that have no place for it (IPTC Photo Metadata Standard, "mapping")."""

from tintype.metadata import photoshop, xmp

_DC, _PS = "http://purl.org/dc/elements/1.1/", "http://ns.adobe.com/photoshop/1.0/"
_CORE = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
_RIGHTS = "http://ns.adobe.com/xap/1.0/rights/"
_XMP = "http://ns.adobe.com/xap/1.0/"
# Data sets of record 2 whose property is one text, or a container of texts.
_TEXTS = {
    10: (_PS, "photoshop", "Urgency"), 15: (_PS, "photoshop", "Category"),
    22: (_XMP, "xmp", "Identifier"), 55: (_PS, "photoshop", "DateCreated"),
    40: (_PS, "photoshop", "Instructions"),
    65: (_XMP, "xmp", "CreatorTool"), 85: (_PS, "photoshop", "AuthorsPosition"),
    90: (_PS, "photoshop", "City"), 92: (_CORE, "Iptc4xmpCore", "Location"),
    95: (_PS, "photoshop", "State"), 100: (_CORE, "Iptc4xmpCore", "CountryCode"),
    101: (_PS, "photoshop", "Country"), 103: (_PS, "photoshop", "TransmissionReference"),
    105: (_PS, "photoshop", "Headline"), 110: (_PS, "photoshop", "Credit"),
    115: (_PS, "photoshop", "Source"), 122: (_PS, "photoshop", "CaptionWriter"),
}  # fmt: skip
_LISTS = {
    5: (_DC, "dc", "title", "Alt"), 12: (_CORE, "Iptc4xmpCore", "SubjectCode", "Bag"),
    20: (_PS, "photoshop", "SupplementalCategories", "Bag"), 25: (_DC, "dc", "subject", "Bag"),
    80: (_DC, "dc", "creator", "Seq"), 116: (_DC, "dc", "rights", "Alt"),
    118: (_CORE, "Iptc4xmpCore", "CiEmailWork", "Bag"), 120: (_DC, "dc", "description", "Alt"),
}  # fmt: skip
_DATE, _TIME = 55, 60


def add_iptc(packet: xmp.Packet | None, iptc: bytes | None, notes: list[str]) -> xmp.Packet | None:
    """A packet with what IPTC says and XMP does not yet.

    notes: gets a line for data sets that have no property.
    """
    if not iptc:
        return packet
    values: dict[int, list[str]] = {}
    for record, number, value, _ in photoshop.datasets(iptc):
        if record == 2:
            values.setdefault(number, []).append(_decode(value))
    packet = packet or xmp.Packet()
    left = []
    for number, found in values.items():
        if number == _DATE:
            found = [_date(found[0], values.get(_TIME))]
        if number in _LISTS:
            namespace, prefix, name, kind = _LISTS[number]
            before = packet.texts(namespace, name)
            if kind != "Alt":
                found = [*before, *(text for text in found if text not in before)]
            if not before or kind != "Alt":
                packet.set_list(namespace, prefix, name, kind, found)
            elif found[0] not in before:
                left.append(f"2:{number}")
        elif number in _TEXTS:
            namespace, prefix, name = _TEXTS[number]
            before = packet.texts(namespace, name)
            if not before:
                packet.set(namespace, prefix, name, found[0])
            elif found[0] not in before:
                left.append(f"2:{number}")
        elif number not in (0, _TIME):
            left.append(f"2:{number}")
    if left:
        notes.append(
            f"IPTC {', '.join(left)} was left out: XMP has no place for it, or another value"
        )
    return packet


def _decode(value: bytes) -> str:
    """Text without what XML cannot hold; few files state their encoding rightly."""
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    return xmp.clean(text)


def _date(day: str, time: list[str] | None) -> str:
    """20260102 and 030405+0100 as 2026-01-02T03:04:05+01:00."""
    text = f"{day[:4]}-{day[4:6]}-{day[6:8]}" if len(day) == 8 and day.isdigit() else day
    if time and len(time[0]) == 11:
        t = time[0]
        text += f"T{t[:2]}:{t[2:4]}:{t[4:6]}{t[6:9]}:{t[9:]}"
    return text
