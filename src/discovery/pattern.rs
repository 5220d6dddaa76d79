//! Which files a pattern names: `*` stands for any characters of the file's name, `?` for one.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// More files are not looked at.
pub(super) const MOST_FILES: usize = 1000;

/// The files that there are, in the order of their names; in one line, why that cannot be said.
pub(super) fn files_of(pattern: &Path) -> Result<Vec<PathBuf>, String> {
    let folder = match pattern.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = pattern.file_name().unwrap_or_default();
    let unreadable = |error| format!("cannot list {}: {error}", folder.display());
    if !is_pattern(pattern) {
        return match pattern.metadata() {
            Ok(_) => Ok(vec![pattern.to_owned()]),
            // Where the folder is gone, too, nobody took the file away on purpose.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                fs::read_dir(folder).map_err(unreadable)?;
                Ok(Vec::new())
            }
            Err(error) => Err(format!("cannot read {}: {error}", pattern.display())),
        };
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.file_name();
        if fits(name, &file) {
            files.push(folder.join(file));
        }
    }
    if files.len() > MOST_FILES {
        return Err(format!("more than {MOST_FILES} files"));
    }
    files.sort();
    Ok(files)
}

/// Whether there may be many files.
pub(super) fn is_pattern(pattern: &Path) -> bool {
    let name = pattern.file_name().unwrap_or_default();
    name.to_string_lossy().contains(['*', '?'])
}

/// Files that begin with a dot are an editor's, unless the pattern says so.
fn fits(pattern: &OsStr, name: &OsStr) -> bool {
    let (pattern, name) = (pattern.to_string_lossy(), name.to_string_lossy());
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    matches(&pattern, &name)
}

/// In linear space and at most quadratic time: after a mismatch, only the last `*` is tried again.
fn matches(pattern: &[char], name: &[char]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while read < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(expected) if *expected == '?' || *expected == name[read] => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((place, taken)) = star else {
                    return false;
                };
                star = Some((place, taken + 1));
                at = place + 1;
                read = taken + 1;
            }
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_patterns() {
        let cases = [
            ("*.yml", "a.yml", true),
            ("*.yml", "a.yml.swp", false),
            ("*.yml", ".a.yml", false),
            (".*.yml", ".a.yml", true),
            ("a?c.json", "abc.json", true),
            ("a?c.json", "ac.json", false),
            ("a*b*c.yml", "a-b-b-c.yml", true),
            ("a*b*c.yml", "a-c-b.yml", false),
            ("x.yml", "x.yml", true),
            ("[a].yml", "a.yml", false),
            ("ä*.yml", "äö.yml", true),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(
                fits(pattern.as_ref(), name.as_ref()),
                expected,
                "{pattern} {name}"
            );
        }
        let long = "a".repeat(5000);
        assert!(!fits("*a*a*a*a*b".as_ref(), long.as_ref()));
    }

    #[test]
    fn a_folder_that_is_gone_is_no_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let exact = folder.path().join("a.yml");
        assert_eq!(files_of(&exact).unwrap(), Vec::<PathBuf>::new());
        fs::write(&exact, "[]").unwrap();
        fs::write(folder.path().join("b.yml"), "[]").unwrap();
        assert_eq!(files_of(&exact).unwrap().len(), 1);
        assert_eq!(files_of(&folder.path().join("*.yml")).unwrap().len(), 2);
        for gone in ["gone/a.yml", "gone/*.yml"] {
            let problem = files_of(&folder.path().join(gone)).unwrap_err();
            assert!(problem.starts_with("cannot list "), "{problem}");
        }
    }
}
