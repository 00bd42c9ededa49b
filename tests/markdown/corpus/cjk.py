"""Scripts without spaces between words, where CommonMark's rules for emphasis fail."""

from tests.markdown.corpus.document import Document

DOCUMENTS = (
    Document(name="cjk-bold-inside", source="这是**重要**的", see=("这是重要的",), bold=("重要",)),
    Document(name="cjk-bold-colon-inside", source="**注意：**请阅读", see=("注意：请阅读",), bold=("注意",)),
    Document(
        name="cjk-bold-full-stop", source="**終わりました。**次へ", see=("終わりました。次へ",), bold=("終わりました",)
    ),
    Document(
        name="cjk-bold-corner-brackets", source="これは**「重要」**です", see=("これは「重要」です",), bold=("重要",)
    ),
    Document(name="cjk-bold-brackets", source="使用**（推荐）**方案", see=("使用（推荐）方案",), bold=("推荐",)),
    Document(name="cjk-italic", source="这是*强调。*的字", see=("这是强调。的字",), italic=("强调",)),
    Document(name="cjk-strike", source="价格~~一百元。~~八十元", see=("价格一百元。八十元",), strike=("一百元",)),
    Document(
        name="korean-bold-with-particle",
        source="**서울(Seoul)**은 수도이다",
        see=("서울(Seoul)은 수도이다",),
        bold=("서울Seoul",),
    ),
    Document(
        name="japanese-bold-then-text",
        source="**太字**の後、`code`と*斜体*です",
        see=("太字の後、codeと斜体です",),
        bold=("太字",),
        italic=("斜体",),
        code=("code",),
    ),
    Document(
        name="cjk-bold-with-code",
        source="请运行**`make`命令。**然后",
        see=("请运行make命令。然后",),
        bold=("命令",),
        code=("make",),
    ),
    Document(name="cjk-bold-with-latin", source="使用**API。**and more", see=("使用API。and more",), bold=("API",)),
    Document(
        name="cjk-url-then-stop",
        source="见 https://a.example/x。谢谢",
        see=("https://a.example/x", "谢谢"),
        links=(("https://a.example/x", "https://a.example/x"),),
    ),
    Document(
        name="cjk-link",
        source="请看[文档](https://a.example/文档)。",
        see=("请看文档。",),
        links=(("文档", "https://a.example/%E6%96%87%E6%A1%A3"),),
    ),
    Document(
        name="cjk-list",
        source="1. **第一：**开始\n2. **第二：**结束",
        see=("第一：开始", "第二：结束"),
        bold=("第一第二",),
        marks="1.2.",
    ),
    Document(
        name="cjk-heading",
        source="## **概要：**说明\n\n正文",
        see=("概要：说明", "正文"),
        bold=("概要",),
        headings=((2, "概要：说明"),),
    ),
    Document(name="cjk-quotes", source="他说**“你好”**，走了", see=("他说“你好”，走了",), bold=("你好",)),
    Document(name="cjk-two-bolds", source="**甲：**一，**乙：**二", see=("甲：一，乙：二",), bold=("甲乙",)),
    Document(name="thai-bold", source="นี่คือ**ตัวหนา**ครับ", see=("นี่คือตัวหนาครับ",), bold=("ตัวหนา",)),
)
