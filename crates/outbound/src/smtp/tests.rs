//! Letters as messages, and a dialogue with a server over a socket.

use super::{Error, Sender, Smtp, composed};
use crate::mail::{Carrier, Letter, Mail};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

fn letter(to: &str, subject: &str, text: &str) -> Letter {
    Letter { to: to.to_owned(), subject: subject.to_owned(), text: text.to_owned() }
}

fn written(letter: &Letter) -> String {
    let sender = Sender::parse("The Shop <shop@x.test>").unwrap();
    let message = composed(&sender, letter).map_err(|failure| failure.words).unwrap();
    String::from_utf8(message.formatted()).unwrap()
}

#[test]
fn line_breaks_begin_no_header() {
    for evil in
        ["a\r\nBcc: eve@x.test", "a\nBcc: eve@x.test", "a\rBcc: eve@x.test", "a\u{0}\u{85}\r\n\r\nbody"]
    {
        let message = written(&letter("ann@x.test", evil, "text"));
        let head = message.split("\r\n\r\n").next().unwrap();
        let names: Vec<&str> =
            head.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name).collect();
        assert_eq!(
            names,
            ["From", "To", "Subject", "Content-Type", "Content-Transfer-Encoding", "Date"],
            "{message}"
        );
        assert!(!head.contains("\nBcc"), "{message}");
    }
    for from in ["", "nobody", "a@b.cd\r\nBcc: eve@x.test", "A\n <a@b.cd>"] {
        assert!(matches!(Sender::parse(from), Err(Error::From)), "{from:?}");
    }
}

#[tokio::test]
async fn passwords_do_not_travel_in_the_clear() {
    let made = |url: &str| Smtp::new(url, "a@b.cd").map(|_| ()).map_err(|error| error.to_string());
    for url in [
        "smtps://u:p@mail.x.test",
        "smtps://mail.x.test:465",
        "smtp://u:p@mail.x.test:587?tls=required",
        "smtp://localhost:1025",
        "smtp://127.0.0.1",
    ] {
        assert_eq!(made(url), Ok(()), "{url}");
    }
    for url in [
        "smtp://mail.x.test",
        "smtp://u:p@mail.x.test:587",
        "smtp://u:p@mail.x.test?tls=opportunistic",
        "smtp://localhost.evil.test",
        "smtp://127.0.0.1@mail.x.test",
    ] {
        assert_eq!(made(url), Err(Error::Clear.to_string()), "{url}");
    }
    for url in ["", "mail.x.test", "http://mail.x.test", "smtps://"] {
        assert_eq!(made(url), Err(Error::Url.to_string()), "{url}");
    }
}

/// Plays a server that answers `RCPT TO` with each of the lines in turn; gives what clients said.
async fn server(listener: TcpListener, verdicts: Vec<&'static str>) -> Vec<String> {
    let mut said = Vec::new();
    let mut verdicts = verdicts.into_iter().peekable();
    while verdicts.peek().is_some() {
        let (socket, _) = listener.accept().await.unwrap();
        let (reading, mut writing) = socket.into_split();
        let mut lines = BufReader::new(reading).lines();
        writing.write_all(b"220 x.test\r\n").await.unwrap();
        let mut body = false;
        while let Ok(Some(line)) = lines.next_line().await {
            let answer = match line.split(' ').next().unwrap_or_default() {
                "." => "250 taken",
                _ if body => "",
                "EHLO" => "250 x.test",
                "RCPT" => verdicts.next().unwrap_or("250 fine"),
                "DATA" => "354 go on",
                "QUIT" => "221 bye",
                _ => "250 fine",
            };
            body = (body && line != ".") || line == "DATA";
            said.push(line);
            if !answer.is_empty() && writing.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
                break;
            }
            if answer == "250 taken" && verdicts.peek().is_none() {
                return said;
            }
        }
    }
    said
}

#[tokio::test]
async fn a_letter_goes_by_smtp() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let playing = tokio::spawn(server(listener, vec!["250 fine"]));
    let smtp = Smtp::new(&url, "The Shop <shop@x.test>").unwrap();
    let (mail, carrying) = Mail::start(4, Carrier::Smtp(Box::new(smtp)));
    mail.send(letter("ann@x.test", "Héllo", "The code is 123456.\n.\nEnd\n"));
    carrying.finish(Duration::from_secs(30)).await;
    let said = playing.await.unwrap();
    for line in [
        "MAIL FROM:<shop@x.test>",
        "RCPT TO:<ann@x.test>",
        "To: ann@x.test",
        "The code is 123456.",
        "..",
        "End",
    ] {
        assert!(said.iter().any(|one| one.trim_end() == line), "{line} is not in {said:#?}");
    }
}

#[tokio::test]
async fn a_refused_letter_stops_nothing_and_tells_no_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let playing = tokio::spawn(server(listener, vec!["550 5.1.1 <eve@x.test> is unknown", "250 fine"]));
    let smtp = Smtp::new(&url, "shop@x.test").unwrap();
    let failure = smtp.send(&letter("eve@x.test", "a", "b")).await.expect_err("is refused");
    assert_eq!((failure.words.as_str(), failure.may_pass), ("the server answered 550", false));
    assert!(smtp.send(&letter("ann@x.test", "a", "b")).await.is_ok());
    assert!(playing.await.unwrap().iter().any(|line| line == "RCPT TO:<ann@x.test>"));
}
