//! Request bodies: whole, not packed, bounded in size and time, and all of them together in memory.

use crate::intake::{Intake, Room};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_base::limit::Limits;
use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use http_body_util::BodyExt;
use std::time::Duration;

/// A whole body. The room that it takes is free again when it goes.
#[derive(Debug, Default)]
pub(crate) struct Whole {
    pub bytes: Bytes,
    _room: Room,
}

/// Refuses bodies that would have to be unpacked: what a few bytes become nobody knows before.
///
/// # Errors
/// PGRST102 for any `Content-Encoding` but `identity`.
pub(crate) fn is_plain(encoding: Option<&str>) -> Result<(), Fault> {
    if encoding.is_none_or(|encoding| encoding.trim().eq_ignore_ascii_case("identity")) {
        return Ok(());
    }
    Err(Fault::new(code::BODY_INVALID, "the body is packed")
        .with_hint("send it as it is, without Content-Encoding"))
}

/// Reads a body within its limits.
///
/// # Errors
/// 54001 when it is too long or too slow, 53400 when there is no room for it, PGRST102 when the
/// connection breaks.
pub(crate) async fn read<B>(body: B, intake: &Intake, limits: &Limits) -> Result<Whole, Fault>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if body.is_end_stream() {
        return Ok(Whole::default());
    }
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limits.body_bytes {
        return Err(too_large(limits));
    }
    let mut whole = Box::pin(collect(body, intake, limits));
    // most come with their head, or right behind it
    if let Some(done) = whole.as_mut().now_or_never() {
        return done;
    }
    let _place = intake.slow_body()?;
    let patience = Duration::from_millis(limits.body_ms);
    tokio::time::timeout(patience, whole).await.unwrap_or_else(|_| {
        Err(Fault::new(code::TOO_COMPLEX, "the body took too long to arrive")
            .with_details(format!("The limit body_ms is {} milliseconds.", limits.body_ms)))
    })
}

async fn collect<B>(body: B, intake: &Intake, limits: &Limits) -> Result<Whole, Fault>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut body = std::pin::pin!(body);
    let (mut room, mut first, mut rest) = (Room::default(), Bytes::new(), BytesMut::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            Fault::new(code::BODY_INVALID, "the body could not be read").with_source(error)
        })?;
        // trailers mean nothing here
        let Ok(data) = frame.into_data() else { continue };
        let bytes = first.len() + rest.len() + data.len();
        if bytes > limits.body_bytes {
            return Err(too_large(limits));
        }
        intake.grow(&mut room, bytes)?;
        if first.is_empty() && rest.is_empty() {
            first = data;
        } else {
            // a second piece: from now on they are put together
            rest.extend_from_slice(&std::mem::take(&mut first));
            rest.extend_from_slice(&data);
        }
    }
    let bytes = if rest.is_empty() { first } else { rest.freeze() };
    Ok(Whole { bytes, _room: room })
}

fn too_large(limits: &Limits) -> Fault {
    Fault::new(code::TOO_COMPLEX, "the body is too large")
        .with_details(format!("The limit body_bytes is {} bytes.", limits.body_bytes))
}
