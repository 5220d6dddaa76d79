//! The Grafana dashboards: every query has an answer, every name exists, and the JSON is what Grafana says that it should be.
//!
//! | file | what it shows |
//! |---|---|
//! | `dashboards/queries.rs` | every query has an answer of a real Prometheus |
//! | `dashboards/structure.rs` | names, places, links and pictures are sound |
//! | `dashboards/schema.py`, `types/` | Grafana's own libraries know every part |
//! | `dashboards/model.rs` | the dashboards as their files say |
//! | `dashboards/site.rs`, `line.rs` | the site that they show, at the end of lines that are slow, or down |
//! | `dashboards/record.rs` | records what the pictures are drawn from |

mod line;
mod model;
mod queries;
mod record;
mod site;
mod structure;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use libtest_mimic::Trial;

use crate::kit::{Lab, run_to_end};
use crate::page::python;
use crate::suite::{SharedLab, trial};

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![
        trial(
            "dashboards::queries_have_answers",
            lab,
            queries::have_answers,
        ),
        trial("dashboards::names_exist", lab, structure::names_exist),
        trial(
            "dashboards::panels_explain_themselves",
            lab,
            structure::panels_explain_themselves,
        ),
        trial(
            "dashboards::panels_have_room",
            lab,
            structure::panels_have_room,
        ),
        trial("dashboards::links_resolve", lab, structure::links_resolve),
        trial(
            "dashboards::pictures_are_fresh",
            lab,
            structure::pictures_are_fresh,
        ),
        trial("dashboards::are_what_their_source_writes", lab, source),
        trial(
            "dashboards::have_the_form_that_grafana_expects",
            lab,
            schema,
        ),
        trial("dashboards::recorded", lab, record::record).with_ignored_flag(true),
    ]
}

/// Whoever edits the JSON by hand is told where the source is.
fn source(lab: &Lab) {
    let written = lab.path("dashboards-written");
    fs::create_dir(&written).unwrap();
    let script = model::folder().join("source/write.py");
    let mut command = Command::new("python3");
    command
        .arg("-B")
        .arg(script)
        .arg(&written)
        .stdin(Stdio::null());
    let finished = run_to_end(command);
    assert_eq!(finished.exit_code, 0, "{finished:?}");
    let names = |folder: &Path| {
        let files = fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path());
        let files = files.filter(|file| file.extension() == Some("json".as_ref()));
        let names = files.map(|file| file.file_name().unwrap().to_owned());
        names.collect::<BTreeSet<_>>()
    };
    assert_eq!(names(&model::folder()), names(&written));
    for name in names(&written) {
        let [there, made] = [model::folder(), written.clone()]
            .map(|folder| fs::read_to_string(folder.join(&name)).unwrap());
        assert!(
            there == made,
            "{name:?} is not what dashboards/source/write.py writes"
        );
    }
}

fn schema(lab: &Lab) {
    let folder = lab.path("dashboards-types");
    python(
        "dashboards/schema.py",
        &[folder.to_str().expect("a path in UTF-8")],
    );
}
