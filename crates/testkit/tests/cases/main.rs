//! Plays every file below `cases/`. `UPDATE=1` rewrites the answers; `CASE=name` plays
//! those whose path holds the name.

#![cfg(test)]

use backstay_testkit::case::play;
use std::path::{Path, PathBuf};

/// Files that are played at a time.
const AT_ONCE: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "tests are told by the environment what to do")]
async fn every_case_holds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../cases");
    let update = std::env::var("UPDATE").is_ok_and(|value| value == "1");
    let chosen = std::env::var("CASE").unwrap_or_default();
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    paths.retain(|path| path.to_string_lossy().contains(&chosen));
    paths.sort();
    assert!(!paths.is_empty(), "no case is called {chosen}");
    let mut failures = Vec::new();
    for paths in paths.chunks(AT_ONCE) {
        let running: Vec<_> =
            paths.iter().cloned().map(|path| (path.clone(), tokio::spawn(one(path)))).collect();
        for (path, running) in running {
            let shown = path.strip_prefix(&root).unwrap().display().to_string();
            match running.await {
                Err(_) => failures.push(format!("{shown}: cannot be played; the reason stands above")),
                Ok((old, new)) if old == new => {}
                Ok((_, new)) if update => std::fs::write(&path, new).unwrap(),
                Ok((old, new)) => failures.push(format!("{shown}\n{}", difference(&old, &new))),
            }
        }
    }
    assert!(failures.is_empty(), "{} cases fail\n\n{}", failures.len(), failures.join("\n"));
}

async fn one(path: PathBuf) -> (String, String) {
    (std::fs::read_to_string(&path).unwrap(), play(&path).await)
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "case") {
            paths.push(path);
        }
    }
}

/// The request before the first line that differs, and the lines from there.
fn difference(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let request = new.iter().take(same + 1).rposition(|line| line.starts_with("> ")).unwrap_or(same);
    let context = new[request..same].iter().map(|line| format!("  {line}\n")).collect::<String>();
    let some = |lines: &[&str], sign: &str| {
        lines.iter().skip(same).take(6).map(|line| format!("{sign} {line}\n")).collect::<String>()
    };
    format!("line {}:\n{context}{}{}", same + 1, some(&old, "-"), some(&new, "+"))
}
