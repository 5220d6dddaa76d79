//! The threads on which scripts run: few, asleep as long as nobody asks, and never one that probes. A script that
//! needs a name is answered by the probe that waits for it, from that probe's resolver and within its deadline.

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, timeout_at};

use super::Question;
use super::desk::Desk;
use super::sandbox::{Sandbox, THREAD_STACK};
use super::script::Script;
use super::trouble::Trouble;
use crate::outcome::{Observed, Peer};
use crate::probe::connect::fair_share;
use crate::probe::dns::Resolver;

/// Threads of one route: one that hangs in a script does not hold up the others at once.
const THREADS: usize = 2;

/// One name of a script may take this part of the time that is left.
const SHARES: usize = 4;

/// The threads of one route. They end with it.
#[derive(Debug)]
pub(super) struct Pool {
    /// As many as threads: whoever has one finds a thread that is free.
    permits: Arc<Semaphore>,
    jobs: Sender<Job>,
    queue: Arc<Mutex<Receiver<Job>>>,
    alive: Arc<Mutex<usize>>,
}

/// What came of a run.
#[derive(Debug)]
pub(super) struct Evaluation {
    pub(super) result: Result<String, Trouble>,
    /// What the script said by `alert`.
    pub(super) alerts: Vec<String>,
}

#[derive(Debug)]
struct Job {
    script: Arc<Script>,
    question: Question,
    events: mpsc::Sender<Event>,
    _permit: OwnedSemaphorePermit,
}

/// What a thread says to whoever waits.
#[derive(Debug)]
enum Event {
    Resolve(String, SyncSender<Vec<IpAddr>>),
    Done(Evaluation),
}

impl Pool {
    pub(super) fn new() -> Self {
        let (jobs, queue) = channel();
        Self {
            permits: Arc::new(Semaphore::new(THREADS)),
            jobs,
            queue: Arc::new(Mutex::new(queue)),
            alive: Arc::default(),
        }
    }

    /// Asks the script. Waiting for a thread counts to the time that there is.
    pub(super) async fn evaluate(
        &self,
        script: &Arc<Script>,
        question: &Question,
        resolver: &Resolver,
        deadline: Instant,
    ) -> Evaluation {
        if let Some(left) = script.pause(&question.url) {
            return Evaluation::failed(Trouble::Paused(left));
        }
        let permit = Arc::clone(&self.permits).acquire_owned();
        let Ok(Ok(permit)) = timeout_at(deadline, permit).await else {
            return Evaluation::failed(Trouble::Late);
        };
        // Where the script ran too long for another probe meanwhile, once is enough.
        if let Some(left) = script.pause(&question.url) {
            return Evaluation::failed(Trouble::Paused(left));
        }
        if let Err(why) = self.staff() {
            return Evaluation::failed(Trouble::Engine(why));
        }
        let (events, mut inbox) = mpsc::channel(1);
        let job = Job {
            script: Arc::clone(script),
            question: question.clone(),
            events,
            _permit: permit,
        };
        if self.jobs.send(job).is_err() {
            return Evaluation::failed(Trouble::Engine("there is no thread".to_owned()));
        }
        loop {
            match timeout_at(deadline, inbox.recv()).await {
                Ok(Some(Event::Resolve(name, reply))) => {
                    let until = fair_share(deadline, SHARES);
                    let mut unseen = Observed::default();
                    let found = resolver.addresses(&name, Peer::Proxy, until, &mut unseen);
                    // A script that was stopped meanwhile has no ear for it.
                    reply.send(found.await.unwrap_or_default()).ok();
                }
                Ok(Some(Event::Done(evaluation))) => return evaluation,
                Ok(None) => {
                    let why = "its thread ended".to_owned();
                    return Evaluation::failed(Trouble::Engine(why));
                }
                Err(_) => return Evaluation::failed(Trouble::Late),
            }
        }
    }

    /// Sees to it that there is a thread for every permit that is out.
    fn staff(&self) -> Result<(), String> {
        let busy = THREADS - self.permits.available_permits();
        let mut alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        while *alive < busy {
            let life = Life(Arc::clone(&self.alive));
            let queue = Arc::clone(&self.queue);
            let thread = thread::Builder::new()
                .name("pac".to_owned())
                .stack_size(THREAD_STACK)
                .spawn(move || {
                    let _life = life;
                    work(&queue);
                });
            match thread {
                Ok(_) => *alive += 1,
                Err(error) => return Err(format!("this machine cannot start a thread: {error}")),
            }
        }
        Ok(())
    }
}

impl Evaluation {
    fn failed(why: Trouble) -> Self {
        Self {
            result: Err(why),
            alerts: Vec::new(),
        }
    }
}

/// Takes a thread off the count when it ends, however it ends.
struct Life(Arc<Mutex<usize>>);

impl Drop for Life {
    fn drop(&mut self) {
        let mut alive = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *alive = alive.saturating_sub(1);
    }
}

/// The life of a thread: sleeps until there is a job, and ends when there can be none any more.
fn work(queue: &Mutex<Receiver<Job>>) {
    let desk = Rc::new(Desk::new());
    let mut loaded: Option<Loaded> = None;
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else {
            return;
        };
        if job.events.is_closed() {
            continue;
        }
        let events = job.events.clone();
        let ask = move |name: &str| {
            let (reply, answer) = sync_channel(1);
            let question = Event::Resolve(name.to_owned(), reply);
            events.blocking_send(question).ok()?;
            answer.recv().ok()
        };
        desk.clear(Box::new(ask));
        let result = run(&job, &desk, &mut loaded);
        match &result {
            Err(Trouble::Overrun(_)) => {
                job.script.overran(&job.question.url);
                loaded = None;
            }
            // What is left of a run that was broken off is nothing to go on with.
            Err(
                Trouble::Memory(_)
                | Trouble::TooManyLookUps(_)
                | Trouble::Late
                | Trouble::Engine(_),
            ) => {
                loaded = None;
            }
            _ => {}
        }
        let alerts = desk.close();
        let done = Event::Done(Evaluation { result, alerts });
        job.events.blocking_send(done).ok();
    }
}

/// The script that a thread has loaded, or why it cannot be loaded.
struct Loaded {
    script: Arc<Script>,
    sandbox: Result<Sandbox, Trouble>,
}

fn run(job: &Job, desk: &Rc<Desk>, loaded: &mut Option<Loaded>) -> Result<String, Trouble> {
    let kept = loaded
        .take()
        .filter(|kept| Arc::ptr_eq(&kept.script, &job.script));
    let kept = match kept {
        Some(kept) => kept,
        None => Loaded {
            script: Arc::clone(&job.script),
            sandbox: load(&job.script, desk)?,
        },
    };
    let kept = loaded.insert(kept);
    let sandbox = kept.sandbox.as_ref().map_err(Clone::clone)?;
    sandbox.find(&job.question.url, &job.question.host)
}

/// A script that is no JavaScript is none the next time either; any other trouble may pass.
fn load(script: &Script, desk: &Rc<Desk>) -> Result<Result<Sandbox, Trouble>, Trouble> {
    let sandbox = Sandbox::new(Rc::clone(desk))?;
    match sandbox.load(script) {
        Ok(()) => Ok(Ok(sandbox)),
        Err(why @ Trouble::Syntax { .. }) => Ok(Err(why)),
        Err(why) => Err(why),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::endpoint::ResolverSettings;

    fn script(text: &str) -> Arc<Script> {
        Arc::new(Script::new("test".to_owned(), text.as_bytes()))
    }

    async fn ask(pool: &Pool, script: &Arc<Script>, url: &str, time: Duration) -> Evaluation {
        let resolver = Resolver::new(&ResolverSettings::System).unwrap();
        let question = Question {
            url: url.to_owned(),
            host: "web.example".to_owned(),
        };
        let deadline = Instant::now() + time;
        pool.evaluate(script, &question, &resolver, deadline).await
    }

    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn a_thread_goes_on_with_another_script_and_after_every_trouble() {
        let pool = Pool::new();
        let loops = "function FindProxyForURL(url) { while (url == 'loop') {} return 'DIRECT'; }";
        let loops = script(loops);
        let hog = script("const all = []; for (;;) all.push(new Array(100000).fill(1));");
        let broken = script("}");
        for _ in 0..3 {
            let good = ask(&pool, &loops, "a", LONG).await;
            assert_eq!(good.result, Ok("DIRECT".to_owned()));
            let hogged = ask(&pool, &hog, "a", LONG).await.result;
            assert!(matches!(hogged, Err(Trouble::Memory(_))), "{hogged:?}");
            let broke = ask(&pool, &broken, "a", LONG).await.result;
            assert!(matches!(broke, Err(Trouble::Syntax { .. })), "{broke:?}");
        }
        let looped = ask(&pool, &loops, "loop", LONG).await.result;
        assert!(matches!(looped, Err(Trouble::Overrun(_))), "{looped:?}");
        let paused = ask(&pool, &loops, "loop", LONG).await.result;
        assert!(matches!(paused, Err(Trouble::Paused(_))), "{paused:?}");
        let good = ask(&pool, &loops, "a", LONG).await;
        assert_eq!(good.result, Ok("DIRECT".to_owned()));
    }

    #[tokio::test]
    async fn whoever_waits_waits_no_longer_than_its_deadline() {
        let pool = Pool::new();
        let loops = script("function FindProxyForURL(url) { for (;;); }");
        let short = Duration::from_millis(100);
        let started = Instant::now();
        let (a, b, c) = tokio::join!(
            ask(&pool, &loops, "a", short),
            ask(&pool, &loops, "b", short),
            ask(&pool, &loops, "c", short),
        );
        for evaluation in [a, b, c] {
            assert_eq!(evaluation.result, Err(Trouble::Late));
        }
        assert!(started.elapsed() < Duration::from_millis(900));
        // The loops are found out all the same.
        let good = script("function FindProxyForURL() { alert('hello'); return 'DIRECT'; }");
        let evaluation = ask(&pool, &good, "a", LONG).await;
        assert_eq!(evaluation.result, Ok("DIRECT".to_owned()));
        assert_eq!(evaluation.alerts, ["hello"]);
        assert!(loops.pause("a").is_some() || loops.pause("b").is_some());
    }
}
