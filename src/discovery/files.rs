//! Files of targets. They are looked at again and again, for no file server tells of changes. A changed file is read once
//! it looks the same twice, so that one that is being written is not taken for a shorter one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::MOST_TARGETS;
use super::board::Found;
use super::pattern::{files_of, is_pattern};
use super::target::{endpoints, groups_in_json};
use crate::config::{FileSource, read_bounded, target_groups};
use crate::endpoint::Origin;
use crate::platform::FileStamp;

/// A larger file is not read.
const MOST_BYTES: u64 = 16 << 20;

/// More problems of one file are not told at once.
const MOST_PROBLEMS: usize = 5;

/// The files of one pattern.
#[derive(Debug)]
pub(super) struct Files {
    source: FileSource,
    known: BTreeMap<PathBuf, Known>,
    /// What all files named together when they were not too many.
    last: Found,
}

/// A file that was there when it was last looked at, or the time before.
#[derive(Debug, Default)]
struct Known {
    /// How it looked last.
    seen: Option<FileStamp>,
    /// How it looked when it was read.
    read: Option<FileStamp>,
    /// What it named when it was last good.
    found: Found,
    problem: Option<String>,
    is_missing: bool,
}

/// What a look at the files comes to.
#[derive(Debug, PartialEq)]
pub(super) struct Look {
    /// What all files name together, each by its last good content.
    pub(super) found: Found,
    pub(super) problem: Option<String>,
}

impl Files {
    pub(super) fn new(source: FileSource) -> Self {
        Self {
            source,
            known: BTreeMap::new(),
            last: Found::default(),
        }
    }

    /// The same files with other settings: each is read anew, and as long as one is broken, what it named stays.
    pub(super) fn succeeding(source: FileSource, former: &Self) -> Self {
        let known = former.known.iter().map(|(path, known)| {
            let known = Known {
                found: known.found.clone(),
                problem: known.problem.clone(),
                ..Known::default()
            };
            (path.clone(), known)
        });
        Self {
            source,
            known: known.collect(),
            last: former.last.clone(),
        }
    }

    /// Looks at the files for the first time, and reads them all at once.
    pub(super) fn first_look(&mut self) -> Look {
        self.look_at(true)
    }

    /// Looks at the files again.
    pub(super) fn look(&mut self) -> Look {
        self.look_at(false)
    }

    fn look_at(&mut self, at_once: bool) -> Look {
        let listed = match files_of(&self.source.pattern) {
            Ok(listed) => listed,
            Err(problem) => return self.all(Some(&problem)),
        };
        // A file that is replaced may be missing for a moment.
        self.known
            .retain(|path, known| listed.contains(path) || !known.is_missing);
        for (path, known) in &mut self.known {
            known.is_missing = !listed.contains(path);
        }
        let source = &self.source;
        for path in &listed {
            let known = self.known.entry(path.clone()).or_default();
            known.look(path, source, at_once);
        }
        let is_there = is_pattern(&source.pattern) || !listed.is_empty();
        let problem = (!is_there).then_some("there is no such file");
        self.all(problem)
    }

    fn all(&mut self, problem: Option<&str>) -> Look {
        let mut problems: Vec<&str> = problem.into_iter().collect();
        let of_files = self.known.values();
        problems.extend(of_files.filter_map(|known| known.problem.as_deref()));
        let known = || self.known.values().map(|known| &known.found);
        let count: usize = known().map(|found| found.endpoints.len()).sum();
        let too_many = format!("{count} targets in all files: at most {MOST_TARGETS} are taken");
        let found = if count > MOST_TARGETS {
            problems.push(&too_many);
            None
        } else {
            let mut whole = Found::default();
            for found in known() {
                whole.endpoints.extend_from_slice(&found.endpoints);
                whole.not_probed.extend_from_slice(&found.not_probed);
            }
            Some(whole)
        };
        let problem = (!problems.is_empty()).then(|| problems.join("; "));
        if let Some(found) = found {
            self.last = found;
        }
        Look {
            found: self.last.clone(),
            problem,
        }
    }
}

impl Known {
    fn look(&mut self, path: &Path, source: &FileSource, at_once: bool) {
        let stamp = match FileStamp::of(path) {
            Ok(stamp) => stamp,
            Err(error) => {
                self.problem = Some(format!("cannot read {}: {error}", path.display()));
                return;
            }
        };
        let looks_the_same = self.seen.replace(stamp) == Some(stamp);
        if self.read == Some(stamp) || !(looks_the_same || at_once) {
            return;
        }
        let content = match read_bounded(path, MOST_BYTES) {
            Ok(content) => content,
            Err(problem) => {
                self.problem = Some(problem);
                return;
            }
        };
        if FileStamp::of(path).ok() != Some(stamp) {
            // It changes while it is read: the next look will tell.
            return;
        }
        self.read = Some(stamp);
        match targets(path, content, source) {
            Ok(found) => {
                self.found = found;
                self.problem = None;
            }
            Err(problem) => self.problem = Some(problem),
        }
    }
}

fn targets(path: &Path, content: Vec<u8>, source: &FileSource) -> Result<Found, String> {
    let file = path.display().to_string();
    let extension = path.extension().unwrap_or_default();
    let groups = if extension.eq_ignore_ascii_case("json") {
        groups_in_json(&file, &content)?
    } else {
        let text = String::from_utf8(content).map_err(|_| format!("{file} is not UTF-8 text"))?;
        target_groups(&file, &text).map_err(|problems| {
            let told: Vec<String> = problems.0.iter().map(ToString::to_string).collect();
            let shown = told.iter().take(MOST_PROBLEMS).cloned();
            let shown: Vec<String> = shown.collect();
            shown.join("; ")
        })?
    };
    endpoints(&groups, &source.defaults, Origin::FileSd)
        .map_err(|problem| format!("{file}: {problem}"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::config::TargetDefaults;

    fn files(pattern: &str) -> (TempDir, Files) {
        let folder = tempfile::tempdir().unwrap();
        let source = FileSource {
            pattern: folder.path().join(pattern),
            defaults: TargetDefaults::default(),
        };
        (folder, Files::new(source))
    }

    fn names(look: &Look) -> Vec<&str> {
        let endpoints = look.found.endpoints.iter();
        endpoints
            .map(|settings| settings.endpoint.name.as_str())
            .collect()
    }

    #[test]
    fn a_file_that_is_being_written_is_left_alone() {
        let (folder, mut files) = files("*.yml");
        let path = folder.path().join("a.yml");
        fs::write(&path, "- targets: ['a:1', 'b:1']\n").unwrap();
        assert_eq!(names(&files.first_look()), ["a:1", "b:1"]);
        fs::write(&path, "- targets: ['a:1']\n").unwrap();
        assert_eq!(names(&files.look()), ["a:1", "b:1"]);
        fs::write(&path, "- targets: ['a:1', 'b:1', 'c:1']\n").unwrap();
        assert_eq!(names(&files.look()), ["a:1", "b:1"]);
        assert_eq!(names(&files.look()), ["a:1", "b:1", "c:1"]);
    }

    #[test]
    fn a_broken_file_keeps_what_it_named() {
        let (folder, mut files) = files("*.json");
        let path = folder.path().join("a.json");
        fs::write(&path, r#"[{"targets": ["a:1"]}]"#).unwrap();
        fs::write(folder.path().join("b.json"), r#"[{"targets": ["b:1"]}]"#).unwrap();
        assert_eq!(files.first_look().problem, None);
        for (broken, told) in [
            ("", "a.json:1:0: EOF"),
            ("[{\"targets\": 1}]", "a.json:1:"),
            ("{}", "a.json:1:0: invalid type, expected a sequence"),
        ] {
            fs::write(&path, broken).unwrap();
            files.look();
            let look = files.look();
            assert_eq!(names(&look), ["a:1", "b:1"]);
            let problem = look.problem.unwrap();
            assert!(problem.contains(told), "{problem}");
        }
        fs::write(&path, r#"[{"targets": ["c:1"]}]"#).unwrap();
        files.look();
        let look = files.look();
        assert_eq!(
            (names(&look), look.problem.as_deref()),
            (vec!["c:1", "b:1"], None)
        );
    }

    #[test]
    fn files_come_and_go() {
        let (folder, mut files) = files("*.yml");
        assert_eq!(
            files.first_look(),
            Look {
                found: Found::default(),
                problem: None
            }
        );
        let path = folder.path().join("a.yml");
        fs::write(&path, "[{targets: ['a:1']}]").unwrap();
        files.look();
        assert_eq!(names(&files.look()), ["a:1"]);
        fs::remove_file(&path).unwrap();
        assert_eq!(names(&files.look()), ["a:1"], "it may be replaced");
        assert!(files.look().found.endpoints.is_empty());
    }

    #[test]
    fn what_is_gone_with_its_folder_stays() {
        let (folder, mut files) = files("t/a.yml");
        let inner = folder.path().join("t");
        fs::create_dir(&inner).unwrap();
        assert_eq!(files.first_look().problem.unwrap(), "there is no such file");
        fs::write(inner.join("a.yml"), "[{targets: ['a:1']}]").unwrap();
        files.look();
        assert_eq!(names(&files.look()), ["a:1"]);
        fs::remove_dir_all(&inner).unwrap();
        for _ in 0..3 {
            let look = files.look();
            assert_eq!(names(&look), ["a:1"]);
            assert!(look.problem.unwrap().starts_with("cannot list "));
        }
    }

    #[test]
    fn what_is_too_large_is_not_read() {
        let (folder, mut files) = files("a.yml");
        let path = folder.path().join("a.yml");
        let file = fs::File::create(&path).unwrap();
        file.set_len(MOST_BYTES + 1).unwrap();
        assert!(files.first_look().problem.unwrap().contains("larger than"));
    }
}
