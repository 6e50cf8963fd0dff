//! Whose address a request bears: the peer's, or what a trusted proxy says of it. Only what
//! trusted proxies added is believed: the list is read from its end, and the first address that is
//! none of theirs is the client's.

use http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// The header in which proxies tell whom they speak for. One alone: what the proxy does not
/// write, a client may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProxyHeader {
    /// `X-Forwarded-For: 203.0.113.7, 10.0.0.2`
    #[default]
    XForwardedFor,
    /// RFC 7239: `Forwarded: for=203.0.113.7;proto=https, for="[2001:db8::1]:443"`
    Forwarded,
}

/// Proxies that are believed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proxies {
    /// Where they are. None: nobody is believed.
    pub trusted: Vec<IpNet>,
    /// What they write.
    pub header: ProxyHeader,
}

impl Proxies {
    /// The address of the client.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut nearest = peer.to_canonical();
        if !self.trusts(nearest) {
            return nearest;
        }
        let name = match self.header {
            ProxyHeader::XForwardedFor => "x-forwarded-for",
            ProxyHeader::Forwarded => "forwarded",
        };
        for line in headers.get_all(name).iter().rev() {
            // what is no text was not written by a proxy that is to be believed
            let Ok(line) = line.to_str() else { return nearest };
            for element in line.rsplit(',') {
                let said = match self.header {
                    ProxyHeader::XForwardedFor => address(element.trim()),
                    ProxyHeader::Forwarded => forwarded_for(element),
                };
                let Some(said) = said else { return nearest };
                nearest = said;
                if !self.trusts(nearest) {
                    return nearest;
                }
            }
        }
        nearest
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|net| net.contains(&address))
    }
}

/// `for=` of one element; none where it is hidden (`unknown`, `_name`), there twice or not at all.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut found = None;
    for pair in element.split(';') {
        let Some((name, value)) = pair.split_once('=') else { continue };
        if name.trim().eq_ignore_ascii_case("for") {
            if found.is_some() {
                return None;
            }
            let value = value.trim();
            let bare = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
            found = Some(address(bare)?);
        }
    }
    found
}

/// An address, with or without a port; IPv6 in brackets or bare.
fn address(text: &str) -> Option<IpAddr> {
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let bare = bracketed.unwrap_or(text).parse::<IpAddr>().ok();
    let address = bare.or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::{Proxies, ProxyHeader};
    use http::{HeaderMap, HeaderName, HeaderValue};

    const PROXY: &str = "10.0.0.1";

    fn client(header: ProxyHeader, peer: &str, lines: &[(&'static str, &str)]) -> String {
        let trusted = ["10.0.0.0/8", "2001:db8:1::/48"].map(|net| net.parse().unwrap()).to_vec();
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        Proxies { trusted, header }.client(peer.parse().unwrap(), &headers).to_string()
    }

    fn listed(peer: &str, lines: &[&str]) -> String {
        let lines: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
        client(ProxyHeader::XForwardedFor, peer, &lines)
    }

    fn forwarded(lines: &[&str]) -> String {
        let lines: Vec<_> = lines.iter().map(|line| ("forwarded", *line)).collect();
        client(ProxyHeader::Forwarded, PROXY, &lines)
    }

    #[test]
    fn nobody_else_is_believed() {
        assert_eq!(listed("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(listed("203.0.113.9", &["10.0.0.2"]), "203.0.113.9");
        assert_eq!(listed("11.0.0.1", &["198.51.100.1"]), "11.0.0.1");
        let none = Proxies::default();
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("198.51.100.1"));
        assert_eq!(none.client("127.0.0.1".parse().unwrap(), &headers).to_string(), "127.0.0.1");
    }

    #[test]
    fn the_first_from_the_end_that_is_no_proxy_is_the_client() {
        assert_eq!(listed(PROXY, &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(listed(PROXY, &["198.51.100.1, 10.2.3.4"]), "198.51.100.1");
        // what the client wrote itself stands before what the proxy added
        assert_eq!(listed(PROXY, &["1.1.1.1, 10.9.9.9, 198.51.100.1, 10.2.3.4"]), "198.51.100.1");
        assert_eq!(listed(PROXY, &["127.0.0.1,198.51.100.1"]), "198.51.100.1");
        // several lines are one list
        assert_eq!(listed(PROXY, &["1.1.1.1", "198.51.100.1", "10.0.0.3"]), "198.51.100.1");
        // all of them are proxies: the farthest
        assert_eq!(listed(PROXY, &["10.0.0.9, 10.0.0.8"]), "10.0.0.9");
        assert_eq!(listed(PROXY, &[]), PROXY);
    }

    #[test]
    fn what_cannot_be_read_ends_the_list() {
        for line in
            ["", ",", "x", "198.51.100.1, ", "198.51.100.1,x", "1.2.3", "0x7f.1", "1.2.3.4.5", "[::1", "é"]
        {
            assert_eq!(listed(PROXY, &[line]), PROXY, "{line:?}");
        }
        assert_eq!(listed(PROXY, &["198.51.100.1, unknown, 10.0.0.2"]), "10.0.0.2");
        let long = "10.0.0.2,".repeat(5_000) + "10.0.0.3";
        assert_eq!(listed(PROXY, &[&long]), "10.0.0.2");
    }

    #[test]
    fn forms_of_addresses() {
        assert_eq!(listed(PROXY, &["198.51.100.1:4711"]), "198.51.100.1");
        assert_eq!(listed(PROXY, &["2001:db8::7"]), "2001:db8::7");
        assert_eq!(listed(PROXY, &["[2001:db8::7]"]), "2001:db8::7");
        assert_eq!(listed(PROXY, &["[2001:db8::7]:443"]), "2001:db8::7");
        // an IPv4 address in IPv6 clothes is the same address, as a peer and in the list
        assert_eq!(listed("::ffff:10.0.0.1", &["::ffff:198.51.100.1"]), "198.51.100.1");
        assert_eq!(listed(PROXY, &["198.51.100.1, ::ffff:10.0.0.7"]), "198.51.100.1");
        assert_eq!(listed("2001:db8:1::5", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(listed("2001:db8:2::5", &["198.51.100.1"]), "2001:db8:2::5");
    }

    #[test]
    fn forwarded_is_read_as_its_standard_says() {
        assert_eq!(forwarded(&["for=198.51.100.1"]), "198.51.100.1");
        assert_eq!(forwarded(&["For=\"198.51.100.1:80\";proto=https;by=10.0.0.1"]), "198.51.100.1");
        assert_eq!(forwarded(&["for=1.1.1.1, for=198.51.100.1;host=x, for=10.0.0.2"]), "198.51.100.1");
        assert_eq!(forwarded(&["for=\"[2001:db8::7]:443\""]), "2001:db8::7");
        for line in
            ["for=unknown", "for=_hidden", "proto=https", "for=1.1.1.1;for=2.2.2.2", "for=\"a,for=1.1.1.1\""]
        {
            assert_eq!(forwarded(&[line]), PROXY, "{line}");
        }
    }

    #[test]
    fn only_the_header_that_the_proxy_writes_is_read() {
        let both = [("x-forwarded-for", "198.51.100.1"), ("forwarded", "for=203.0.113.5")];
        assert_eq!(client(ProxyHeader::XForwardedFor, PROXY, &both), "198.51.100.1");
        assert_eq!(client(ProxyHeader::Forwarded, PROXY, &both), "203.0.113.5");
        assert_eq!(client(ProxyHeader::Forwarded, PROXY, &both[..1]), PROXY);
    }
}
