//! Fetches lists and answers over the revocation route: each fetch is a small probe of its own, with all that a probe
//! has, and so its failure has a phase, a peer and a reason.

use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use tokio::task::spawn_blocking;
use url::Url;

use super::answer;
use super::certificate::Subject;
use super::disk::Disk;
use super::document::Document;
use super::store::Key;
use super::trouble::Trouble;
use super::turns::{Lane, SMALL_BYTES, Turn};
use crate::outcome::RevocationReason;
use crate::plan::MOST_LIST_BYTES;
use crate::probe::Probe;
use crate::probe::http::Post;

/// What an answer may take: with the certificates beside it, some kilobytes.
const MOST_ANSWER_BYTES: usize = 256 << 10;

/// One list or answer to be had.
#[derive(Debug)]
pub(super) struct Errand {
    /// What makes the small probes: its route, names and trust.
    pub(super) carrier: Probe,
    pub(super) url: Url,
    pub(super) subject: Subject,
    pub(super) key: Key,
    pub(super) disk: Option<Arc<Disk>>,
    pub(super) lane: Lane,
}

/// What came, with its turn: the next one may come when it was read and kept.
#[derive(Debug)]
struct Load {
    bytes: Vec<u8>,
    turn: Turn,
}

/// What comes of an errand.
type Coming = Pin<Box<dyn Future<Output = Result<Document, Trouble>> + Send>>;

impl Errand {
    /// Takes what the disk has, unless something newer is wanted, and fetches otherwise.
    pub(super) fn run(self, renewal: bool) -> Coming {
        let errand = Arc::new(self);
        Box::pin(async move {
            if !renewal && let Some(document) = errand.kept().await {
                return Ok(document);
            }
            let fetched = match &errand.key.serial {
                None => errand.get(&errand.url, None).await,
                Some(_) => errand.answer().await,
            };
            fetched.map_err(|trouble| trouble.over(&errand.carrier.check.route.name))
        })
    }

    async fn get(self: &Arc<Self>, url: &Url, post: Option<Post>) -> Result<Document, Trouble> {
        let load = self.fetch(url, post).await?;
        self.verified(load).await
    }

    /// By GET as Windows does, for such answers can be cached; by POST where that leads to nothing usable.
    async fn answer(self: &Arc<Self>) -> Result<Document, Trouble> {
        let question = answer::question(&self.subject)?;
        let by_get = match answer::get_url(&self.url, &question) {
            Some(url) => self.get(&url, None).await,
            None => Err(Trouble::new(RevocationReason::Unreachable, "not asked")),
        };
        let trouble = match by_get {
            Ok(document) => return Ok(document),
            Err(trouble) if trouble.reason == RevocationReason::Timeout => return Err(trouble),
            Err(trouble) => trouble,
        };
        let post = Post {
            content_type: "application/ocsp-request",
            body: Bytes::from(question),
        };
        self.get(&self.url, Some(post)).await.map_err(|other| {
            if other.rank() > trouble.rank() {
                other
            } else {
                trouble
            }
        })
    }

    /// As something small first, whatever it is. What turns out to be large is fetched anew as one of a few in the
    /// whole process, and waits for that with nothing in hand.
    async fn fetch(&self, url: &Url, post: Option<Post>) -> Result<Load, Trouble> {
        let most_bytes = match self.key.serial {
            Some(_) => MOST_ANSWER_BYTES,
            None => MOST_LIST_BYTES,
        };
        let small = most_bytes.min(SMALL_BYTES);
        let turn = self.lane.small().await;
        match self.fetch_up_to(small, url, post.clone()).await {
            Err(trouble) if trouble.reason == RevocationReason::TooLarge && small < most_bytes => {}
            fetched => return fetched.map(|bytes| Load { bytes, turn }),
        }
        drop(turn);
        let turn = self.lane.large().await;
        let fetched = self.fetch_up_to(most_bytes, url, post).await;
        fetched.map(|bytes| Load { bytes, turn })
    }

    async fn fetch_up_to(
        &self,
        most_bytes: usize,
        url: &Url,
        post: Option<Post>,
    ) -> Result<Vec<u8>, Trouble> {
        let fetched = self.carrier.fetch(url, post, most_bytes).await;
        fetched.map_err(|failure| Trouble::of_fetch(&failure))
    }

    /// Off the probing thread: a long list takes its time.
    async fn verified(self: &Arc<Self>, load: Load) -> Result<Document, Trouble> {
        let errand = Arc::clone(self);
        let verified = spawn_blocking(move || {
            let document = errand.document(&load.bytes, SystemTime::now())?;
            Ok((document, load))
        });
        let broken_off = |_| Err(Trouble::malformed("reading it was broken off"));
        let (document, load) = verified.await.unwrap_or_else(broken_off)?;
        if let Some(disk) = &self.disk {
            let (errand, kept) = (Arc::clone(self), Arc::clone(disk));
            let write = move || {
                kept.write(&errand.key, &load.bytes);
                drop(load.turn);
            };
            disk.in_turn(write).await;
        }
        Ok(document)
    }

    async fn kept(self: &Arc<Self>) -> Option<Document> {
        let disk = self.disk.clone()?;
        let (errand, kept) = (Arc::clone(self), Arc::clone(&disk));
        let read = move || kept.read(&errand.key, |bytes, since| errand.document(bytes, since));
        disk.in_turn(read).await.flatten()
    }

    fn document(&self, bytes: &[u8], since: SystemTime) -> Result<Document, Trouble> {
        let now = SystemTime::now();
        match &self.key.serial {
            None => Document::of_list(bytes, &self.subject, since, now),
            Some(_) => Document::of_answer(bytes, &self.subject, since, now),
        }
    }
}

impl Trouble {
    /// What a probe says that can wait no longer.
    pub(super) fn no_time(route: &str) -> Self {
        let what = "it did not come before the probe's time for it was over";
        Self::new(RevocationReason::Timeout, what).over(route)
    }
}
