//! Every target stands its seeds, and what comes of them by chance.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::panic::catch_unwind;
use std::path::PathBuf;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, FileFailurePersistence, TestRunner};

use super::TARGETS;

/// So many inputs are made of the seeds of a target. The fuzzer itself tries millions.
const CASES: u32 = 256;

/// No input is longer.
const LONGEST: usize = 64 * 1024;

/// One change of an input. Places are taken as parts of its length.
#[derive(Debug, Clone)]
enum Change {
    Set(Index, u8),
    Remove(Index, Index),
    Repeat(Index, Index, u8),
    Insert(Index, Vec<u8>),
    /// A piece of another seed.
    Splice(Index, Index, Index, Index),
    CutOff(Index),
}

fn folder(of: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz")
        .join(of)
}

/// The seeds of a target, in the order of their names.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder("seeds").join(target)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

#[test]
fn every_target_stands_its_seeds() {
    let mut broken = Vec::new();
    for (name, target) in TARGETS {
        let mut seeds = seeds(name);
        assert!(seeds.len() > 1, "{name} has {} seeds", seeds.len());
        seeds.push(Vec::new());
        for (number, seed) in seeds.iter().enumerate() {
            assert!(seed.len() <= LONGEST, "{name}");
            if catch_unwind(|| target(seed)).is_err() {
                broken.push(format!("{name}, seed {number}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_target_stands_what_comes_of_its_seeds() {
    let mut broken = Vec::new();
    for (name, target) in TARGETS {
        let seeds = seeds(name);
        let input = (any::<Index>(), prop::collection::vec(change(), 1..6));
        let mut runner = TestRunner::new(Config {
            cases: CASES,
            failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
            ..Config::default()
        });
        let result = runner.run(&input, |(seed, changes)| {
            target(&changed(seed.get(&seeds).clone(), &changes, &seeds));
            Ok(())
        });
        if let Err(error) = result {
            broken.push(format!("{name}: {error}"));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_target_has_its_place() {
    let names: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let in_folder = |of: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(folder(of)).unwrap();
        let stem = |path: PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
        entries.map(|entry| stem(entry.unwrap().path())).collect()
    };
    assert_eq!(in_folder("seeds"), names);
    assert_eq!(in_folder("fuzz_targets"), names);
    let manifest = fs::read_to_string(folder("Cargo.toml")).unwrap();
    let reference = fs::read_to_string(folder("../docs/fuzzing.md")).unwrap();
    for name in &names {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        assert!(reference.contains(&format!("| `{name}` |")), "{name}");
        let target = folder("fuzz_targets").join(name).with_extension("rs");
        let target = fs::read_to_string(target).unwrap();
        assert!(target.contains(&format!("fuzzed::{name}(bytes)")), "{name}");
    }
}

fn change() -> impl Strategy<Value = Change> {
    let place = any::<Index>;
    prop_oneof![
        (place(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (place(), place()).prop_map(|(from, to)| Change::Remove(from, to)),
        (place(), place(), 1..20_u8).prop_map(|(from, to, times)| Change::Repeat(from, to, times)),
        (place(), prop::collection::vec(any::<u8>(), 1..8))
            .prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (place(), place(), place(), place())
            .prop_map(|(at, seed, from, to)| Change::Splice(at, seed, from, to)),
        place().prop_map(Change::CutOff),
    ]
}

fn changed(mut input: Vec<u8>, changes: &[Change], seeds: &[Vec<u8>]) -> Vec<u8> {
    for change in changes {
        match change {
            Change::Set(at, byte) => {
                if !input.is_empty() {
                    let at = at.index(input.len());
                    input[at] = *byte;
                }
            }
            Change::Remove(from, to) => {
                input.drain(range(&input, *from, *to));
            }
            Change::Repeat(from, to, times) => {
                let range = range(&input, *from, *to);
                let piece = input[range.clone()].repeat((*times).into());
                input.splice(range.end..range.end, piece);
            }
            Change::Insert(at, bytes) => {
                let at = at.index(input.len() + 1);
                input.splice(at..at, bytes.iter().copied());
            }
            Change::Splice(at, seed, from, to) => {
                let seed = seed.get(seeds);
                let at = at.index(input.len() + 1);
                input.splice(at..at, seed[range(seed, *from, *to)].iter().copied());
            }
            Change::CutOff(at) => input.truncate(at.index(input.len() + 1)),
        }
        input.truncate(LONGEST);
    }
    input
}

fn range(bytes: &[u8], from: Index, to: Index) -> Range<usize> {
    let places = [from, to].map(|place| place.index(bytes.len() + 1));
    let (from, to) = (places[0].min(places[1]), places[0].max(places[1]));
    from..to
}
