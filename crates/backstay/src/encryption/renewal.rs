//! [`Renewal`]: when a certificate is asked for: where there is none, and once two thirds of its life are over, not at
//! the same moment everywhere. What fails is tried again, ever more rarely, so that no authority shuts us out.

use crate::encryption::authority::Authority;
use anyhow::{Context as _, Result};
use backstay_base::clock::Clock;
use backstay_base::ids::Ids;
use backstay_server::tls::Certificates;
use std::fs::File;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// Longest time between two looks: a machine may sleep, and its clock may jump.
const LOOK: Duration = Duration::from_secs(600);
/// Between two looks of a process that takes what another one gets.
const FOLLOW: Duration = Duration::from_secs(10);
/// Longest time that getting one may take.
const OBTAIN: Duration = Duration::from_secs(300);
/// After the first failure; each further one triples it.
const RETRY: Duration = Duration::from_secs(60);
/// At most so often tripled: nine hours. Let's Encrypt takes five failures an hour.
const TRIPLED: u32 = 6;

/// What asks in time.
pub struct Renewal {
    authority: Authority,
    certificates: Arc<Certificates>,
    clock: Clock,
    /// Which part of the twelfth before two thirds of the life is waited for, in 256ths.
    share: u8,
    lock: Option<File>,
}

impl Renewal {
    /// A certificate that is kept already is answered with at once.
    pub fn new(authority: Authority, certificates: Arc<Certificates>, clock: Clock, ids: &Ids) -> Self {
        let mut share = [0];
        ids.fill(&mut share);
        let renewal = Self { authority, certificates, clock, share: share[0], lock: None };
        if let Err(error) = renewal.take_over() {
            tracing::warn!("the certificate that is kept cannot be used: {error:#}");
        }
        renewal
    }

    /// Looks after the certificate, without end.
    pub async fn run(mut self) {
        let mut failures = 0;
        loop {
            let wait = match self.look().await {
                Ok(wait) => {
                    failures = 0;
                    wait
                }
                Err(error) => {
                    let wait = RETRY * 3_u32.pow(TRIPLED.min(failures));
                    failures += 1;
                    tracing::error!(again_seconds = wait.as_secs(), "no certificate was got: {error:#}");
                    wait
                }
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// Asks if it is time to; how long to wait until the next look.
    async fn look(&mut self) -> Result<Duration> {
        if self.lock.is_none() {
            self.lock = self.authority.lock()?;
        }
        self.take_over()?;
        if self.lock.is_none() {
            return Ok(FOLLOW);
        }
        if let Some(wait) = self.wait() {
            return Ok(wait);
        }
        let got = tokio::time::timeout(OBTAIN, self.authority.obtain()).await;
        got.context("the authority takes too long")??;
        self.take_over()?;
        let life = self.certificates.life().unwrap_or_default();
        tracing::info!(until = life.end, "a certificate was got");
        // one that is due at once must not ask for the next one at once
        Ok(self.wait().unwrap_or(RETRY))
    }

    /// Answers with what is kept.
    fn take_over(&self) -> Result<()> {
        let file = self.authority.file();
        if file.is_file() {
            self.certificates.renew(&file, &file)?;
        }
        Ok(())
    }

    /// How long nothing is to be asked; none when it is time.
    fn wait(&self) -> Option<Duration> {
        let due = due(&self.certificates.life()?, self.share);
        let left = due.saturating_sub(self.clock.now_micros() / 1_000_000);
        let left = u64::try_from(left).ok().filter(|left| *left > 0)?;
        Some(Duration::from_secs(left).min(LOOK))
    }
}

/// When a certificate is to be renewed.
fn due(life: &Range<i64>, share: u8) -> i64 {
    let length = life.end.saturating_sub(life.start);
    life.start + length * 2 / 3 - length / 12 * i64::from(share) / 256
}

#[cfg(test)]
mod tests {
    use super::due;

    #[test]
    fn a_certificate_is_renewed_after_two_thirds_of_its_life_at_the_latest() {
        let day = 86_400;
        let life = 1_000..1_000 + 90 * day;
        assert_eq!(due(&life, 0), 1_000 + 60 * day);
        assert!((0..=255).all(|share| (52 * day..=60 * day).contains(&(due(&life, share) - 1_000))));
        assert!(due(&life, 255) < due(&life, 128));
        assert_eq!(due(&(5..5), 255), 5);
    }
}
