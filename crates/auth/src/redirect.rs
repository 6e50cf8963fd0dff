//! Where links in mail may lead: the site itself, and what the configuration allows. Anything else
//! leads to the site, so that no link of this server hands a session to a stranger.

use url::Url;

/// Schemes that run or show what stands in the address.
const NEVER: &[&str] =
    &["javascript", "data", "vbscript", "file", "blob", "about", "view-source", "filesystem"];

/// Where a link leads: `wanted` where it is allowed, else the site.
#[must_use]
pub fn target(wanted: Option<&str>, site_url: &str, allowed: &[String]) -> String {
    wanted.and_then(|wanted| admitted(wanted, site_url, allowed)).unwrap_or_else(|| site_url.to_owned())
}

fn admitted(wanted: &str, site_url: &str, allowed: &[String]) -> Option<String> {
    // browsers drop or turn these around; nobody needs them
    if wanted.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return None;
    }
    let url = Url::parse(wanted).ok()?;
    if NEVER.contains(&url.scheme()) || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    let site = Url::parse(site_url).ok();
    let same = site.is_some_and(|site| site.origin().is_tuple() && site.origin() == url.origin());
    let mut bare = url.clone();
    bare.set_fragment(None);
    let text = bare.as_str();
    let listed = |pattern: &String| {
        matches(pattern.as_bytes(), text.as_bytes())
            || text.strip_suffix('/').is_some_and(|text| matches(pattern.as_bytes(), text.as_bytes()))
    };
    // what the answer carries stands after the `#`
    (same || allowed.iter().any(listed)).then(|| bare.into())
}

/// `*` is any run without `.` and `/`; `**` any run.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let mut live = vec![false; text.len() + 1];
    if let Some(first) = live.first_mut() {
        *first = true;
    }
    let mut rest = pattern;
    while let Some((byte, after)) = rest.split_first() {
        let (any, wild, after) = match (byte, after.split_first()) {
            (b'*', Some((b'*', after))) => (true, true, after),
            (b'*', _) => (false, true, after),
            _ => (false, false, after),
        };
        let mut next = vec![false; text.len() + 1];
        let mut run = false;
        for (at, reached) in live.iter().enumerate() {
            if wild {
                run |= *reached;
                if let Some(slot) = next.get_mut(at) {
                    *slot = run;
                }
                run &= any || text.get(at).is_some_and(|b| !b"./".contains(b));
            } else if *reached
                && text.get(at) == Some(byte)
                && let Some(slot) = next.get_mut(at + 1)
            {
                *slot = true;
            }
        }
        live = next;
        rest = after;
    }
    live.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::target;

    const SITE: &str = "https://shop.test/app";

    fn of(wanted: &str, allowed: &[&str]) -> String {
        let allowed: Vec<String> = allowed.iter().map(|&one| one.to_owned()).collect();
        target(Some(wanted), SITE, &allowed)
    }

    #[test]
    fn the_site_and_what_is_listed() {
        assert_eq!(target(None, SITE, &[]), SITE);
        for (wanted, allowed) in [
            ("https://shop.test/welcome?a=b", &[][..]),
            ("https://other.test/in", &["https://other.test/in"]),
            ("https://other.test/", &["https://other.test"]),
            ("https://pr-7.preview.test/a", &["https://*.preview.test/*"]),
            ("https://pr-7.preview.test/a/b.c", &["https://*.preview.test/**"]),
            ("http://localhost:5173/", &["http://localhost:*"]),
            ("myapp://signed-in", &["myapp://signed-in"]),
            ("com.example.app://in", &["com.example.app://**"]),
        ] {
            assert_eq!(of(wanted, allowed), wanted, "{allowed:?}");
        }
        // what the answer carries replaces a fragment
        assert_eq!(of("https://shop.test/welcome#x", &[]), "https://shop.test/welcome");
    }

    #[test]
    fn everything_else_leads_to_the_site() {
        let open = &["https://*.preview.test/*", "http://localhost:*", "https://shop.test/**", "**"][..3];
        for wanted in [
            "",
            "/welcome",
            "//evil.test",
            "https://evil.test",
            "https://shop.test.evil.test/",
            "https://shop.test@evil.test/",
            "https://evil.test\\@shop.test/",
            "https://evil.test/.preview.test/x",
            "https://evil.test?.preview.test/x",
            "https://evil.test#.preview.test/x",
            "https://a.b.preview.test/x",
            "https://a@b.preview.test/x",
            "http://shop.test/app",
            "https://shop.test:8443/app",
            "http://localhost:80@evil.test/",
            "https://shop.test/\r\nSet-Cookie: a=b",
            "https://shop.test/ x",
            "javascript:alert(1)//https://shop.test",
            "JaVaScRiPt:alert(1)",
            "java\nscript:alert(1)",
            "data:text/html,<script>",
            "vbscript:x",
            "file:///etc/passwd",
            "blob:https://shop.test/x",
        ] {
            assert_eq!(of(wanted, open), SITE, "{wanted}");
        }
        // not even where everything is allowed
        for wanted in ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "https://a:b@shop.test/"] {
            assert_eq!(of(wanted, &["**"]), SITE, "{wanted}");
        }
    }

    #[test]
    fn a_long_pattern_takes_no_long_time() {
        let pattern = format!("https://x.test/{}", "*a".repeat(200));
        let wanted = format!("https://x.test/{}", "a".repeat(2000));
        assert_eq!(of(&wanted, &[&pattern]), wanted);
        assert_eq!(of(&format!("{wanted}b"), &[&pattern]), SITE);
    }
}
