//! Every room of `src` uses only the rooms before it. A room is a file of `src` with the folder of its name.

use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};

/// From the first, which uses no other, to the last, which may use them all.
const ORDER: [&str; 21] = [
    "platform",
    "endpoint",
    "route",
    "outcome",
    "explain",
    "config",
    "catalog",
    "plan",
    "probe",
    "observer",
    "discovery",
    "metrics",
    "history",
    "diagnosis",
    "report",
    "scheduler",
    "server",
    "app",
    "fuzzed",
    "main",
    "lib",
];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("layers::rooms_use_only_the_rooms_before_them", directions),
        Trial::test("layers::imports_are_found", imports_are_found),
    ]
}

fn directions() -> Result<(), Failed> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for file in rust_files(&source) {
        let relative = file.strip_prefix(&source).unwrap();
        let room = room_of(relative);
        let Some(place) = place_of(&room) else {
            wrong.push(format!("{}: no such room", relative.display()));
            continue;
        };
        let text = fs::read_to_string(&file).unwrap();
        for (line, used) in imports(&text) {
            let allowed = place_of(&used).is_some_and(|of_used| of_used <= place);
            if !allowed && room != "lib" {
                let file = relative.display();
                wrong.push(format!("{file}:{line}: {room} must not use {used}"));
            }
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(wrong.join("\n").into())
}

fn place_of(room: &str) -> Option<usize> {
    ORDER.iter().position(|name| *name == room)
}

/// `probe` for both `probe.rs` and `probe/dns/answer.rs`.
fn room_of(relative: &Path) -> String {
    let first = relative.components().next().expect("a file has a name");
    let first = first.as_os_str().to_str().expect("a path in UTF-8");
    first.trim_end_matches(".rs").to_owned()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Every room that a file names after `crate::` or, in `main.rs`, after `reachd::`, with its line. Tests beside
/// the code count too; comments and strings do not.
fn imports(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let code = without_comments(text);
    for (number, line) in code.lines().enumerate() {
        for root in ["crate::", "reachd::"] {
            for (at, _) in line.match_indices(root) {
                let before = line[..at].chars().next_back();
                // `$crate::` and `my_crate::` are other things.
                if before.is_some_and(|c| c.is_alphanumeric() || "_$:".contains(c)) {
                    continue;
                }
                let rest = &line[at + root.len()..];
                let rooms = rooms_in(rest, &code, number);
                found.extend(rooms.into_iter().map(|room| (number + 1, room)));
            }
        }
    }
    found
}

/// The first segment of the path that follows, or of each path of the braces that follow.
fn rooms_in(rest: &str, code: &str, line: usize) -> Vec<String> {
    let Some(group) = rest.strip_prefix('{') else {
        return vec![first_segment(rest)];
    };
    let following: String = code.lines().skip(line + 1).collect();
    let whole = format!("{group}{following}");
    let mut depth = 0;
    let mut start = 0;
    let mut paths = Vec::new();
    for (at, character) in whole.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => {
                paths.push(&whole[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                paths.push(&whole[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    let segments = paths.iter().map(|path| first_segment(path.trim()));
    segments.filter(|segment| !segment.is_empty()).collect()
}

fn first_segment(path: &str) -> String {
    let end = path.find(|c: char| !c.is_alphanumeric() && c != '_');
    path[..end.unwrap_or(path.len())].to_owned()
}

/// The code with every line of comment and documentation emptied.
fn without_comments(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let is_comment = line.trim_start().starts_with("//");
        if is_comment { "" } else { line }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn imports_are_found() -> Result<(), Failed> {
    let text = "\
use crate::plan::Check;
/// Not this: [`crate::app`]
use crate::{
    config::{Config, Problems},
    route,
};
fn f() { let x = crate::outcome::Phase::Dns; $crate::server::no(); my_crate::no(); }";
    let found: Vec<String> = imports(text).into_iter().map(|(_, room)| room).collect();
    if found == ["plan", "config", "route", "outcome"] {
        return Ok(());
    }
    Err(format!("{found:?}").into())
}
