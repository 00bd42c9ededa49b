"""Documents as language models write them, each with what a person must see of it. All of them: `DOCUMENTS`."""

from tests.markdown.corpus import (
    cjk,
    code,
    emphasis,
    escapes,
    headings,
    links,
    lists,
    markup,
    mentions,
    quotes,
    size,
    tables,
    unicode_text,
)
from tests.markdown.corpus.document import Document

DOCUMENTS: tuple[Document, ...] = (
    *headings.DOCUMENTS,
    *emphasis.DOCUMENTS,
    *cjk.DOCUMENTS,
    *lists.DOCUMENTS,
    *code.DOCUMENTS,
    *links.DOCUMENTS,
    *tables.DOCUMENTS,
    *quotes.DOCUMENTS,
    *escapes.DOCUMENTS,
    *markup.DOCUMENTS,
    *mentions.DOCUMENTS,
    *unicode_text.DOCUMENTS,
    *size.DOCUMENTS,
)
