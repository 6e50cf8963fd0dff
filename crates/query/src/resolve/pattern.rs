//! Patterns of requests (`match`, `imatch`): what no database answers alike, or only at a high
//! price, is refused before one sees it. A pattern enters, the same with its flags leaves, in the
//! words of the engine that defines them (crate `regex`).

use super::within;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_base::limit::Limits;
use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// Largest compiled pattern, in bytes: the engine's own bound, said here so that it stays.
const COMPILED_BYTES: usize = 10 << 20;

/// Highest bound of a repetition that every database takes.
const MOST_REPEATS: u32 = 255;

/// Steps of a boundary of Unicode words: four times the letters.
const WORD_STEPS: usize = 3_000;

/// The pattern as rules have theirs. As in PostgreSQL a dot takes line ends too.
pub(super) fn checked(pattern: &str, ignore_case: bool, limits: &Limits) -> Result<String, Fault> {
    within(pattern.len(), limits.pattern_bytes, "bytes of a pattern")?;
    let flagged = [if ignore_case { "(?si)" } else { "(?s)" }, pattern].concat();
    let hir = regex_syntax::Parser::new().parse(&flagged).map_err(|error| invalid(&error.to_string()))?;
    let steps = steps(&hir)?;
    within(steps, limits.pattern_steps, "steps of a pattern")?;
    regex::RegexBuilder::new(&flagged)
        .size_limit(COMPILED_BYTES)
        .build()
        .map_err(|error| invalid(&error.to_string()))?;
    Ok(flagged)
}

/// How long a pattern is when everything that it abbreviates is written out.
fn steps(hir: &Hir) -> Result<usize, Fault> {
    Ok(match hir.kind() {
        HirKind::Empty => 1,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(Class::Unicode(class)) => class.ranges().len(),
        HirKind::Class(Class::Bytes(class)) => class.ranges().len(),
        HirKind::Look(look) => look_steps(*look)?,
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(repetition.min.saturating_add(1));
            if most.max(repetition.min) > MOST_REPEATS {
                return Err(invalid("a repetition is bounded by at most 255"));
            }
            steps(&repetition.sub)?.saturating_mul(most.max(1) as usize)
        }
        HirKind::Capture(capture) => steps(&capture.sub)?,
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().try_fold(0_usize, |sum, part| Ok(sum.saturating_add(steps(part)?)))?
        }
    })
}

fn look_steps(look: Look) -> Result<usize, Fault> {
    match look {
        Look::Start | Look::End | Look::StartLF | Look::EndLF => Ok(1),
        Look::WordAscii | Look::WordAsciiNegate => Ok(16),
        Look::WordUnicode | Look::WordUnicodeNegate => Ok(WORD_STEPS),
        _ => Err(invalid("this kind of boundary is not available")),
    }
}

fn invalid(reason: &str) -> Fault {
    let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
    Fault::new(code::INVALID_REGEX, format!("invalid regular expression: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::checked;
    use backstay_base::limit::Limits;

    #[test]
    fn cheap_patterns_pass() {
        let pass =
            |pattern: &str| checked(pattern, false, &Limits::default()).map_err(|fault| fault.code.text);
        assert_eq!(pass("^a.*b$"), Ok("(?s)^a.*b$".to_owned()));
        assert_eq!(pass("\\w+@\\w+\\.\\w{2}").map(|_| ()), Ok(()));
        assert_eq!(pass("[[:alpha:]]|\\bx\\b").map(|_| ()), Ok(()));
        for bad in ["(", "a{2,1}", "\\1", "(?=a)", "(?<!a)b", "a{256}", "a{1000}", "\\y", "\\b{start-half}a"]
        {
            assert_eq!(pass(bad), Err("2201B"), "{bad}");
        }
        for dear in ["((a{50}){50}){50}", "\\w{100}", "(\\w\\b){4}", &"a".repeat(257)] {
            assert_eq!(pass(dear), Err("54001"), "{dear}");
        }
        assert_eq!(checked("K", true, &Limits::default()).unwrap(), "(?si)K");
    }
}
