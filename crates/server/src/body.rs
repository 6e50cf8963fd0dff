//! Request bodies: whole, bounded in size and time.

use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_base::limit::Limits;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::time::Duration;

/// Reads a body within its limits.
///
/// # Errors
/// 54001 when it is too long or too slow, PGRST102 when the connection breaks.
pub(crate) async fn read<B>(body: B, limits: &Limits) -> Result<Bytes, Fault>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let limited = Limited::new(body, limits.body_bytes);
    let whole = Box::pin(limited.collect());
    match tokio::time::timeout(Duration::from_millis(limits.body_ms), whole).await {
        Err(_) => Err(Fault::new(code::TOO_COMPLEX, "the body took too long to arrive")
            .with_details(format!("The limit body_ms is {} milliseconds.", limits.body_ms))),
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.downcast_ref::<LengthLimitError>().is_some() => {
            Err(Fault::new(code::TOO_COMPLEX, "the body is too large")
                .with_details(format!("The limit body_bytes is {} bytes.", limits.body_bytes)))
        }
        Ok(Err(error)) => {
            Err(Fault::new(code::BODY_INVALID, "the body could not be read").with_source(error))
        }
    }
}
