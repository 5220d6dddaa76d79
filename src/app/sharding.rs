//! The flags that make this reachd one of several which share the checks.

use clap::Args;

use super::Fault;
use crate::plan::Shard;
use crate::platform;

/// Written in place of an index.
const AUTO: &str = "auto";

/// Where a Kubernetes manifest puts the name of the pod, where the host has another one.
const POD_NAME: &str = "REACHD_POD_NAME";

/// Which of several reachd this is.
#[derive(Debug, Clone, Default, Args)]
pub struct ShardArguments {
    /// Run only one shard of the checks: its number, from 0 on, or `auto` for the number behind the last hyphen of
    /// `REACHD_POD_NAME` or else of the host name, as the pods of a `StatefulSet` have it. It holds for `run`, `check`
    /// and `config check`.
    #[arg(
        long = "shard.index",
        value_name = "N|auto",
        global = true,
        env = "REACHD_SHARD_INDEX"
    )]
    pub index: Option<String>,

    /// How many shards there are: as many reachd, each with the same configuration and an index of its own.
    #[arg(
        long = "shard.count",
        value_name = "M",
        global = true,
        env = "REACHD_SHARD_COUNT"
    )]
    pub count: Option<String>,
}

// === impl ShardArguments ===

impl ShardArguments {
    /// The shard that is asked for, if any.
    pub(super) fn shard(&self) -> Result<Option<Shard>, Fault> {
        self.shard_on(&|| platform::environment(POD_NAME), &platform::host_name)
    }

    /// The same on a machine with these names.
    fn shard_on(
        &self,
        pod: &dyn Fn() -> Option<String>,
        host: &dyn Fn() -> Option<String>,
    ) -> Result<Option<Shard>, Fault> {
        let is_there = |text: &&str| !text.is_empty();
        let index = self.index.as_deref().filter(is_there);
        let count = self.count.as_deref().filter(is_there);
        let (index, count) = match (index, count) {
            (None, None) => return Ok(None),
            (Some(index), Some(count)) => (index, count),
            (Some(_), None) => {
                return usage(
                    "--shard.index needs --shard.count (or REACHD_SHARD_COUNT): how many reachd share the checks",
                );
            }
            (None, Some(_)) => {
                return usage(
                    "--shard.count needs --shard.index (or REACHD_SHARD_INDEX): which of them this is, from 0 on, or `auto`",
                );
            }
        };
        let index = match index {
            AUTO => ordinal(pod().filter(|name| !name.is_empty()), host())?,
            written => number("--shard.index", written, " or `auto`")?,
        };
        let count = number("--shard.count", count, "")?;
        Shard::new(index, count)
            .map(Some)
            .map_err(|error| Fault::Usage(format!("--shard.index and --shard.count: {error}")))
    }
}

fn number(flag: &str, written: &str, or: &str) -> Result<u64, Fault> {
    let is_plain = written.bytes().all(|byte| byte.is_ascii_digit());
    let number = written.parse().ok().filter(|_| is_plain);
    number.ok_or_else(|| Fault::Usage(format!("{flag}: `{written}` is no number{or}")))
}

/// The number behind the last hyphen of the pod's name, or of the first part of the host's.
fn ordinal(pod: Option<String>, host: Option<String>) -> Result<u64, Fault> {
    let (what, name) = match (pod, host) {
        (Some(pod), _) => (POD_NAME, pod),
        (None, Some(host)) => ("the host name", host),
        (None, None) => {
            return usage(&format!(
                "--shard.index auto: the machine has no name; set {POD_NAME}, or write the index"
            ));
        }
    };
    let first = match what {
        POD_NAME => name.as_str(),
        _ => name.split('.').next().unwrap_or_default(),
    };
    let digits = first.rsplit_once('-').map(|(_, digits)| digits);
    let ordinal = digits.and_then(|digits| number("", digits, "").ok());
    ordinal.ok_or_else(|| {
        Fault::Usage(format!(
            "--shard.index auto: {what} `{name}` does not end with a hyphen and a number, as those of a StatefulSet do; set \
             {POD_NAME}, or write the index"
        ))
    })
}

fn usage<T>(words: &str) -> Result<T, Fault> {
    Err(Fault::Usage(words.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shard, or the words about why there is none.
    fn asked(index: &str, count: &str, pod: &str, host: &str) -> Result<Option<Shard>, String> {
        let given = |text: &str| (text != "none").then(|| text.to_owned());
        let arguments = ShardArguments {
            index: given(index),
            count: given(count),
        };
        let shard = arguments.shard_on(&|| given(pod), &|| given(host));
        shard.map_err(|fault| fault.to_string())
    }

    #[test]
    fn an_index_is_written_or_taken_from_a_name() {
        let cases = [
            ("none", "none", "none", "reachd-3", None),
            ("", "", "none", "none", None),
            ("0", "1", "none", "none", Some((0, 1))),
            ("2", "3", "reachd-1", "none", Some((2, 3))),
            ("auto", "3", "none", "reachd-2", Some((2, 3))),
            (
                "auto",
                "30",
                "none",
                "reachd-a-12.reachd.ns.svc",
                Some((12, 30)),
            ),
            ("auto", "3", "reachd-1", "reachd-2", Some((1, 3))),
            ("auto", "3", "", "reachd-2", Some((2, 3))),
        ];
        for (index, count, pod, host, expected) in cases {
            let shard = asked(index, count, pod, host).unwrap();
            let found = shard.map(|shard| (shard.index(), shard.count()));
            assert_eq!(found, expected, "{index} {count} {pod} {host}");
        }
    }

    #[test]
    fn what_is_wrong_is_told() {
        let cases = [
            (
                "1",
                "none",
                "none",
                "none",
                "--shard.index needs --shard.count",
            ),
            (
                "none",
                "2",
                "none",
                "none",
                "--shard.count needs --shard.index",
            ),
            (
                "x",
                "2",
                "none",
                "none",
                "--shard.index: `x` is no number or `auto`",
            ),
            (
                "-1",
                "2",
                "none",
                "none",
                "--shard.index: `-1` is no number or `auto`",
            ),
            (
                "0",
                "+2",
                "none",
                "none",
                "--shard.count: `+2` is no number",
            ),
            ("0", "0", "none", "none", "the count of shards is 0"),
            ("3", "3", "none", "none", "indexes go from 0 to 2"),
            ("auto", "3", "none", "reachd-3", "indexes go from 0 to 2"),
            ("auto", "3", "none", "none", "the machine has no name"),
            (
                "auto",
                "3",
                "none",
                "server7",
                "the host name `server7` does not end with",
            ),
            (
                "auto",
                "3",
                "reachd-x7",
                "reachd-1",
                "REACHD_POD_NAME `reachd-x7` does not end with",
            ),
        ];
        for (index, count, pod, host, words) in cases {
            let told = asked(index, count, pod, host).unwrap_err();
            assert!(told.contains(words), "{told}");
        }
    }
}
