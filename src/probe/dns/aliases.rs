//! Which records of an answer belong to the name that was asked for: its own, and those of the names to which aliases
//! lead from it, step by step. Whatever else a server puts into its answer is nobody's address.

use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

use super::answer::without_dot;

/// More aliases are not followed: honest zones have a handful.
const MOST_ALIASES: usize = 16;

/// What an answer has for a question.
#[derive(Debug, Default)]
pub(super) struct Followed {
    /// The aliases in order, and the records of the name to which they lead.
    pub(super) records: Vec<Record>,
    /// Why there are no records to be had where the answer has some.
    pub(super) stray: Option<String>,
}

/// Follows the aliases of an answer from the name that was asked for.
pub(super) fn follow(query: &Query, answers: &[Record]) -> Followed {
    let mut followed = Followed::default();
    let mut names: Vec<&Name> = vec![query.name()];
    while let Some(alias) = next(query, answers, &names) {
        followed.records.push(alias.0.clone());
        if names.contains(&alias.1) {
            let first = without_dot(query.name());
            followed.stray = Some(format!("the aliases of {first} lead round in a circle"));
            return followed;
        }
        names.push(alias.1);
        if names.len() > MOST_ALIASES + 1 {
            followed.stray = Some(format!("there are more than {MOST_ALIASES} aliases"));
            return followed;
        }
    }
    let own = answers.iter().filter(|record| is_of(record, &names));
    let aliases = followed.records.len();
    followed
        .records
        .extend(own.filter(|record| !is_alias(query, record)).cloned());
    let other = answers.iter().find(|record| {
        !names.contains(&&record.name) && record.record_type() == query.query_type()
    });
    if let (true, Some(other)) = (followed.records.len() == aliases, other) {
        followed.stray = Some(format!(
            "it is for {}, and {} was asked for",
            without_dot(&other.name),
            without_dot(query.name())
        ));
    }
    followed
}

/// The alias of the last of these names, and where it leads.
fn next<'a>(
    query: &Query,
    answers: &'a [Record],
    names: &[&Name],
) -> Option<(&'a Record, &'a Name)> {
    let mut own = answers
        .iter()
        .filter(|record| is_of(record, names) && is_alias(query, record));
    own.find_map(|record| match &record.data {
        RData::CNAME(target) => Some((record, &target.0)),
        _ => None,
    })
}

/// Whether a record is of the last of these names.
fn is_of(record: &Record, names: &[&Name]) -> bool {
    names.last() == Some(&&record.name)
}

/// Who asks for an alias wants to have it, and not to follow it.
fn is_alias(query: &Query, record: &Record) -> bool {
    record.record_type() == RecordType::CNAME && query.query_type() != RecordType::CNAME
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use hickory_resolver::proto::rr::rdata::{A, CNAME};

    use super::*;

    fn name(text: &str) -> Name {
        Name::from_str(text).unwrap()
    }

    fn alias(of: &str, to: &str) -> Record {
        Record::from_rdata(name(of), 60, RData::CNAME(CNAME(name(to))))
    }

    fn address(of: &str) -> Record {
        Record::from_rdata(name(of), 60, RData::A(A::new(192, 0, 2, 1)))
    }

    #[test]
    fn records_count_that_aliases_lead_to() {
        let (circle, other) = (Some("round in a circle"), Some("it is for b.test"));
        let table: [(Vec<Record>, usize, Option<&str>); 9] = [
            (vec![], 0, None),
            (vec![address("a.test.")], 1, None),
            (vec![address("A.TEST.")], 1, None),
            (
                vec![alias("a.test.", "b.test."), address("b.test.")],
                2,
                None,
            ),
            // In whatever order
            (
                vec![address("b.test."), alias("a.test.", "b.test.")],
                2,
                None,
            ),
            // What is beside it does not matter
            (vec![address("a.test."), address("b.test.")], 1, None),
            (vec![address("b.test.")], 0, other),
            (vec![alias("a.test.", "a.test.")], 1, circle),
            (
                vec![alias("a.test.", "c.test."), alias("c.test.", "a.test.")],
                2,
                circle,
            ),
        ];
        for (answers, records, stray) in table {
            let query = Query::query(name("a.test."), RecordType::A);
            let followed = follow(&query, &answers);
            assert_eq!(followed.records.len(), records, "{answers:?}");
            match (&followed.stray, stray) {
                (None, None) => {}
                (Some(told), Some(part)) if told.contains(part) => {}
                _ => panic!("{followed:?}"),
            }
        }
    }

    #[test]
    fn a_long_chain_ends() {
        let chain = |length: usize| {
            let step = |number| {
                alias(
                    &format!("a{number}.test."),
                    &format!("a{}.test.", number + 1),
                )
            };
            let mut records: Vec<Record> = (0..length).map(step).collect();
            records.push(address(&format!("a{length}.test.")));
            let query = Query::query(name("a0.test."), RecordType::A);
            follow(&query, &records)
        };
        assert_eq!(chain(MOST_ALIASES).stray, None);
        assert_eq!(chain(MOST_ALIASES).records.len(), MOST_ALIASES + 1);
        assert!(chain(MOST_ALIASES + 1).stray.is_some());
    }

    #[test]
    fn who_asks_for_an_alias_gets_it() {
        let query = Query::query(name("a.test."), RecordType::CNAME);
        let answers = [alias("a.test.", "b.test."), alias("b.test.", "c.test.")];
        let followed = follow(&query, &answers);
        assert_eq!(followed.records.len(), 1);
        assert_eq!(followed.stray, None);
    }
}
