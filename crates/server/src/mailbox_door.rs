//! `GET /_/mail`, in `dev` alone: the letters that would have been sent. They hold what lets in,
//! so only this machine sees them, and no page of another origin.

use crate::door::Head;
use backstay_outbound::mailbox::Mailbox;
use backstay_rest::request::Response;
use bytes::Bytes;
use std::fmt::Write as _;

/// Where it stands.
pub(crate) const PATH: &str = "/_/mail";

/// The letters, the newest first: as JSON, or as a page of text for who asks for `text/…`. None where
/// there is nothing to see.
pub(crate) fn answer(mailbox: Option<&Mailbox>, head: &Head<'_>) -> Option<Response> {
    let mailbox = mailbox.filter(|_| head.path == PATH && head.method == "GET" && from_here(head))?;
    let letters = mailbox.letters();
    let page = head.header("accept").is_some_and(|accept| accept.contains("text/"));
    let (kind, body) = if page {
        let mut text = String::from("Mail of this run, the newest first\n");
        for letter in &letters {
            let rule = "-".repeat(72);
            let _ =
                write!(text, "\n{rule}\nTo: {}\nSubject: {}\n\n{}", letter.to, letter.subject, letter.text);
        }
        ("text/plain; charset=utf-8", text.into_bytes())
    } else {
        ("application/json", serde_json::to_vec(&letters).ok()?)
    };
    let headers = vec![
        ("Content-Type", kind.to_owned()),
        ("Cache-Control", "no-store".to_owned()),
        ("X-Content-Type-Options", "nosniff".to_owned()),
        ("Cross-Origin-Resource-Policy", "same-origin".to_owned()),
    ];
    Some(Response { status: 200, headers, body: Bytes::from(body) })
}

/// From this machine, under a name of this machine (a page that rebinds its own name to it does not pass),
/// and from no page of another origin.
fn from_here(head: &Head<'_>) -> bool {
    let host = head.header("host").unwrap_or_default();
    let own = ["localhost", "127.0.0.1", "[::1]"];
    let named = own
        .iter()
        .any(|own| host.strip_prefix(own).is_some_and(|port| port.is_empty() || port.starts_with(':')));
    head.ip.is_loopback() && named && head.header("origin").is_none()
}

#[cfg(test)]
mod tests {
    use super::answer;
    use crate::door::Head;
    use backstay_base::clock::Clock;
    use backstay_base::ids::Ids;
    use backstay_outbound::mail::Letter;
    use backstay_outbound::mailbox::Mailbox;
    use http::HeaderMap;

    fn status(
        mailbox: Option<&Mailbox>,
        line: (&str, &str),
        headers: &[(&'static str, &str)],
        ip: &str,
    ) -> u16 {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        let (method, path) = line;
        let head = Head { method, path, query: None, headers: &map, id: "1", ip: ip.parse().unwrap() };
        answer(mailbox, &head).map_or(404, |response| {
            assert!(response.body.windows(6).any(|six| six == b"123456"));
            response.status
        })
    }

    #[test]
    fn only_this_machine_sees_the_mail() {
        let folder = tempfile::tempdir().unwrap();
        let mailbox = Mailbox::open(folder.path(), 9, Ids::seeded(Clock::fixed(0), 1)).unwrap();
        let [to, subject, text] = ["a@b.cd", "Hello", "123456\n"].map(str::to_owned);
        mailbox.keep(Letter { to, subject, text }).unwrap();
        let (get, own) = (("GET", "/_/mail"), ("host", "localhost:8000"));
        for host in ["localhost:8000", "127.0.0.1:8000", "127.0.0.1", "[::1]:8000"] {
            assert_eq!(status(Some(&mailbox), get, &[("host", host)], "127.0.0.1"), 200, "{host}");
        }
        assert_eq!(status(Some(&mailbox), get, &[own, ("accept", "text/html")], "::1"), 200);
        for host in ["", "evil.test", "localhost.evil.test", "127.0.0.1.evil.test", "evil.test:127.0.0.1"] {
            assert_eq!(status(Some(&mailbox), get, &[("host", host)], "127.0.0.1"), 404, "{host}");
        }
        assert_eq!(status(Some(&mailbox), get, &[], "127.0.0.1"), 404);
        assert_eq!(status(Some(&mailbox), get, &[own], "192.168.0.7"), 404);
        assert_eq!(status(Some(&mailbox), get, &[own, ("origin", "https://evil.test")], "127.0.0.1"), 404);
        assert_eq!(status(Some(&mailbox), ("POST", "/_/mail"), &[own], "127.0.0.1"), 404);
        assert_eq!(status(Some(&mailbox), ("GET", "/_/mail/"), &[own], "127.0.0.1"), 404);
        assert_eq!(status(None, get, &[own], "127.0.0.1"), 404);
    }
}
