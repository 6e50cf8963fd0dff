//! Addresses: what they say, and what is refused.

use super::Target;
use backstay_base::secret::Secret;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};

fn parse(url: &str) -> Result<Target, String> {
    Target::parse(&Secret::new(url.to_owned()), 30_000).map_err(|error| error.to_string())
}

#[test]
fn a_plain_url_prefers_tls_and_asks_for_a_primary() {
    let target = parse("postgres://ann:s%3Fcret@db1,db2:6000/shop?connect_timeout=3").unwrap();
    let config = target.config();
    assert_eq!(config.get_hosts().len(), 2);
    assert_eq!(config.get_password(), Some("s?cret".as_bytes()));
    assert_eq!(config.get_ssl_mode(), SslMode::Prefer);
    assert_eq!(config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
    let settings = "-c TimeZone=UTC -c jit=off -c client_min_messages=warning -c statement_timeout=30000 -c idle_in_transaction_session_timeout=60000";
    assert_eq!(config.get_options(), Some(settings));
    assert_eq!(config.get_application_name(), Some("backstay"));
    assert_eq!(target.connect_wait.as_secs(), 3);
    assert_eq!(config.get_keepalives_idle().as_secs(), 60);
    let own = parse("postgres://db/shop?keepalives_idle=7").unwrap();
    assert_eq!(own.config().get_keepalives_idle().as_secs(), 7);
    assert_eq!(target.connections, 24);
}

#[test]
fn a_pooler_gets_no_settings() {
    let target = parse("postgres://db/shop?pooler=transaction&connections=3&sslmode=require").unwrap();
    assert!(target.is_pooled());
    assert_eq!(target.config().get_options(), None);
    assert_eq!(target.config().get_ssl_mode(), SslMode::Require);
    assert_eq!(target.connections, 3);
    assert!(!target.found_pooler());
}

#[test]
fn what_is_wrong_is_said_without_the_password() {
    let refused = [
        ("mysql://ann:secret@db/x", "it does not begin with postgres://"),
        ("postgres://ann:secret@/x", "it names no host"),
        ("postgres://ann:secret@db:port/x", "invalid value for option `port`"),
        ("postgres://ann:secret@db/x?sslmode=maybe", "`sslmode` is not one that libpq knows"),
        ("postgres://ann:secret@db/x?pooler=yes", "`pooler` is `transaction`, `session` or `none`"),
        ("postgres://ann:secret@db/x?connections=0", "`connections` is a number from 1 to 10000"),
        ("postgres://ann:secret@db/x?colour=red", "unknown option `colour`"),
    ];
    for (url, message) in refused {
        assert_eq!(
            parse(url).map(drop).unwrap_err(),
            format!("the database URL cannot be read: {message}"),
            "{url}"
        );
    }
    let debug = format!("{:?}", parse("postgres://ann:secret@db/x").unwrap());
    assert!(!debug.contains("secret"), "{debug}");
}
