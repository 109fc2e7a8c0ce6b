//! A store that counts requests, verifies parts, and fails or stalls at random.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// A wrapper of a store. Clones share everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observed<S> {
    inner: S,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    requests: Mutex<BTreeMap<&'static str, u64>>,
    bytes: Mutex<BTreeMap<&'static str, u64>>,
    faults: Mutex<Option<Faults>>,
    /// Content ids of the parts of each upload, which stores verify when an upload is completed.
    parts: tokio::sync::Mutex<HashMap<String, HashMap<usize, String>>>,
    number: AtomicU64,
    ignores_conditions: AtomicBool,
    /// Number of operations that have begun and not ended.
    active: AtomicUsize,
    /// Operations to stall, with a barrier for each.
    stalls: Mutex<HashMap<&'static str, Arc<Stall>>>,
}

/// Stalls the next operation of a kind before it reaches the store.
#[derive(Debug, Default)]
pub(crate) struct Stall {
    pub(crate) reached: tokio::sync::Notify,
    pub(crate) released: tokio::sync::Notify,
}

/// Random faults.
#[derive(Debug)]
struct Faults {
    state: u64,
    /// One of this number of operations fails or stalls. 0 if all stall and none fail.
    rarity: u64,
    max_stall: Duration,
}

enum Fault {
    None,
    Stall(Duration),
    /// The operation is not done.
    Before,
    /// The operation is done, and its response is lost.
    After,
}

impl<S> Observed<S> {
    pub(crate) fn new(inner: S) -> Self {
        Self { inner, state: Arc::default() }
    }

    /// Lets operations fail and stall at random.
    pub(crate) fn set_faults(&self, seed: u64, rarity: u64, max_stall: Duration) {
        *locked(&self.state.faults) = Some(Faults { state: seed | 1, rarity, max_stall });
    }

    /// Lets operations stall at random.
    pub(crate) fn set_stalls(&self, seed: u64, max_stall: Duration) {
        *locked(&self.state.faults) = Some(Faults { state: seed | 1, rarity: 0, max_stall });
    }

    pub(crate) fn clear_faults(&self) {
        *locked(&self.state.faults) = None;
    }

    /// Stalls the next operation of a kind.
    pub(crate) fn stall(&self, operation: &'static str) -> Arc<Stall> {
        let stall = Arc::new(Stall::default());
        locked(&self.state.stalls).insert(operation, Arc::clone(&stall));
        stall
    }

    /// Writes objects whether or not a condition is true.
    pub(crate) fn ignore_conditions(&self) {
        self.state.ignores_conditions.store(true, Ordering::Relaxed);
    }

    /// Waits for a moment in which no operation is in progress.
    pub(crate) async fn idle(&self) {
        while self.state.active.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Returns the number of requests by kind since the last call.
    pub(crate) fn take_requests(&self) -> BTreeMap<&'static str, u64> {
        std::mem::take(&mut locked(&self.state.requests))
    }

    /// Returns the number of bytes by kind of request since the last call.
    pub(crate) fn take_bytes(&self) -> BTreeMap<&'static str, u64> {
        std::mem::take(&mut locked(&self.state.bytes))
    }

    fn count_bytes(&self, operation: &'static str, bytes: u64) {
        *locked(&self.state.bytes).entry(operation).or_default() += bytes;
    }

    fn fault(&self) -> Fault {
        let mut faults = locked(&self.state.faults);
        let Some(faults) = faults.as_mut() else { return Fault::None };
        // One of `rarity` operations, or each one if there are stalls only.
        let kind = match faults.rarity {
            0 => 2 + faults.next() % 2,
            rarity => faults.next() % (4 * rarity),
        };
        match kind {
            0 => Fault::Before,
            1 => Fault::After,
            2 | 3 => {
                let max = u64::try_from(faults.max_stall.as_millis()).expect("a short time");
                Fault::Stall(Duration::from_millis(faults.next() % max.max(1)))
            }
            _ => Fault::None,
        }
    }

    /// Performs an operation, unless a fault prevents it.
    async fn operate<T>(
        &self,
        operation: &'static str,
        performed: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        *locked(&self.state.requests).entry(operation).or_default() += 1;
        let _active = Active::new(&self.state.active);
        let stall = locked(&self.state.stalls).remove(operation);
        if let Some(stall) = stall {
            stall.reached.notify_one();
            stall.released.notified().await;
        }
        match self.fault() {
            Fault::None => performed.await,
            Fault::Stall(time) => {
                tokio::time::sleep(time).await;
                performed.await
            }
            Fault::Before => Err(injected(operation)),
            Fault::After => match performed.await {
                Ok(_) => Err(injected(operation)),
                Err(error) => Err(error),
            },
        }
    }
}

/// Counts an operation in progress.
struct Active<'a>(&'a AtomicUsize);

impl<'a> Active<'a> {
    fn new(number: &'a AtomicUsize) -> Self {
        number.fetch_add(1, Ordering::SeqCst);
        Self(number)
    }
}

impl Drop for Active<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Faults {
    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }
}

fn injected(operation: &'static str) -> Error {
    Error::Generic { store: "observed", source: format!("injected fault in {operation}").into() }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("a lock")
}

impl<S: fmt::Display> fmt::Display for Observed<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<S: ObjectStore + Clone> Observed<S> {
    /// Returns the number of objects in the store.
    pub(crate) async fn objects(&self) -> usize {
        self.inner.list(None).count().await
    }
}

#[async_trait]
impl<S: ObjectStore + Clone> ObjectStore for Observed<S> {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        mut options: PutOptions,
    ) -> Result<PutResult> {
        if self.state.ignores_conditions.load(Ordering::Relaxed) {
            options.mode = PutMode::Overwrite;
        }
        self.count_bytes("put", payload.content_length() as u64);
        self.operate("put", self.inner.put_opts(location, payload, options)).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.operate("create", self.inner.put_multipart_opts(location, options)).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let kind = if options.head { "head" } else { "get" };
        let result = self.operate(kind, self.inner.get_opts(location, options)).await?;
        self.count_bytes(
            kind,
            if kind == "get" { result.range.end - result.range.start } else { 0 },
        );
        Ok(result)
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        let operation = async move {
            let listed: Vec<_> = locations.collect().await;
            if listed.is_empty() {
                return Vec::new();
            }
            let locations = futures_util::stream::iter(listed).boxed();
            let deleted = async { Ok(store.inner.delete_stream(locations).collect().await) };
            store.operate("delete", deleted).await.unwrap_or_else(|error| vec![Err(error)])
        };
        operation.map(futures_util::stream::iter).flatten_stream().boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (store, prefix) = (self.clone(), prefix.cloned());
        let operation = async move {
            let listed = async { Ok(store.inner.list(prefix.as_ref()).collect::<Vec<_>>().await) };
            store.operate("list", listed).await.unwrap_or_else(|error| vec![Err(error)])
        };
        operation.map(futures_util::stream::iter).flatten_stream().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.operate("list", self.inner.list_with_delimiter(prefix)).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.operate("copy", self.inner.copy_opts(from, to, options)).await
    }
}

#[async_trait]
impl<S: ObjectStore + MultipartStore + Clone> MultipartStore for Observed<S> {
    async fn create_multipart(&self, path: &Path) -> Result<String> {
        self.operate("create", self.inner.create_multipart(path)).await
    }

    async fn create_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> Result<String> {
        self.operate("create", self.inner.create_multipart_opts(path, options)).await
    }

    async fn put_part(
        &self,
        path: &Path,
        id: &String,
        number: usize,
        payload: PutPayload,
    ) -> Result<PartId> {
        self.count_bytes("part", payload.content_length() as u64);
        let put = async {
            let mut parts = self.state.parts.lock().await;
            let mut part = self.inner.put_part(path, id, number, payload).await?;
            if part.content_id.is_empty() {
                let unique = self.state.number.fetch_add(1, Ordering::Relaxed);
                part.content_id = format!("{unique:032x}");
            }
            let content_id = part.content_id.clone();
            parts.entry(id.clone()).or_default().insert(number, content_id);
            Ok(part)
        };
        self.operate("part", put).await
    }

    async fn complete_multipart(
        &self,
        path: &Path,
        id: &String,
        parts: Vec<PartId>,
    ) -> Result<PutResult> {
        let complete = async {
            let stored = self.state.parts.lock().await;
            let stored = stored.get(id);
            for (number, part) in parts.iter().enumerate() {
                let found = stored.and_then(|parts| parts.get(&number));
                if found != Some(&part.content_id) {
                    let source = format!("InvalidPart: part {number} was replaced").into();
                    return Err(Error::Generic { store: "observed", source });
                }
            }
            self.inner.complete_multipart(path, id, parts).await
        };
        self.operate("complete", complete).await
    }

    async fn abort_multipart(&self, path: &Path, id: &String) -> Result<()> {
        self.operate("abort", self.inner.abort_multipart(path, id)).await
    }
}
