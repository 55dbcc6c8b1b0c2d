"""Reference programs that the room `score` is compared with.

Needs the packages of requirements.txt beside it, and installs nothing. Under Python 3.11 texts hold
any character; other Pythons know another Unicode than the normalizers are pinned to, so under them
random texts hold only letters and signs that are the same in both.

    score_oracle.py classes                  prints character_classes.tsv (Python 3.11)
    score_oracle.py lines COUNT SEED         prints random texts, one JSON string a line
    score_oracle.py characters               prints texts in which every code point occurs (3.11)
    score_oracle.py pairs COUNT SEED         prints random [reference, hypothesis], one a line
    score_oracle.py normalize ID < TEXTS     prints the normalized text of each line
    score_oracle.py fixture COUNT SEED       prints texts with their `whisper-en` form, tab between
    score_oracle.py score ID < PAIRS         prints jiwer's counts and rates of each pair, and of
                                             all pairs together in a last line
    score_oracle.py time < PAIRS             prints the seconds that jiwer takes for all pairs together
    score_oracle.py unicode                  prints whether this Python has the pinned Unicode
"""

import json
import random
import sys
import time
import unicodedata

# The Unicode that the normalizers are pinned to.
IS_PINNED_UNICODE = unicodedata.unidata_version == "14.0.0"


def normalizer(name):
    """Returns the function that the id of a normalizer stands for."""
    if name == "none":
        return lambda text: text
    if name == "basic":
        from whisper_normalizer.basic import BasicTextNormalizer

        return BasicTextNormalizer()
    from whisper_normalizer.english import EnglishTextNormalizer

    return EnglishTextNormalizer()


# Character classes


def character_class(code_point):
    """Returns the class that the normalizers need to know, or None for all other characters."""
    character = chr(code_point)
    category = unicodedata.category(character)
    if category == "Cn":
        return "unassigned"
    if category == "Nd":
        return "decimal"
    if character.isalnum():
        return "alphanumeric"
    if category == "Mn":
        return "nonspacing"
    return "symbol" if category[0] in "MSP" else None


def print_classes():
    """Prints ranges of equal class."""
    first, current = 0, character_class(0)
    for code_point in range(1, 0x110001):
        following = character_class(code_point) if code_point < 0x110000 else object()
        if following != current:
            if current is not None:
                print(f"{first:04x}\t{code_point - 1:04x}\t{current}")
            first, current = code_point, following


def print_characters():
    """Prints texts in which every code point stands beside letters, digits, marks and sigmas.

    Leaves out planes 4 to 13, which are empty, and the private ones behind plane 14.
    """
    for first in [*range(0, 0x40000, 16), *range(0xE0000, 0xE1000, 16)]:
        if not 0xD800 <= first < 0xE000:
            text = "".join(
                f"A{c}Σ {c}5{c},{c}1 mr{c} {c}'s ΑΣ{c} Σ{c}e\u0301\u0323{c}\u0301 five{c}six {c}.5 $0{c}12 can't{c} "
                for c in map(chr, range(first, first + 16))
            )
            print(json.dumps(text, ensure_ascii=False))


# Random texts

UNITS = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
SCALES = "hundred thousand million billion trillion quadrillion quintillion sextillion septillion octillion nonillion decillion".split()
ORDINALS = "zeroth first second third fourth fifth sixth seventh eighth ninth nineth tenth eleventh twelfth thirteenth nineteenth twentieth fortieth ninetieth".split()
PLURALS = [unit + "s" for unit in UNITS] + ["sixes"] + [ten[:-1] + "ies" for ten in TENS]
SCALED = [scale + end for scale in SCALES for end in ("s", "th")]
SPECIAL = "and and and double triple point point per percent cent cents dollar dollars pound pounds euro euros minus negative plus positive o oh zero a half".split()
PHRASES = [
    "and a half", "and  a half", "and a\thalf", "point five", "per cent", "per cents",
    "and seventy cents", "double oh seven", "triple one", "$2 and ¢7", "€3 ¢65", "£0.5", "$0x12",
    "$0 25", "point million", "minus minus five", "minus and", "dollars and", "hundred and",
    "one hundred and one", "nineteen ninety nine", "sand and a half", "o clock", "'s been",
    "half and", "and a halfway",
]  # fmt: skip
PREFIXES = ["$", "€", "£", "¢", "-", "+", ".", "%", "$$", "£-", "#", "₹"]
CONTRACTIONS = "won't can't let's ain't y'all i'ma ma'am wanna gotta gonna imma woulda coulda shoulda he'd she's been 'd gone done got they're n't isn't i'll we've i'm 'tis don't 't o'clock d'ye rock'n'roll 'em 's 'm cause kinda sorta dunno".split()
TITLES = "mr. mrs. mr mrs st st. dr dr. prof capt gov ald gen sen rep pres rev hon asst assoc lt col jr. sr esq Mr. Dr. ST. best_st mr_".split()
FILLERS = "hmm mm mhm mmm uh um umm Uh, UM".split()
BRITISH = "colour colours mobilisation cancelation organise analyse theatre flyer / flier accessorise yoghurt travelled grey centre".split()
PLAIN = "the quick brown fox I You said that was in of speech model recognition Straße naïve café Œuvre æther Łódź þorn ŞİİR ΟΔΟΣ ΣΑΣ ſ ﬁn ℂ Ⅳ x² ½ ①".split()
PUNCTUATION = list(".,;:!?'\"()[]<>{}-_%$¢€£/\\&@#*~`^|=+") + ["...", " - ", "' ", " '", "’", "“", "—", "()", "(x)", "[y]", "<z>", "[a>", "%%", "1,2,3", "1,234,567", "3.14", "10.0", "007", "1s", "1.5", "1.", ".5"]
SPACES = [" ", " ", " ", " ", " ", " ", "  ", "\t", "\n", "\u00a0", "\u3000", "\u2028", "\x1c", "\x1f", "\x85", "\u200b", "\r"]
SCRIPTS = list("٣٤٠९१𝟙𝟚๑๒３４") + ["e\u0301", "\u0301", "\u0345", "\u05bf", "क्षि", "กำ", "한국", "\u1112\u1161\u11ab", "\u11a7", "が", "カ\u3099", "\U0001f600", "\U0001fadf", "\ua7cb", "\u1fbe", "ǰ", "\u1e9e", "ﷺ", "\u2126", "\u212b", "\u0958", "\u0390", "\u1c89", "\U00010d50", "\U0001e5ee"]  # fmt: skip


def number(rng):
    """Returns a number in digits, perhaps with a fraction, a prefix or an ending."""
    text = str(rng.choice([rng.randrange(10), rng.randrange(100), rng.randrange(10**4), rng.randrange(10**12), 0, 1, 100, 2000]))
    if rng.random() < 0.3:
        text += rng.choice([".", ","]) + rng.choice(["0", "5", "00", "50", "05", "125", str(rng.randrange(1000))])
    if rng.random() < 0.3:
        text = rng.choice(PREFIXES) + text
    if rng.random() < 0.2:
        text += rng.choice(["st", "nd", "rd", "th", "s", "%", "km", "mm", "x", ".", "¢", "-"])
    return text


def character(rng):
    """Returns any character that UTF-8 can hold."""
    while True:
        limit = rng.choice([0x100, 0x600, 0x2100, 0x3100, 0x10000, 0x20000, 0x110000])
        code_point = rng.randrange(limit)
        if not 0xD800 <= code_point < 0xE000:
            return chr(code_point)


SOURCES = [
    (UNITS, 8), (TENS, 6), (SCALES, 6), (ORDINALS, 3), (PLURALS, 3), (SCALED, 2), (SPECIAL, 9),
    (PHRASES, 3), (PREFIXES, 1), (CONTRACTIONS, 3), (TITLES, 2), (FILLERS, 1), (BRITISH, 1),
    (PLAIN, 5), (PUNCTUATION, 3), (SCRIPTS, 1), (number, 6), (character, 1),
]  # fmt: skip
WEIGHTS = [weight for _, weight in SOURCES]


def line(rng):
    """Returns a random text that strains the normalizers."""
    while True:
        text = any_line(rng)
        if IS_PINNED_UNICODE or all(ord(one) < 0x250 or one in "’“—€₹" for one in text):
            return text


def any_line(rng):
    """Returns a random text of any characters."""
    weights = WEIGHTS
    if rng.random() < 0.3:
        weights = [weight * rng.choice([0, 0, 1, 5]) for weight in WEIGHTS]
        weights = weights if any(weights) else WEIGHTS
    glue = rng.choice([0.0, 0.05, 0.3])
    parts = []
    for source, _ in rng.choices(SOURCES, weights, k=rng.randrange(1, 14)):
        word = source(rng) if callable(source) else rng.choice(source)
        case = rng.random()
        word = word.upper() if case < 0.03 else word.capitalize() if case < 0.1 else word
        parts.append(word)
        if rng.random() >= glue:
            parts.append(rng.choice(SPACES) if rng.random() < 0.2 else " ")
    return "".join(parts)


def pair(rng):
    """Returns a reference and a hypothesis that is the reference with errors."""
    if rng.random() < 0.1:
        reference, hypothesis = line(rng), line(rng)
    else:
        vocabulary = rng.choice([PLAIN, UNITS + SPECIAL + CONTRACTIONS, list("ab"), list("abcde")])
        words = [rng.choice(vocabulary) for _ in range(rng.choice([0, 1, 3, 10, 30, 90]))]
        reference = " ".join(words)
        rate = rng.choice([0.0, 0.1, 0.3, 0.8])
        heard = []
        for word in words + [""]:
            while rng.random() < rate / 3:
                heard.append(rng.choice(vocabulary))
            if rng.random() >= rate / 3:
                heard.append(rng.choice(vocabulary) if rng.random() < rate / 3 else word)
        hypothesis = " ".join(heard)
    # jiwer splits at U+0020 only; Earmark splits at any white space.
    return [" ".join(reference.split()), " ".join(hypothesis.split())]


def rows():
    """Returns the values that stand on standard input, one JSON value a line."""
    return (json.loads(row) for row in sys.stdin)


def print_scores(name):
    """Prints jiwer's counts and rates of each pair, then of all pairs together."""
    import jiwer

    apply = normalizer(name)
    references, hypotheses = [], []
    for reference, hypothesis in rows():
        references.append(apply(reference))
        hypotheses.append(apply(hypothesis))
    each = [([one], [other]) for one, other in zip(references, hypotheses)]
    for one, other in [*each, (references, hypotheses)]:
        words = jiwer.process_words(one, other)
        characters = jiwer.process_characters(one, other)
        errors = characters.substitutions + characters.deletions + characters.insertions
        print(json.dumps({
            "errors": words.substitutions + words.deletions + words.insertions,
            "reference_words": words.hits + words.substitutions + words.deletions,
            "hypothesis_words": words.hits + words.substitutions + words.insertions,
            "hits": words.hits,
            "wer": words.wer, "mer": words.mer, "wil": words.wil, "wip": words.wip,
            "character_errors": errors,
            "cer": characters.cer,
        }))  # fmt: skip


def print_time():
    """Prints the seconds that jiwer takes for lists of all pairs, as its users call it."""
    import jiwer

    references, hypotheses = map(list, zip(*rows()))
    seconds = {}
    for name, process in (("words", jiwer.process_words), ("characters", jiwer.process_characters)):
        wall, cpu = time.perf_counter(), time.process_time()
        result = process(references, hypotheses)
        seconds[name] = {
            "wall": time.perf_counter() - wall,
            "cpu": time.process_time() - cpu,
            "errors": result.substitutions + result.deletions + result.insertions,
        }
    print(json.dumps(seconds))


def main(verb, *arguments):
    """Runs one of the verbs that the head of this file lists."""
    if verb == "classes":
        print_classes()
    elif verb == "characters":
        print_characters()
    elif verb in ("lines", "pairs", "fixture"):
        count, seed = map(int, arguments)
        rng = random.Random(seed)
        english = normalizer("whisper-en") if verb == "fixture" else None
        for _ in range(count):
            value = pair(rng) if verb == "pairs" else line(rng)
            row = json.dumps(value, ensure_ascii=False)
            print(f"{row}\t{json.dumps(english(value), ensure_ascii=False)}" if english else row)
    elif verb == "normalize":
        apply = normalizer(arguments[0])
        for text in rows():
            print(json.dumps(apply(text), ensure_ascii=False))
    elif verb == "score":
        print_scores(arguments[0])
    elif verb == "time":
        print_time()
    elif verb == "unicode":
        print(json.dumps(IS_PINNED_UNICODE))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    # json.dumps leaves U+2028 and U+0085 as they are; only line feeds may end a line here.
    sys.stdin.reconfigure(encoding="utf-8", newline="\n")
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    main(*sys.argv[1:] or ["help"])
