"""Emoji clusters, combining marks, writing from right to left, control characters."""

from tests.markdown.corpus.document import Document

FAMILY = "👨‍👩‍👧‍👦"

DOCUMENTS = (
    Document(name="emoji-family", source=f"a {FAMILY} b **{FAMILY}**", see=(f"a {FAMILY} b {FAMILY}",)),
    Document(name="emoji-flags", source="🇩🇪🇫🇷 and 👍🏽 and ❤️ and 1️⃣", see=("🇩🇪🇫🇷 and 👍🏽 and ❤️ and 1️⃣",)),
    Document(name="emoji-run", source=FAMILY * 60, see=(FAMILY * 3,)),
    Document(name="combining-run", source="e\u0301" * 300, see=("e\u0301e\u0301",)),
    Document(name="combining-tower", source="a" + "\u0301" * 50 + " end", see=("end",)),
    Document(name="arabic", source="مرحبا **بالعالم** هنا", see=("مرحبا بالعالم هنا",), bold=("بالعالم",)),
    Document(name="hebrew-list", source="- שלום\n- **עולם**", see=("שלום", "עולם"), bold=("עולם",), marks="••"),
    Document(
        name="direction-overrides",
        source="file\u202egnp.exe and \u2066isolated\u2069",
        see=("file", "gnp.exe", "isolated"),
    ),
    Document(name="control-characters", source="a\x00b\x01c\x1bd\x7fe\x85f", see=("a", "b", "c", "d", "e", "f")),
    Document(name="lone-surrogate", source="a \ud83d b", see=("a", "b")),
    Document(name="byte-order-mark", source="\ufeff# Title\n\ntext", see=("Title", "text"), headings=((1, "Title"),)),
    Document(name="zero-width-space-in-word", source="zero\u200bwidth", see=("zerowidth",)),
    Document(name="soft-hyphen", source="Donau\u00addampf", see=("Donau",)),
    Document(name="non-breaking-space", source="10\u00a0km **10\u00a0km**", see=("10 km 10 km",), bold=("10km",)),
    Document(name="line-separator", source="one\u2028two\u2029three", see=("one", "two", "three")),
    Document(name="astral-letters", source="**𝐁𝐨𝐥𝐝** 𠮷野家", see=("𝐁𝐨𝐥𝐝 𠮷野家",), bold=("𝐁𝐨𝐥𝐝",)),
    Document(name="devanagari", source="**नमस्ते** दुनिया", see=("नमस्ते दुनिया",), bold=("नमस्ते",)),
    Document(name="typographic", source="“quotes” — dash… ‘x’", see=("“quotes” — dash… ‘x’",)),
)
