//! S3 in this process, reached through a socket.

use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};
use std::path::PathBuf;

use bits_proto_test_tools::interop::{self, Area};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use s3s::auth::SimpleAuth;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CopyObjectInput, CopyObjectOutput, CopySource,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, DeleteObjectInput, DeleteObjectOutput,
    DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETag, GetObjectInput, GetObjectOutput,
    HeadObjectInput, HeadObjectOutput, ListObjectsV2Input, ListObjectsV2Output, Object,
    PutObjectInput, PutObjectOutput, Timestamp, UploadPartInput, UploadPartOutput,
};
use s3s::service::S3ServiceBuilder;
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

/// Maximum number of objects in one response. S3 has 1000; fewer make tests use several.
const MAX_KEYS: usize = 3;

/// The name of the only bucket.
pub const BUCKET: &str = "bucket";
const ACCESS_KEY: &str = "access-key";
const SECRET_KEY: &str = "secret-key";

/// A file system as S3, with what it lacks: any key is valid beside any other, conditional writes are atomic,
/// lists have tags, an upload that does not exist is reported as such, and the tags of parts are verified when
/// an upload is completed.
struct Bucket {
    files: FileSystem,
    folder: PathBuf,
    /// Held by every operation on objects, so that a condition is evaluated in the step that uses it.
    index: Mutex<Index>,
}

#[derive(Default)]
struct Index {
    /// Tags of objects by key.
    objects: BTreeMap<String, ETag>,
    /// Tags of parts by upload and number.
    parts: HashMap<(String, i32), ETag>,
}

/// A server with an empty bucket. It stops when the value is dropped.
pub struct Server {
    _folder: TempDir,
    task: JoinHandle<()>,
    endpoint: String,
}

impl Server {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join(BUCKET)).expect("a bucket");
        let files = FileSystem::new(PathBuf::from(folder.path())).expect("a file system");
        let bucket = Bucket { files, folder: folder.path().join(BUCKET), index: Mutex::default() };
        let mut service = S3ServiceBuilder::new(bucket);
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = service.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let service = service.clone();
                connections.spawn(async move {
                    let builder = auto::Builder::new(TokioExecutor::new());
                    let _ = builder.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Self { _folder: folder, task, endpoint }
    }

    /// Returns the variables with which clients of S3 find the server.
    pub fn variables(&self) -> [(&'static str, &str); 5] {
        [
            ("AWS_ENDPOINT", &self.endpoint),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        ]
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Records what was tried with the server, and with these further commands.
#[track_caller]
pub fn record(area: Area, action: &str, commands: &[&str], result: &str) {
    let commands = [&["s3s_fs::FileSystem in the test"], commands].concat();
    interop::record(area, "s3s-fs", action, &commands, result);
}

/// Returns an error unless there is a bucket with this name.
fn exists(bucket: &str) -> S3Result<()> {
    if bucket == BUCKET { Ok(()) } else { Err(s3_error!(NoSuchBucket)) }
}

/// Returns the name of the file of an object.
fn file(key: &str) -> String {
    let mut hasher = std::hash::DefaultHasher::new();
    key.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

#[async_trait::async_trait]
impl S3 for Bucket {
    async fn put_object(
        &self,
        mut request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        exists(&request.input.bucket)?;
        let mut index = self.index.lock().await;
        let file = file(&request.input.key);
        let key = std::mem::replace(&mut request.input.key, file);
        let response = self.files.put_object(request).await?;
        index.objects.insert(key, response.output.e_tag.clone().expect("a tag"));
        Ok(response)
    }

    async fn copy_object(
        &self,
        mut request: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        let mut index = self.index.lock().await;
        let destination = file(&request.input.key);
        let key = std::mem::replace(&mut request.input.key, destination);
        if let CopySource::Bucket { key, .. } = &mut request.input.copy_source {
            *key = file(key).into();
        }
        let response = self.files.copy_object(request).await?;
        let tag = response.output.copy_object_result.as_ref().and_then(|it| it.e_tag.clone());
        index.objects.insert(key, tag.expect("a tag"));
        Ok(response)
    }

    async fn delete_object(
        &self,
        mut request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let mut index = self.index.lock().await;
        index.objects.remove(&request.input.key);
        request.input.key = file(&request.input.key);
        self.files.delete_object(request).await
    }

    async fn delete_objects(
        &self,
        mut request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let mut index = self.index.lock().await;
        let mut deleted = Vec::new();
        for object in &mut request.input.delete.objects {
            index.objects.remove(&object.key);
            let file = file(&object.key);
            let key = Some(std::mem::replace(&mut object.key, file));
            deleted.push(DeletedObject { key, ..DeletedObject::default() });
        }
        let mut response = self.files.delete_objects(request).await?;
        response.output.deleted = Some(deleted);
        Ok(response)
    }

    async fn get_object(
        &self,
        mut request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let _index = self.index.lock().await;
        request.input.key = file(&request.input.key);
        self.files.get_object(request).await
    }

    async fn head_object(
        &self,
        mut request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let _index = self.index.lock().await;
        request.input.key = file(&request.input.key);
        self.files.head_object(request).await
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let index = self.index.lock().await;
        let prefix = request.input.prefix.unwrap_or_default();
        let after = request.input.continuation_token.unwrap_or_default();
        let objects = index
            .objects
            .iter()
            .filter(|(key, _)| key.starts_with(&prefix) && (after.is_empty() || **key > after));
        let mut contents = Vec::new();
        let mut next_continuation_token = None;
        for (key, tag) in objects {
            if contents.len() == MAX_KEYS {
                next_continuation_token =
                    contents.last().and_then(|last: &Object| last.key.clone());
                break;
            }
            let metadata = std::fs::metadata(self.folder.join(file(key))).expect("a file");
            contents.push(Object {
                key: Some(key.clone()),
                size: i64::try_from(metadata.len()).ok(),
                last_modified: metadata.modified().ok().map(Timestamp::from),
                e_tag: Some(tag.clone()),
                ..Object::default()
            });
        }
        Ok(S3Response::new(ListObjectsV2Output {
            is_truncated: Some(next_continuation_token.is_some()),
            next_continuation_token,
            contents: Some(contents),
            ..ListObjectsV2Output::default()
        }))
    }

    async fn create_multipart_upload(
        &self,
        mut request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        exists(&request.input.bucket)?;
        request.input.key = file(&request.input.key);
        self.files.create_multipart_upload(request).await
    }

    async fn upload_part(
        &self,
        mut request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let mut index = self.index.lock().await;
        let part = (request.input.upload_id.clone(), request.input.part_number);
        request.input.key = file(&request.input.key);
        let response = self.files.upload_part(request).await.map_err(no_such_upload)?;
        index.parts.insert(part, response.output.e_tag.clone().expect("a tag"));
        Ok(response)
    }

    async fn complete_multipart_upload(
        &self,
        mut request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let mut index = self.index.lock().await;
        let parts = request.input.multipart_upload.iter().flat_map(|upload| &upload.parts);
        for part in parts.flatten() {
            let number = part.part_number.unwrap_or_default();
            let stored = index.parts.get(&(request.input.upload_id.clone(), number));
            if stored.is_none() || stored != part.e_tag.as_ref() {
                return Err(s3_error!(InvalidPart));
            }
        }
        let file = file(&request.input.key);
        let key = std::mem::replace(&mut request.input.key, file);
        let completed = self.files.complete_multipart_upload(request).await;
        let mut response = completed.map_err(no_such_upload)?;
        if let Some(output) = response.output.future.take() {
            response.output = output.await?;
        }
        index.objects.insert(key, response.output.e_tag.clone().expect("a tag"));
        Ok(response)
    }

    async fn abort_multipart_upload(
        &self,
        mut request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        request.input.key = file(&request.input.key);
        self.files.abort_multipart_upload(request).await.map_err(no_such_upload)
    }
}

/// Returns the error of S3 for an upload that does not exist.
fn no_such_upload(error: s3s::S3Error) -> s3s::S3Error {
    if *error.code() == s3s::S3ErrorCode::AccessDenied { s3_error!(NoSuchUpload) } else { error }
}
