use std::collections::HashSet;

use super::*;
use crate::catalog::table;

fn all() -> &'static [Prerequisite] {
    PREREQUISITES.as_ref().unwrap()
}

fn ids(scope: &str) -> Vec<String> {
    let needed = prerequisites(&Scope::parse(scope).unwrap()).unwrap();
    needed.into_iter().map(|one| one.id).collect()
}

#[test]
fn ids_are_unique_and_no_text_is_empty() {
    let mut seen = HashSet::new();
    for one in all() {
        let id = &one.id;
        assert!(seen.insert(id), "{id} is there twice");
        assert!(
            id.chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
            "{id}"
        );
        let mut texts = vec![&one.title, &one.why];
        texts.extend(&one.note);
        match &one.means {
            Means::Reachd { remedy, roots, .. } => {
                assert!(!remedy.is_empty(), "{id}");
                texts.extend(remedy.iter().chain(roots));
            }
            Means::Person(ways) => {
                for way in ways {
                    texts.extend([&way.how, &way.expect]);
                    texts.extend(&way.permission);
                    let needs_permission =
                        matches!(way.place, Place::Graph | Place::AdministrationService);
                    assert!(
                        !needs_permission || way.permission.is_some(),
                        "{id}: {way:?}"
                    );
                    assert!(
                        way.place != Place::Graph || way.how.starts_with("GET <graph>/"),
                        "{id}: only what reads, {way:?}"
                    );
                }
            }
        }
        for text in texts {
            assert!(text.trim().len() > 3, "{id}: {text:?}");
        }
        assert!(!one.clouds.is_empty(), "{id}");
        if let (Some(since), Some(until)) = (one.since, one.until) {
            assert!(since <= until, "{id}");
        }
    }
}

#[test]
fn everything_rests_on_a_dated_source_and_every_source_is_used() {
    let mut used = HashSet::new();
    for one in all() {
        assert!(!one.sources.is_empty(), "{}", one.id);
        for Reference {
            key,
            title,
            document,
            date,
        } in &one.sources
        {
            used.insert(key.as_str());
            let is_dated = date.len() >= "2026-11".len()
                && date.split('-').all(|part| part.parse::<u16>().is_ok());
            assert!(
                is_dated && !title.is_empty() && !document.is_empty(),
                "{key}"
            );
        }
    }
    let own: File = document(FILE).unwrap();
    for key in own.sources.keys() {
        assert!(used.contains(key.as_str()), "nothing rests on {key}");
        let shared = &catalog().unwrap().sources;
        assert!(!shared.contains_key(key), "{key} is in sources.yml, too");
    }
}

#[test]
fn reachd_looks_at_each_subject_once() {
    let subjects: Vec<Subject> = all()
        .iter()
        .filter_map(|one| match one.means {
            Means::Reachd { subject, .. } => Some(subject),
            Means::Person(_) => None,
        })
        .collect();
    assert_eq!(subjects, Subject::ALL);
}

#[test]
fn releases_and_clouds_gate() {
    let cases = [
        (
            "2010",
            vec!["user-discovery-both"],
            vec!["user-discovery", "cloud-only-user"],
        ),
        (
            "2103",
            vec!["user-discovery", "dotnet-4-5"],
            vec!["user-discovery-both"],
        ),
        (
            "2107",
            vec!["dotnet-4-6-2", "supported-release"],
            vec!["intune-rbac-mode"],
        ),
        (
            "2207",
            vec!["cloud-only-user", "intune-rbac-mode"],
            vec!["supported-release"],
        ),
        (
            "public",
            vec!["proxy-idle-time", "public-cloud"],
            vec!["us-government-cloud", "provider-iis"],
        ),
        (
            "us-government",
            vec!["us-government-cloud"],
            vec!["proxy-idle-time", "public-cloud"],
        ),
    ];
    for (scope, there, absent) in cases {
        let ids = ids(scope);
        for id in there {
            assert!(ids.iter().any(|one| one == id), "{scope} has no {id}");
        }
        for id in absent {
            assert!(all().iter().any(|one| one.id == id), "there is no {id}");
            assert!(!ids.iter().any(|one| one == id), "{scope} has {id}");
        }
    }
}

#[test]
fn the_calls_go_to_the_cloud() {
    let of = |scope: &str| {
        format!(
            "{:?}",
            prerequisites(&Scope::parse(scope).unwrap()).unwrap()
        )
    };
    assert!(of("public").contains("GET https://graph.microsoft.com/v1.0/subscribedSkus"));
    assert!(of("us-government").contains("GET https://graph.microsoft.us/v1.0/subscribedSkus"));
    assert!(!of("us-government").contains("<graph>"));
}

#[test]
fn where_tenant_attach_is_not_there_nothing_is_needed() {
    for (scope, why) in [
        (
            "china",
            "is not in the catalog for the cloud china (21Vianet)",
        ),
        ("us-government@2103", "nothing is available before 2107"),
        ("1910", "nothing is available before 2002"),
    ] {
        let error = prerequisites(&Scope::parse(scope).unwrap()).unwrap_err();
        assert!(error.to_string().contains(why), "{scope}: {error}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_id() {
    let head = "sources: {s: {title: T, document: d, date: 2020-06}}\nprerequisites:\n";
    let one = "id: x, title: T, why: w, critical: true";
    let way = "verify: [{where: log, how: h, expect: e}]";
    for (rest, expected) in [
        (format!("{one}, sources: [s]"), "x: it needs either"),
        (
            format!("{one}, {way}, verified: clock, sources: [s]"),
            "x: it needs either",
        ),
        (
            format!("{one}, {way}, sources: [t]"),
            "x: there is no source t",
        ),
        (
            format!("{one}, {way}, colour: red, sources: [s]"),
            "unknown field `colour`",
        ),
        (
            format!("{one}, verified: nothing, sources: [s]"),
            "unknown variant `nothing`",
        ),
    ] {
        let problem = read(&format!("{head}  - {{{rest}}}\n"), &BTreeMap::new()).unwrap_err();
        assert!(problem.contains(expected), "{rest}: {problem}");
    }
}

#[test]
fn the_documentation_lists_what_a_person_verifies() {
    let head = [
        "Prerequisite",
        "Critical",
        "Where one looks",
        "Needed",
        "Sources",
    ];
    let mut rows = vec![head.map(str::to_owned)];
    for one in all() {
        let Means::Person(ways) = &one.means else {
            continue;
        };
        let mut places: Vec<&str> = ways.iter().map(|way| way.place.title()).collect();
        places.dedup();
        let release = |word: &str, release: Option<Release>| {
            release.map(|release| format!("{word} {release}"))
        };
        let cloud = match one.clouds.as_slice() {
            [cloud] => Some(cloud.to_string()),
            _ => None,
        };
        let needed: Vec<String> = [
            release("since", one.since),
            release("until", one.until),
            cloud,
        ]
        .into_iter()
        .flatten()
        .collect();
        let sources: Vec<String> = one
            .sources
            .iter()
            .map(|source| format!("{} ({})", source.title, source.date))
            .collect();
        let critical = if one.critical { "yes" } else { "no" };
        rows.push([
            format!("{} (`{}`)", one.title, one.id),
            critical.to_owned(),
            places.join(", "),
            needed.join(", "),
            sources.join("; "),
        ]);
    }
    let table = table::markdown(&rows);
    let page = include_str!("../../../docs/prerequisites.md");
    let (_, rest) = page
        .split_once("<!-- prerequisites of persons -->\n")
        .unwrap();
    let (documented, _) = rest.split_once("<!-- end -->").unwrap();
    assert_eq!(
        documented, table,
        "docs/prerequisites.md should have:\n{table}"
    );
}
