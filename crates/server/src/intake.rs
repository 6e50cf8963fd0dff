//! [`Intake`]: what the server takes in at once: requests at work, bodies that are waited for, bytes of
//! bodies. What finds no room is refused before anything of it is read or done.

use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_base::limit::Limits;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bodies are counted in pieces of this many bytes.
const PIECE: usize = 4096;

/// Room for requests.
#[derive(Debug, Clone)]
pub(crate) struct Intake {
    requests: Arc<Semaphore>,
    slow_bodies: Arc<Semaphore>,
    pieces: Arc<Semaphore>,
}

/// A place that is taken while this lives.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
}

/// The room that a body takes.
#[derive(Debug, Default)]
pub(crate) struct Room {
    pieces: usize,
    permits: Vec<OwnedSemaphorePermit>,
}

impl Intake {
    pub(crate) fn of(limits: &Limits) -> Self {
        let room = |places: usize| Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS)));
        Self {
            requests: room(limits.in_flight),
            slow_bodies: room(limits.slow_bodies),
            pieces: room(limits.bodies_bytes.div_ceil(PIECE)),
        }
    }

    /// A place for a request to be worked on.
    ///
    /// # Errors
    /// 53400 when there is none.
    pub(crate) fn request(&self) -> Result<Place, Fault> {
        place(&self.requests, "requests are being answered")
    }

    /// A place for a body that is not there at once.
    ///
    /// # Errors
    /// 53400 when there is none.
    pub(crate) fn slow_body(&self) -> Result<Place, Fault> {
        place(&self.slow_bodies, "bodies are on their way")
    }

    /// Room for a body of this many bytes so far.
    ///
    /// # Errors
    /// 53400 when there is none.
    pub(crate) fn grow(&self, room: &mut Room, bytes: usize) -> Result<(), Fault> {
        let wanted = bytes.div_ceil(PIECE);
        let more = u32::try_from(wanted.saturating_sub(room.pieces)).unwrap_or(u32::MAX);
        if more > 0 {
            let permit = Arc::clone(&self.pieces).try_acquire_many_owned(more);
            room.permits.push(permit.map_err(|_| full("bodies are held"))?);
            room.pieces = wanted;
        }
        Ok(())
    }
}

fn place(places: &Arc<Semaphore>, what: &str) -> Result<Place, Fault> {
    let permit = Arc::clone(places).try_acquire_owned();
    permit.map(|permit| Place { _permit: permit }).map_err(|_| full(what))
}

fn full(what: &str) -> Fault {
    Fault::new(code::TOO_MANY_REQUESTS, format!("too many {what}; nothing was done"))
}
