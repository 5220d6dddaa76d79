//! What the readers of lists and answers about revocation stand, given anything at all.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use rustls::pki_types::CertificateDer;

pub use super::answer::fuzzed::revocation_answer;
use super::certificate::{Subject, subjects};
pub use super::list::fuzzed::revocation_list;

/// Who signed the seeds, and the certificate that they are about; none where its files are not there.
pub(super) static SUBJECT: LazyLock<Option<Subject>> = LazyLock::new(|| {
    let read = |name| std::fs::read(folder().join("files").join(name)).ok();
    let path = [read("leaf.der")?, read("authority.der")?];
    subjects(&path.map(CertificateDer::from)).pop()
});

/// Every seed of a target.
pub(super) fn seeds(target: &str) -> Vec<Vec<u8>> {
    let files = std::fs::read_dir(folder().join("seeds").join(target));
    let files = files.into_iter().flatten().flatten();
    files
        .filter_map(|file| std::fs::read(file.path()).ok())
        .collect()
}

/// Whether what is signed in these bytes is signed in a seed, too.
pub(super) fn is_in_a_seed(signed: &[u8], seeds: &[Vec<u8>]) -> bool {
    let has_it = |seed: &Vec<u8>| seed.windows(signed.len()).any(|window| window == signed);
    seeds.iter().any(has_it)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::probe::revocation::answer::Answer;
    use crate::probe::revocation::list::List;

    #[test]
    fn what_is_signed_in_the_seeds_is_believed() {
        let subject = SUBJECT.as_ref().unwrap();
        let lists = seeds("revocation_list");
        let believed = lists
            .iter()
            .filter(|seed| List::verified(seed, &subject.issuer).is_ok());
        assert_eq!(believed.count(), 4);
        let answers = seeds("revocation_answer");
        let now = SystemTime::now();
        let believed = answers
            .iter()
            .filter(|seed| Answer::verified(seed, subject, now).is_ok());
        assert_eq!(believed.count(), 4);
    }
}
