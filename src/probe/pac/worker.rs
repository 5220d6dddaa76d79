//! The process in which scripts run: reachd itself with another command. An order a line in, a reply a line out. The
//! engine has a thread of its own, so that the process ends with the one that asks even in the middle of a script.

use std::io::{self, BufRead, Write};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde::{Deserialize, Serialize};

use super::desk::{Desk, Names};
use super::sandbox::{Sandbox, THREAD_STACK};
use super::trouble::Trouble;

/// The command of reachd that runs scripts; for reachd itself.
pub const PAC_COMMAND: &str = "pac-scripts";

/// What the script is to be asked.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    /// Where it is another one than for the order before.
    pub(super) script: Option<String>,
    pub(super) url: String,
    pub(super) host: String,
    /// As far as they are known. Where another one is needed, the reply says so, and the order comes again.
    pub(super) names: Names,
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Reply {
    pub(super) result: Result<String, Trouble>,
    /// What the script said by `alert`.
    pub(super) alerts: Vec<String>,
}

/// Runs scripts until there are no orders any more. Whoever calls this ends the process then.
///
/// # Errors
/// The orders cannot be read, or there is no thread.
pub fn run_pac_scripts(
    mut orders: impl BufRead,
    replies: impl Write + Send + 'static,
) -> io::Result<()> {
    let (engine, lines) = channel();
    thread::Builder::new()
        .name("pac".to_owned())
        .stack_size(THREAD_STACK)
        .spawn(move || work(&lines, replies))?;
    loop {
        let mut line = String::new();
        if orders.read_line(&mut line)? == 0 || engine.send(line).is_err() {
            return Ok(());
        }
    }
}

/// Ends when nobody orders, or listens, any longer.
fn work(lines: &Receiver<String>, mut replies: impl Write) -> Option<()> {
    let mut worker = Worker::new();
    for line in lines {
        let order: Order = serde_json::from_str(&line).ok()?;
        let mut reply = serde_json::to_vec(&worker.reply(order)).ok()?;
        reply.push(b'\n');
        replies.write_all(&reply).ok()?;
        replies.flush().ok()?;
    }
    None
}

struct Worker {
    desk: Rc<Desk>,
    script: String,
    /// The engine with the script in it, or why it cannot be loaded.
    loaded: Option<Result<Sandbox, Trouble>>,
}

impl Worker {
    fn new() -> Self {
        Self {
            desk: Rc::new(Desk::new()),
            script: String::new(),
            loaded: None,
        }
    }

    fn reply(&mut self, order: Order) -> Reply {
        if let Some(script) = order.script {
            self.script = script;
            self.loaded = None;
        }
        self.desk.clear(order.names);
        let result = self.find(&order.url, &order.host);
        if self.is_worn(&result) {
            self.loaded = None;
        }
        let alerts = self.desk.close();
        Reply { result, alerts }
    }

    fn find(&mut self, url: &str, host: &str) -> Result<String, Trouble> {
        let loaded = match self.loaded.take() {
            Some(loaded) => loaded,
            None => self.load()?,
        };
        let sandbox = self.loaded.insert(loaded).as_ref();
        sandbox.map_err(Clone::clone)?.find(url, host)
    }

    /// A script that is no JavaScript is none the next time either; any other trouble may pass.
    fn load(&self) -> Result<Result<Sandbox, Trouble>, Trouble> {
        let sandbox = Sandbox::new(Rc::clone(&self.desk))?;
        match sandbox.load(&self.script) {
            Ok(()) => Ok(Ok(sandbox)),
            Err(why @ Trouble::Syntax { .. }) => Ok(Err(why)),
            Err(why) => Err(why),
        }
    }

    /// What is left of a run that was broken off is nothing to go on with, nor is an engine that fills up.
    fn is_worn(&self, result: &Result<String, Trouble>) -> bool {
        let broken_off = matches!(
            result,
            Err(Trouble::Overrun(_)
                | Trouble::Memory(_)
                | Trouble::TooManyLookUps(_)
                | Trouble::Engine(_))
        );
        let sandbox = self.loaded.as_ref().and_then(|loaded| loaded.as_ref().ok());
        broken_off || sandbox.is_some_and(Sandbox::is_half_full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(script: Option<&str>, url: &str) -> Order {
        Order {
            script: script.map(str::to_owned),
            url: url.to_owned(),
            host: "web.example".to_owned(),
            names: Names::new(),
        }
    }

    const GREEDY: &str = "const kept = [];\n\
         function FindProxyForURL(url) { kept.push(new Array(500000).fill(1)); return 'PROXY ' + kept.length; }";

    #[test]
    fn answers_do_not_fill_the_engine() {
        let mut worker = Worker::new();
        worker.reply(order(Some(GREEDY), ""));
        for _ in 0..20 {
            let reply = worker.reply(order(None, ""));
            assert!(reply.result.is_ok(), "{reply:?}");
        }
    }

    #[test]
    fn it_goes_on_with_another_script_and_after_every_trouble() {
        let loops = "function FindProxyForURL(url) { while (url == 'loop') {} return 'DIRECT'; }";
        let hog = "const all = []; for (;;) all.push(new Array(100000).fill(1));";
        let asks = "const known = dnsResolve('a'); function FindProxyForURL() { alert(known); return 'DIRECT'; }";
        let mut worker = Worker::new();
        for _ in 0..2 {
            let looped = worker.reply(order(Some(loops), "loop")).result;
            assert!(matches!(looped, Err(Trouble::Overrun(_))), "{looped:?}");
            let good = worker.reply(order(None, "a")).result;
            assert_eq!(good, Ok("DIRECT".to_owned()));
            let hogged = worker.reply(order(Some(hog), "a")).result;
            assert!(matches!(hogged, Err(Trouble::Memory(_))), "{hogged:?}");
            let broke = worker.reply(order(Some("}"), "a")).result;
            assert!(matches!(broke, Err(Trouble::Syntax { .. })), "{broke:?}");
            let needs = worker.reply(order(Some(asks), "a")).result;
            assert_eq!(needs, Err(Trouble::NameNeeded("a".to_owned())));
            let mut again = order(None, "a");
            again.names = Names::from([("a".to_owned(), vec!["192.0.2.1".parse().unwrap()])]);
            let known = worker.reply(again);
            assert_eq!(known.result, Ok("DIRECT".to_owned()));
            assert_eq!(known.alerts, ["192.0.2.1"]);
        }
    }

    #[test]
    fn lines_in_lines_out() {
        let (reader, writer) = io::pipe().unwrap();
        let script = "function FindProxyForURL(url, host) { return host; }";
        let line = serde_json::to_string(&order(Some(script), "")).unwrap();
        let (orders, mut ordering) = io::pipe().unwrap();
        let process = thread::spawn(move || run_pac_scripts(io::BufReader::new(orders), writer));
        ordering.write_all(format!("{line}\n").as_bytes()).unwrap();
        let mut reply = String::new();
        io::BufReader::new(reader).read_line(&mut reply).unwrap();
        assert_eq!(
            reply,
            "{\"result\":{\"Ok\":\"web.example\"},\"alerts\":[]}\n"
        );
        drop(ordering);
        process.join().unwrap().unwrap();
    }
}
