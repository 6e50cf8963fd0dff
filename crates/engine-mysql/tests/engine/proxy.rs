//! Stands between the engine and the server and cuts the connection at a command: before
//! the server hears it, or before its answer is heard.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Which side of a command is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    Before,
    After,
}

type Matches = Box<dyn Fn(usize, &[u8]) -> bool + Send>;

/// What to cut, once.
type Plan = Arc<Mutex<Option<(Cut, Matches)>>>;

pub struct Proxy {
    pub port: u16,
    plan: Plan,
    /// Commands that went by.
    pub commands: Arc<AtomicUsize>,
}

impl Proxy {
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let (plan, commands) = (Plan::default(), Arc::new(AtomicUsize::new(0)));
        let (shared, counted) = (Arc::clone(&plan), Arc::clone(&commands));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                tokio::spawn(relay(client, server, Arc::clone(&shared), Arc::clone(&counted)));
            }
        });
        Self { port: own, plan, commands }
    }

    /// Cuts at the first command that matches: its number from now on, its bytes.
    pub fn cut(&self, cut: Cut, matches: impl Fn(usize, &[u8]) -> bool + Send + 'static) {
        self.commands.store(0, Ordering::SeqCst);
        *self.plan.lock().unwrap() = Some((cut, Box::new(matches)));
    }

    /// Whether the cut is still to come.
    pub fn is_armed(&self) -> bool {
        self.plan.lock().unwrap().is_some()
    }
}

async fn relay(client: TcpStream, server: TcpStream, plan: Plan, commands: Arc<AtomicUsize>) {
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let (mut from_client, to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    let mute = Arc::new(AtomicBool::new(false));
    let back = tokio::spawn(answers(from_server, to_client, Arc::clone(&mute)));
    while let Some(packet) = packet(&mut from_client).await {
        // commands begin a sequence; what belongs to signing in does not
        let cut = if packet[3] == 0 { planned(&plan, &commands, &packet[4..]) } else { None };
        match cut {
            Some(Cut::Before) => break,
            Some(Cut::After) => {
                mute.store(true, Ordering::SeqCst);
                to_server.write_all(&packet).await.unwrap();
                // the answer is waited for, and kept
                back.await.unwrap();
                return;
            }
            None if to_server.write_all(&packet).await.is_err() => break,
            None => {}
        }
    }
    back.abort();
}

fn planned(plan: &Plan, commands: &AtomicUsize, payload: &[u8]) -> Option<Cut> {
    let number = commands.fetch_add(1, Ordering::SeqCst);
    let mut plan = plan.lock().unwrap();
    match plan.as_ref() {
        Some((_, matches)) if matches(number, payload) => plan.take().map(|(cut, _)| cut),
        Some(_) | None => None,
    }
}

async fn packet(from: &mut OwnedReadHalf) -> Option<Vec<u8>> {
    let mut head = [0; 4];
    from.read_exact(&mut head).await.ok()?;
    let length = usize::from(head[0]) | usize::from(head[1]) << 8 | usize::from(head[2]) << 16;
    let mut packet = head.to_vec();
    packet.resize(4 + length, 0);
    from.read_exact(&mut packet[4..]).await.ok()?;
    Some(packet)
}

async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mute: Arc<AtomicBool>) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        if mute.load(Ordering::SeqCst) || to.write_all(&bytes[..length]).await.is_err() {
            break;
        }
    }
}
