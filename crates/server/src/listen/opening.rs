//! [`Opening`]: a stream that ends when its peer does not show in time which HTTP it
//! speaks. HTTP/1 heads have a timer of their own; before the version is known, none runs.

use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// What an HTTP/2 connection begins with (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection, bounded in time until its version is known.
pub(crate) struct Opening {
    stream: TcpStream,
    /// How much of [`PREFACE`] has come, and until when more must; none once the version is known.
    waits: Option<(usize, Pin<Box<Sleep>>)>,
}

impl Opening {
    pub(crate) fn new(stream: TcpStream, within: Duration) -> Self {
        Self { stream, waits: Some((0, Box::pin(sleep(within)))) }
    }

    /// Takes note of what has come.
    fn came(&mut self, bytes: &[u8]) {
        let Some((seen, _)) = &mut self.waits else { return };
        let expected = PREFACE.get(*seen..).unwrap_or_default();
        let same = expected.iter().zip(bytes).take_while(|(a, b)| a == b).count();
        *seen += same;
        if same < bytes.len() || *seen == PREFACE.len() {
            self.waits = None;
        }
    }
}

impl AsyncRead for Opening {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Ready(done) => {
                self.came(buffer.filled().get(before..).unwrap_or_default());
                Poll::Ready(done)
            }
            Poll::Pending => match &mut self.waits {
                Some((_, until)) => {
                    let late = || Err(Error::new(ErrorKind::TimedOut, "no request came in time"));
                    until.as_mut().poll(context).map(|()| late())
                }
                None => Poll::Pending,
            },
        }
    }
}

impl AsyncWrite for Opening {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
