//! table: letters without case and accents, and what parts words. Fixed here, so that it is the same on
//! every engine and in every version of them.

use std::collections::HashMap;
use std::sync::LazyLock;
use unicode_normalization::UnicodeNormalization;

/// What parts words: what is neither letter nor digit in ASCII and Latin-1, punctuation, signs and pictures.
pub const SEPARATORS: &[(u32, u32)] = &[
    (0x1, 0x2f),
    (0x3a, 0x40),
    (0x5b, 0x60),
    (0x7b, 0xa9),
    (0xab, 0xb4),
    (0xb6, 0xb9),
    (0xbb, 0xbf),
    (0xd7, 0xd7),
    (0xf7, 0xf7),
    (0x37e, 0x37e),
    (0x387, 0x387),
    (0x55a, 0x55f),
    (0x589, 0x58a),
    (0x5be, 0x5be),
    (0x5c0, 0x5c0),
    (0x5c3, 0x5c3),
    (0x5f3, 0x5f4),
    (0x60c, 0x60d),
    (0x61b, 0x61f),
    (0x66a, 0x66d),
    (0x6d4, 0x6d4),
    (0x964, 0x965),
    (0x2000, 0x200b),
    (0x200e, 0x206f),
    (0x20a0, 0x20cf),
    (0x2190, 0x2bff),
    (0x2e00, 0x2e7f),
    (0x3000, 0x3004),
    (0x3008, 0x3020),
    (0x3030, 0x3030),
    (0xfe00, 0xfe1f),
    (0xfe30, 0xfe6f),
    (0xfeff, 0xff0f),
    (0xff1a, 0xff20),
    (0xff3b, 0xff40),
    (0xff5b, 0xff65),
    (0xffe0, 0xffff),
    (0x1f000, 0x1faff),
];

/// Accents that stand after their letter.
pub const MARKS: &str = "\\x{300}-\\x{36f}";

/// Letters that have a case or an accent stand in these.
const LETTERS: &[(u32, u32)] = &[
    (0x41, 0x58f),
    (0x10a0, 0x10ff),
    (0x13a0, 0x13ff),
    (0x1c80, 0x1fff),
    (0x2c00, 0x2dff),
    (0xa640, 0xa7ff),
    (0xab30, 0xabbf),
    (0xff21, 0xff5a),
    (0x10400, 0x104ff),
];

/// Whether a character parts words.
#[must_use]
pub fn is_separator(c: char) -> bool {
    SEPARATORS.iter().any(|(first, last)| (*first..=*last).contains(&u32::from(c))) || c == '\0'
}

const fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// The letter without case and accent; none for an accent alone.
#[must_use]
pub fn fold(c: char) -> Option<char> {
    if is_mark(c) {
        return None;
    }
    let one = |mut chars: Box<dyn Iterator<Item = char>>| {
        let first = chars.next();
        first.filter(|_| chars.next().is_none())
    };
    let base = one(Box::new(c.nfd().filter(|c| !is_mark(*c)))).unwrap_or(c);
    let large = one(Box::new(base.to_uppercase())).unwrap_or(base);
    Some(one(Box::new(large.to_lowercase())).unwrap_or(large))
}

static OTHERS: LazyLock<HashMap<char, Vec<char>>> = LazyLock::new(|| {
    let mut others: HashMap<char, Vec<char>> = HashMap::new();
    for (c, folded) in forms() {
        others.entry(folded).or_default().push(c);
    }
    others
});

/// Every letter that is not as it is compared, with the one that it is compared as.
pub fn forms() -> impl Iterator<Item = (char, char)> {
    let all = LETTERS.iter().flat_map(|(first, last)| *first..=*last).filter_map(char::from_u32);
    all.filter_map(|c| fold(c).filter(|folded| *folded != c).map(|folded| (c, folded)))
}

/// Letters and digits that every database takes for a part of a word, and no other kind of sign. An index of words
/// is asked for words of these alone.
const INDEXED: &[(u32, u32)] = &[
    (0x30, 0x39),
    (0x61, 0x7a),
    (0xaa, 0xaa),
    (0xb5, 0xb5),
    (0xba, 0xba),
    (0xdf, 0xf6),
    (0xf8, 0x2af),
    (0x386, 0x386),
    (0x388, 0x3f5),
    (0x3f7, 0x481),
    (0x48a, 0x523),
    (0x561, 0x587),
    (0x5d0, 0x5ea),
    (0x620, 0x64a),
    (0x660, 0x669),
    (0x671, 0x6d3),
    (0x904, 0x939),
    (0xe01, 0xe30),
    (0x10d0, 0x10fa),
    (0x3041, 0x3096),
    (0x30a1, 0x30fa),
    (0x3105, 0x312d),
    (0x3400, 0x4db5),
    (0x4e00, 0x9fcc),
    (0xac00, 0xd7a3),
];

/// Most letters of a word that an index keeps.
pub const INDEXED_LETTERS: usize = 64;

/// Whether an index of words may be asked for words with this letter.
#[must_use]
pub fn is_indexed(letter: char) -> bool {
    INDEXED.iter().any(|(first, last)| (*first..=*last).contains(&u32::from(letter)))
}

/// The letters that are this one but for case and accents.
#[must_use]
pub fn others(letter: char) -> &'static [char] {
    OTHERS.get(&letter).map(Vec::as_slice).unwrap_or_default()
}

static CLASS: LazyLock<String> = LazyLock::new(|| {
    let ranges = SEPARATORS.iter().map(|(first, last)| format!("\\x{{{first:x}}}-\\x{{{last:x}}}"));
    ranges.collect()
});

/// The inside of the class of separators.
#[must_use]
pub fn separators() -> &'static str {
    &CLASS
}
