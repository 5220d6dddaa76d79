//! One source of targets, and the task that keeps looking at it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::task::AbortOnDropHandle;

use super::SourceStatus;
use super::board::Board;
use super::files::{Files, Look};
use super::m365::Service;
use super::server;
use crate::config::{Config, FileSource, HttpSource, M365Source};
use crate::endpoint::Origin;
use crate::plan::Check;
use crate::probe::Errand;

/// How often files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// One source of targets.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) settings: Settings,
    pub(super) board: Arc<Board>,
    work: Work,
    /// What fetches; another one with each configuration.
    errand: watch::Sender<Option<Errand>>,
    task: Mutex<Option<AbortOnDropHandle<()>>>,
}

/// Everything on which it depends: where this did not change, it goes on over a reload.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Settings {
    File(FileSource),
    Http(HttpSource, Arc<Check>),
    M365(M365Source, Arc<Check>, Option<PathBuf>),
}

/// What the source has in hand.
#[derive(Debug, Clone)]
enum Work {
    Files(Arc<Mutex<Files>>),
    Server(Arc<HttpSource>),
    Service(Arc<Service>),
}

impl Settings {
    /// All sources of a configuration; `errands` are its plan's.
    pub(super) fn all_of(config: &Config, errands: &[Arc<Check>]) -> Vec<Self> {
        let Some(discovery) = &config.discovery else {
            return Vec::new();
        };
        let errand = |origin: Origin, name: &str| {
            let mut errands = errands.iter();
            let is_its = |errand: &&Arc<Check>| {
                errand.endpoint.origin == origin && errand.endpoint.name == name
            };
            errands.find(is_its).cloned()
        };
        let files = discovery.file_sd.iter().cloned().map(Self::File);
        let servers = discovery.http_sd.iter().filter_map(|source| {
            let errand = errand(Origin::HttpSd, &source.name)?;
            Some(Self::Http(source.clone(), errand))
        });
        let service = discovery.m365.iter().filter_map(|source| {
            let errand = errand(Origin::Microsoft365, source.instance.as_str())?;
            Some(Self::M365(source.clone(), errand, config.state_dir.clone()))
        });
        files.chain(servers).chain(service).collect()
    }

    /// What it is called in the configuration.
    pub(super) fn name(&self) -> String {
        match self {
            Self::File(source) => source.pattern.display().to_string(),
            Self::Http(source, _) => source.name.clone(),
            Self::M365(source, ..) => source.instance.as_str().to_owned(),
        }
    }

    pub(super) fn kind(&self) -> Origin {
        match self {
            Self::File(_) => Origin::FileSd,
            Self::Http(..) => Origin::HttpSd,
            Self::M365(..) => Origin::Microsoft365,
        }
    }

    /// Whether it is the same source, whatever else is set for it.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(one), Self::File(other)) => one.pattern == other.pattern,
            (Self::Http(one, _), Self::Http(other, _)) => {
                (&one.name, &one.url) == (&other.name, &other.url)
            }
            (Self::M365(one, ..), Self::M365(other, ..)) => {
                (one.instance, &one.url) == (other.instance, &other.url)
            }
            _ => false,
        }
    }

    /// What is fetched for it, if anything.
    pub(super) fn errand(&self) -> Option<&Arc<Check>> {
        match self {
            Self::File(_) => None,
            Self::Http(_, errand) | Self::M365(_, errand, _) => Some(errand),
        }
    }
}

impl Source {
    /// Reads what is there to be read: files, and what was kept of an answer. Of the same source with other settings,
    /// if it is among the former ones, what it knew stays until it says more.
    pub(super) fn new(
        settings: Settings,
        changed: &watch::Sender<()>,
        former: &[Arc<Self>],
    ) -> Self {
        let mut former = former.iter();
        let former = former.find(|former| former.settings.is_same(&settings));
        let board = Arc::new(Board::new(settings.name(), changed.clone()));
        if let Some(former) = former {
            board.inherit(&former.board);
        }
        let work = match (&settings, former.map(|former| &former.work)) {
            (Settings::File(source), former) => {
                let mut files = match former {
                    Some(Work::Files(former)) => {
                        let former = former.lock().unwrap_or_else(PoisonError::into_inner);
                        Files::succeeding(source.clone(), &former)
                    }
                    _ => Files::new(source.clone()),
                };
                tell(&board, files.first_look());
                Work::Files(Arc::new(Mutex::new(files)))
            }
            (Settings::Http(source, _), _) => Work::Server(Arc::new(source.clone())),
            (Settings::M365(source, _, state_dir), former) => {
                let (source, state_dir) = (source.clone(), state_dir.as_deref());
                let service = match former {
                    Some(Work::Service(former)) => Service::succeeding(source, state_dir, former),
                    _ => Service::open(source, state_dir),
                };
                let (found, success) = service.remembered();
                board.remembered(found, success);
                Work::Service(Arc::new(service))
            }
        };
        Self {
            settings,
            board,
            work,
            errand: watch::Sender::default(),
            task: Mutex::default(),
        }
    }

    pub(super) fn status(&self) -> SourceStatus {
        let (up, targets, last_success) = self.board.standing();
        SourceStatus {
            source: self.settings.name(),
            kind: self.settings.kind(),
            up,
            targets,
            last_success,
        }
    }

    /// Goes on in the background, with the errand of the configuration that is in force now.
    pub(super) fn begin(&self, errand: impl FnOnce(&Arc<Check>) -> Option<Errand>) {
        if let Some(check) = self.settings.errand() {
            self.errand.send_replace(errand(check));
        }
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        task.get_or_insert_with(|| {
            let keeper = Keeper {
                board: Arc::clone(&self.board),
                errand: self.errand.subscribe(),
            };
            AbortOnDropHandle::new(tokio::spawn(keeper.keep(self.work.clone())))
        });
    }

    /// Asks once, whatever the time.
    pub(super) async fn ask(&self, errand: &Errand) {
        self.work.ask(errand, &self.board).await;
    }
}

impl Work {
    /// Asks, and says when to ask again.
    async fn ask(&self, errand: &Errand, board: &Board) -> Duration {
        let now = SystemTime::now();
        match self {
            Self::Files(_) => LOOK_EVERY,
            Self::Server(source) => {
                match server::ask(source, errand).await {
                    Ok(found) => board.good(found, now),
                    Err(problem) => board.failed(&problem),
                }
                source.refresh_interval
            }
            Self::Service(service) => {
                let (result, pause) = service.ask(errand, now).await;
                match result {
                    Ok((found, success)) => board.good(found, success),
                    Err(problem) => board.failed(&problem),
                }
                pause
            }
        }
    }
}

/// What runs in the background.
struct Keeper {
    board: Arc<Board>,
    errand: watch::Receiver<Option<Errand>>,
}

impl Keeper {
    async fn keep(self, work: Work) {
        if let Work::Files(files) = &work {
            self.look_at(files).await;
            return;
        }
        loop {
            let began = Instant::now();
            let errand = self.errand.borrow().clone();
            let pause = match errand {
                Some(errand) => work.ask(&errand, &self.board).await,
                None => LOOK_EVERY,
            };
            sleep_until(began + pause).await;
        }
    }

    /// On threads of their own: a file server may hang.
    async fn look_at(&self, files: &Arc<Mutex<Files>>) {
        loop {
            sleep(LOOK_EVERY).await;
            let files = Arc::clone(files);
            let look = spawn_blocking(move || {
                let mut files = files.lock().unwrap_or_else(PoisonError::into_inner);
                files.look()
            });
            match look.await {
                Ok(look) => tell(&self.board, look),
                Err(error) => self.board.failed(&error.to_string()),
            }
        }
    }
}

fn tell(board: &Board, look: Look) {
    match look.problem {
        None => board.good(look.found, SystemTime::now()),
        Some(problem) => board.partly_good(look.found, &problem),
    }
}
