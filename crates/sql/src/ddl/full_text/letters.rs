//! table: what databases do not know of letters and separators as `backstay_query::folding` has them. Held against the
//! databases by tests.

use backstay_query::folding::{SEPARATORS, forms, is_separator};

/// Common letters that SQLite or MariaDB take for letters of their own.
const SPELLED: &str = "ıΆάΈέΉήΊίΐΪϊΌόΎύΰΫϋΏώЀЁѐёЃѓЇїЌќЍЙѝйЎў";

/// Rare letters that they do, and accents that SQLite does not know: who has one of them may have any word.
const RARE: &[(u32, u32)] = &[
    (0x1e0, 0x1e3),
    (0x1ee, 0x1ef),
    (0x1fc, 0x1ff),
    (0x374, 0x374),
    (0x37f, 0x37f),
    (0x3d3, 0x3d4),
    (0x476, 0x477),
    (0x4c1, 0x4c2),
    (0x4d0, 0x4d3),
    (0x4d6, 0x4d7),
    (0x4da, 0x4df),
    (0x4e2, 0x4e7),
    (0x4ea, 0x4f5),
    (0x4f8, 0x4f9),
    (0x526, 0x52f),
    (0x10c7, 0x10c7),
    (0x10cd, 0x10cd),
    (0x13a0, 0x13ff),
    (0x1c80, 0x1cbf),
    (0x1f00, 0x1f15),
    (0x1f18, 0x1f1d),
    (0x1f20, 0x1f45),
    (0x1f48, 0x1f4d),
    (0x1f50, 0x1f7d),
    (0x1f80, 0x1fbc),
    (0x1fc2, 0x1fcc),
    (0x1fd0, 0x1fd3),
    (0x1fd6, 0x1fdb),
    (0x1fe0, 0x1fec),
    (0x1ff2, 0x1ffc),
    (0x2c2f, 0x2c2f),
    (0x2cf2, 0x2cf2),
    (0xa640, 0xa7ff),
    (0x104b0, 0x104d7),
    (0x305, 0x305),
    (0x30d, 0x30e),
    (0x310, 0x310),
    (0x312, 0x31a),
    (0x31c, 0x322),
    (0x329, 0x32c),
    (0x32f, 0x32f),
    (0x332, 0x36f),
];

/// Separators that are newer than the letters which SQLite knows, and count as such.
const JOINING: &[(u32, u32)] = &[
    (0x61c, 0x61d),
    (0x2065, 0x2069),
    (0x20ba, 0x20cf),
    (0x23f4, 0x23ff),
    (0x2427, 0x243f),
    (0x244b, 0x245f),
    (0x2700, 0x2700),
    (0x2b4d, 0x2b4f),
    (0x2b5a, 0x2bff),
    (0x2e2f, 0x2e2f),
    (0x2e3c, 0x2e7f),
    (0xfe1a, 0xfe1f),
    (0xfe53, 0xfe53),
    (0xfe67, 0xfe6f),
    (0xff00, 0xff00),
    (0xffe7, 0xffe7),
    (0xffef, 0xfff8),
    (0x1f02c, 0x1f02f),
    (0x1f094, 0x1f09f),
    (0x1f0af, 0x1f0b0),
    (0x1f0bf, 0x1f0c0),
    (0x1f0d0, 0x1f0d0),
    (0x1f0e0, 0x1f0ff),
    (0x1f10b, 0x1f10f),
    (0x1f12f, 0x1f12f),
    (0x1f16c, 0x1f16f),
    (0x1f19b, 0x1f1e5),
    (0x1f203, 0x1f20f),
    (0x1f23b, 0x1f23f),
    (0x1f249, 0x1f2ff),
    (0x1f321, 0x1f32f),
    (0x1f336, 0x1f336),
    (0x1f37d, 0x1f37f),
    (0x1f394, 0x1f39f),
    (0x1f3c5, 0x1f3df),
    (0x1f3f1, 0x1f3ff),
    (0x1f43f, 0x1f441),
    (0x1f4f8, 0x1f4ff),
    (0x1f53e, 0x1f54f),
    (0x1f568, 0x1f5fa),
    (0x1f641, 0x1f644),
    (0x1f650, 0x1f67f),
    (0x1f6c6, 0x1f6ff),
    (0x1f774, 0x1faff),
];

/// Letters without case and accent that are common: a text is looked through faster when they are found first.
const COMMON: &str =
    " etaoinshrdlucmfwypvbgkjqxz0123456789оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъёαοιετσνηυρπκμλωςθγδχφβξζψ";

/// Ranges of characters.
pub(super) type Ranges = Vec<(char, char)>;

fn chars(ranges: &[(u32, u32)]) -> Ranges {
    ranges.iter().filter_map(|(a, b)| Some((char::from_u32(*a)?, char::from_u32(*b)?))).collect()
}

/// Letters with those that they are compared as; some signs are compared as separators, and are in no word of an index.
fn letters() -> impl Iterator<Item = (char, char)> {
    forms().filter(|(_, letter)| !is_separator(*letter))
}

/// Common letters that are written as they are compared, with these.
pub(super) fn spelled() -> Vec<(char, char)> {
    forms().filter(|(letter, _)| SPELLED.contains(*letter)).collect()
}

/// Letters and accents with which a text may have any word.
pub(super) fn rare() -> Ranges {
    chars(RARE)
}

/// Separators that have to be named.
pub(super) fn joining() -> Ranges {
    chars(JOINING)
}

/// All separators.
pub(super) fn separators() -> Ranges {
    chars(SEPARATORS)
}

/// Letters, and at the same places those that they are compared as; accents, which are nothing, come last.
pub(super) fn translated() -> (String, String) {
    let folded = |c: char| forms().find(|(form, _)| *form == c).map_or(c, |(_, to)| to);
    let (mut from, mut to) = (String::new(), String::new());
    for (letter, as_) in COMMON.chars().map(|c| (c, folded(c))) {
        from.push(letter);
        to.push(as_);
    }
    for (letter, as_) in letters().filter(|(letter, _)| !COMMON.contains(*letter)) {
        from.push(letter);
        to.push(as_);
    }
    from.extend('\u{300}'..='\u{36f}');
    (from, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What indexes that stand have been made with. Where this fails, `VERSION` has to be another one, too.
    #[test]
    fn letters_and_separators_are_those_of_the_version() {
        let letters = forms().flat_map(|(form, letter)| [u32::from(form), u32::from(letter)]);
        let separators = SEPARATORS.iter().flat_map(|(first, last)| [*first, *last]);
        let mixed = letters.chain(separators).fold(0xcbf2_9ce4_8422_2325_u64, |hash, number| {
            (hash ^ u64::from(number)).wrapping_mul(0x0100_0000_01b3)
        });
        assert_eq!((super::super::VERSION, mixed), ("1", 6_073_786_497_072_763_267));
    }

    #[test]
    fn nothing_in_a_definition_ends_a_text() {
        let (from, to) = translated();
        assert_eq!(from.chars().count(), to.chars().count() + 112);
        let all = joining().into_iter().chain(rare()).flat_map(|(first, last)| first..=last);
        assert!(!from.chars().chain(to.chars()).chain(all).any(|c| "'\"`\\[]-".contains(c)));
    }
}
