"""
Classifying Chinese text
========================

With ``analyzer="char"``, the features are n-grams of characters, since Chinese does not separate
words. Words from jieba can be used too. Here the answer 好的 ("all right") means whatever was
asked before.
"""

# %%
# Synthetic conversations with customer service
# ---------------------------------------------
#
# The corpus is made up from the sentences below. It shows how it is done, and measures nothing
# about real talks. An agent asks, a customer agrees or not, and what was agreed to stands in the
# turn before.

import jieba
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib import font_manager
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer

OFFERS = {
    "退货": ["您是想把{thing}退回来吗?", "帮您办理{thing}的退货可以吗?", "需要上门取回{thing}吗?"],
    "换货": [
        "给您换一件新的{thing}好吗?",
        "需要换个颜色的{thing}吗?",
        "{thing}换成大一号的可以吗?",
    ],
    "催单": [
        "您是问{thing}什么时候到吗?",
        "我帮您催一下{thing}的快递好吗?",
        "需要查{thing}的物流吗?",
    ],
    "开票": ["{thing}需要开发票吗?", "{thing}的发票抬头是公司名称吗?", "电子发票发到您邮箱可以吗?"],
}
GREETINGS = ["你好,在吗?", "您好", "有人吗?我有个问题", "你好,我买的{thing}有点事"]
ANSWERS = ["好的", "可以", "是的", "对的,麻烦您了", "行,就这样吧", "嗯嗯", "好,谢谢"]
REFUSALS = ["不用了", "不是这个意思", "先不要", "不需要,谢谢", "算了吧"]
CLOSINGS = ["没有别的了,再见", "谢谢你,再见", "好的,祝您工作顺利"]
THINGS = ["外套", "手机壳", "耳机", "运动鞋", "台灯", "背包", "键盘", "水杯"]
ENGLISH = {
    "退货": "return", "换货": "exchange", "催单": "delivery", "开票": "invoice",
    "问候": "greeting", "询问": "question", "拒绝": "refusal", "告别": "closing",
}  # fmt: skip


def make_talk(group, rng):
    """Return the (group, speaker, text, label) rows of one talk."""
    thing = rng.choice(THINGS)
    rows = [(group, "顾客", rng.choice(GREETINGS), "问候")]
    for label in rng.permutation(list(OFFERS))[: rng.integers(2, 5)]:
        rows.append((group, "客服", rng.choice(OFFERS[label]), "询问"))
        agrees = rng.random() < 0.7
        answer = rng.choice(ANSWERS if agrees else REFUSALS)
        rows.append((group, "顾客", answer, label if agrees else "拒绝"))
    rows.append((group, "顾客", rng.choice(CLOSINGS), "告别"))
    return [(talk, who, text.format(thing=thing), label) for talk, who, text, label in rows]


rng = np.random.default_rng(0)
talks = [row for group in range(260) for row in make_talk(group, rng)]
talks = pd.DataFrame(talks, columns=["talk", "speaker", "text", "label"])
train, test = talks[talks["talk"] < 200], talks[talks["talk"] >= 200]
test.head(8)

# %%
# N-grams of characters, or of words from jieba
# ---------------------------------------------

# jieba.lcut is bound to an object that scikit-learn cannot copy; a function of our own it can.
jieba.setLogLevel("ERROR")


def cut(text):
    """Return the words of a text."""
    return jieba.lcut(text)


characters = TextSequenceVectorizer(analyzer="char", ngram_range=(1, 3))
words = TfidfVectorizer(tokenizer=cut, token_pattern=None)
columns = ["text", "talk", "speaker"]
roles = {"text_column": "text", "group_column": "talk", "speaker_column": "speaker"}
regression = make_pipeline(
    TfidfVectorizer(analyzer="char", ngram_range=(1, 3)), LogisticRegression(C=10)
)
memory = ContextMemoryClassifier(characters, **roles, random_state=0)
with_words = ContextMemoryClassifier(words, **roles, random_state=0)

X_train, X_test, y_train, y_test = train[columns], test[columns], train["label"], test["label"]
regression.fit(X_train["text"], y_train)
predicted = {
    "logistic regression, characters": regression.predict(X_test["text"]),
    "with memory, characters": memory.fit(X_train, y_train).predict(X_test),
    "with memory, words of jieba": with_words.fit(X_train, y_train).predict(X_test),
}
agreed = y_test.isin(list(OFFERS))
right = pd.DataFrame({name: labels == y_test for name, labels in predicted.items()})
pd.DataFrame({"all turns": right.mean(), "agreements": right[agreed].mean()}).round(3)

# %%
# One conversation
# ----------------
#
# A picture needs a font that has the characters. The code takes the first that is installed, and
# labels in English where there is none.

FONTS = ("NotoSansCJK", "SourceHanSans", "wqy-", "msyh", "PingFang", "simhei")


def find_font():
    """Make a font with Chinese characters known, and return its name, or None."""
    paths = [p for p in font_manager.findSystemFonts() if any(name in p for name in FONTS)]
    for path in sorted(paths, key=lambda path: ("Regular" not in path, path))[:1]:
        font_manager.fontManager.addfont(path)
        return font_manager.FontProperties(fname=path).get_name()


font = find_font()
agreements = test[agreed].groupby("talk").size()
talk = test[test["talk"] == agreements.idxmax()]
probabilities = pd.DataFrame(memory.predict_proba(talk[columns]), columns=memory.classes_)
probabilities = probabilities[["问候", "询问", *OFFERS, "拒绝", "告别"]]
if font:
    turns = [f"{who}  {text}" for who, text in zip(talk["speaker"], talk["text"], strict=True)]
    classes = [f"{label}\n{ENGLISH[label]}" for label in probabilities]
else:
    turns = [f"turn {number}" for number in range(len(talk))]
    classes = [ENGLISH[label] for label in probabilities]

with plt.rc_context({"font.family": [font] if font else ["sans-serif"], "font.size": 11}):
    figure, axes = plt.subplots(figsize=(9.5, 5.2), layout="constrained")
    axes.imshow(probabilities, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(classes)), classes)
    axes.set_yticks(range(len(turns)), turns)
    axes.xaxis.tick_top()
    places = [list(probabilities).index(label) for label in talk["label"]]
    axes.scatter(places, range(len(talk)), s=60, facecolor="none", edgecolor="#d95f0e", linewidth=2)
    axes.set_xlabel("probability: the darker the more. Circles: the true class")
    figure.canvas.draw()
plt.show()
