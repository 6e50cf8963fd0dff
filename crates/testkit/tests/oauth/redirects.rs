//! Where a sign-in leads: the site and what is listed, as parsed, whatever an application or a browser asks for.

use crate::{SITE, Scene, person, scene, through};
use backstay_testkit::served::Ask;

#[tokio::test]
async fn sign_ins_lead_home_and_where_it_is_allowed() {
    let Scene { served, corp, .. } = scene().await;
    corp.sign_in(person("7", "ann@x.test"));
    for wanted in ["https://shop.test/in", "https://shop.test/in?a=b", "myapp://in/x"] {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("provider", "corp")
            .append_pair("redirect_to", wanted)
            .finish();
        let place = through(&served, &corp, &query).await;
        assert!(place.as_str().starts_with(&format!("{wanted}#access_token=")), "{place}");
    }
    for wanted in [
        "",
        "/in",
        "//evil.test",
        "https://evil.test",
        "https://shop.test.evil.test/",
        "https://shop.test@evil.test/",
        "https://user:password@shop.test/",
        "https://evil.test\\@shop.test/",
        "https://evil.test\\.shop.test/",
        "https://evil.test?https://shop.test/",
        "https://evil.test#https://shop.test/",
        "http://shop.test/",
        "https://shop.test:8443/",
        "https:shop.test@evil.test",
        "https://shop.test%2f@evil.test/",
        "https://shop.test%00.evil.test/",
        "https://ѕhop.test/",
        "https://shop.test\u{3002}evil.test/",
        "https://shop.test/\r\nSet-Cookie: a=b",
        " https://shop.test/",
        "https://shop.test/\t",
        "javascript:alert(1)//https://shop.test",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://shop.test/x",
        "myapp:in",
        "myapp.evil://in",
    ] {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("provider", "corp")
            .append_pair("redirect_to", wanted)
            .finish();
        let place = through(&served, &corp, &query).await;
        assert!(place.as_str().starts_with(&format!("{SITE}#access_token=")), "{wanted:?} {place}");
        // and a callback leads nowhere that it says itself
        let target = format!("/auth/v1/callback?{query}&state=x.y");
        let answer = served.ask(&Ask::new("nobody", "GET", &target, "")).await;
        let place = crate::header(&answer, "location").unwrap();
        assert!(answer.status == 303 && place.starts_with(&format!("{SITE}?error=")), "{wanted:?} {place}");
        let answer = served.ask(&Ask::new("nobody", "POST", "/auth/v1/callback", &query)).await;
        assert_eq!(
            crate::header(&answer, "location").as_deref(),
            Some("http://localhost:4000/auth/v1/callback?")
        );
    }
}
