//! [`Patient`]: a stream that ends when its peer lets the server wait too long: for the version of HTTP
//! or the head of a request (`head_ms`), for the next request (`idle_ms`), or to take what is
//! written to it (`stall_ms`). Bodies have a limit of their own. It knows no HTTP beyond the preface
//! by which the versions differ, and how many requests are at work, which the service tells it.

use backstay_base::limit::Limits;
use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// What an HTTP/2 connection begins with (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Fewest bytes that a peer takes within `stall_ms`, per second of it.
const LEAST_PER_SECOND: u64 = 1024;

/// How long a peer may let the server wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    head: Duration,
    idle: Duration,
    stall: Duration,
}

impl Patience {
    pub(crate) const fn of(limits: &Limits) -> Self {
        Self {
            head: Duration::from_millis(limits.head_ms),
            idle: Duration::from_millis(limits.idle_ms),
            stall: Duration::from_millis(limits.stall_ms),
        }
    }
}

/// The requests of one connection.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    begun: AtomicUsize,
    ended: AtomicUsize,
}

impl Requests {
    /// One more, while the value lives.
    pub(crate) fn begin(self: &Arc<Self>) -> AtWork {
        self.begun.fetch_add(1, Ordering::AcqRel);
        AtWork(Arc::clone(self))
    }
}

/// A request that is at work.
pub(crate) struct AtWork(Arc<Requests>);

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::AcqRel);
    }
}

/// What the server waits for when it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    /// The rest of a head, or of the preface.
    Head,
    /// The next request.
    Next,
}

/// A connection with bounded waits.
pub(crate) struct Patient<S> {
    stream: S,
    patience: Patience,
    requests: Arc<Requests>,
    /// How many requests had begun when the wait was last set.
    begun: usize,
    /// How much of [`PREFACE`] has come; none once it is known that the connection speaks HTTP/1.
    preface: Option<usize>,
    wait: (Wait, Instant),
    /// Fires at the end of the wait or before it.
    timer: Pin<Box<Sleep>>,
    /// Since the peer takes nothing more: what it took, and when that is counted.
    stalled: Option<(u64, Pin<Box<Sleep>>)>,
}

impl<S> Patient<S> {
    pub(crate) fn new(stream: S, patience: Patience, requests: Arc<Requests>) -> Self {
        let until = Instant::now() + patience.head;
        let (wait, timer) = ((Wait::Head, until), Box::pin(sleep_until(until)));
        Self { stream, patience, requests, begun: 0, preface: Some(0), wait, timer, stalled: None }
    }

    fn wait_for(&mut self, wait: Wait) {
        let patience = if wait == Wait::Head { self.patience.head } else { self.patience.idle };
        self.wait = (wait, Instant::now() + patience);
    }

    /// Takes note of what has come.
    fn came(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if let Some(seen) = self.preface.filter(|seen| *seen < PREFACE.len()) {
            let expected = PREFACE.get(seen..).unwrap_or_default();
            let same = expected.iter().zip(bytes).take_while(|(a, b)| a == b).count();
            let is_whole = seen + same == PREFACE.len();
            self.preface = (same == bytes.len() || is_whole).then_some(seen + same);
            if is_whole {
                self.wait_for(Wait::Next);
            }
        } else if self.preface.is_none() && self.wait.0 == Wait::Next {
            self.wait_for(Wait::Head);
        }
    }

    /// Ends the wait when it took too long; a request at work puts it off.
    fn poll_late(&mut self, context: &mut Context<'_>) -> Poll<Error> {
        let begun = self.requests.begun.load(Ordering::Acquire);
        let at_work = self.requests.ended.load(Ordering::Acquire) < begun;
        if at_work || begun != self.begun {
            self.begun = begun;
            self.wait_for(Wait::Next);
        }
        // armed while a request is at work, too: nobody may read again before the next one comes
        if self.timer.deadline() > self.wait.1 {
            self.timer.as_mut().reset(self.wait.1);
        }
        loop {
            ready!(self.timer.as_mut().poll(context));
            if Instant::now() >= self.wait.1 {
                return Poll::Ready(Error::new(ErrorKind::TimedOut, "no request came in time"));
            }
            self.timer.as_mut().reset(self.wait.1);
        }
    }

    /// What became of a write: a peer that takes too little in a time is given up.
    fn wrote(&mut self, context: &mut Context<'_>, done: Poll<Result<usize>>) -> Poll<Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &done {
            if self.wait.0 == Wait::Next {
                self.wait_for(Wait::Next);
            }
            if let Some((taken, _)) = &mut self.stalled {
                *taken += u64::try_from(*bytes).unwrap_or(u64::MAX);
            }
        }
        if done.is_ready() {
            return done;
        }
        let patience = self.patience.stall;
        let least = LEAST_PER_SECOND.saturating_mul(patience.as_secs()).max(1);
        let (taken, timer) = self.stalled.get_or_insert_with(|| (0, Box::pin(sleep(patience))));
        while timer.as_mut().poll(context).is_ready() {
            if *taken < least {
                return Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "the answer was not read in time")));
            }
            *taken = 0;
            timer.as_mut().reset(Instant::now() + patience);
        }
        Poll::Pending
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
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
            Poll::Pending => self.poll_late(context).map(Err),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(context, done)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.wrote(context, done)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let done = ready!(Pin::new(&mut self.stream).poll_flush(context));
        // all of it was taken
        self.stalled = None;
        Poll::Ready(done)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
