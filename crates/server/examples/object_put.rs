//! Uploads a file to S3 with the multipart upload of `object_store`: the baseline of `benches/throughput.py`.
//!
//! ```sh
//! object_put FILE s3://BUCKET/KEY
//! ```

use std::error::Error;
use std::io::Read as _;

use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::{ObjectStoreExt as _, WriteMultipart};

/// The length of a part, as in `ObjectStorage`.
const PART: usize = 8 * 1024 * 1024;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Fails only if there is a provider already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut arguments = std::env::args().skip(1);
    let (Some(file), Some(url)) = (arguments.next(), arguments.next()) else {
        return Err("expected FILE s3://BUCKET/KEY".into());
    };
    let (origin, key) = url.trim_start_matches("s3://").split_once('/').ok_or("missing key")?;
    let store = AmazonS3Builder::from_env().with_bucket_name(origin).build()?;
    let upload = store.put_multipart(&Path::from(key)).await?;
    let mut writer = WriteMultipart::new_with_chunk_size(upload, PART);
    let mut file = std::fs::File::open(file)?;
    let mut buffer = vec![0; PART];
    loop {
        let length = file.read(&mut buffer)?;
        if length == 0 {
            break;
        }
        writer.wait_for_capacity(2).await?;
        writer.write(&buffer[..length]);
    }
    writer.finish().await?;
    Ok(())
}
