//! Files of a Hugging Face repository, by the byte streams of `hf-hub`.
//!
//! `hf-hub` has no time limits, checks neither status nor size nor digest, and would take the body
//! of an error for the file. So everything is passed to it explicitly, every wait here is bounded,
//! and nothing is taken whose size and digest are not known beforehand.

use super::HubRequest;
use futures_util::StreamExt;
use hf_hub::HFClient;
use std::path::Path;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

/// Tries at the same file, each from its beginning.
const TRIES: usize = 3;

/// Fetches the files of an artifact into a folder. Dropping the future ends the transfer.
///
/// # Errors
///
/// Returns the reason, with the file, if one cannot be had.
pub async fn fetch_hub(
    request: &HubRequest<'_>,
    folder: &Path,
    stall: Duration,
    progress: impl Fn(String),
) -> Result<(), String> {
    let (owner, name) = request
        .repository
        .split_once('/')
        .ok_or_else(|| format!("`{}` is no repository", request.repository))?;
    let mut builder = HFClient::builder()
        .endpoint(request.endpoint.clone())
        .cache_enabled(false)
        .retry_max_attempts(2);
    if let Some(token) = &request.token {
        builder = builder.token(token.clone());
    }
    let client = builder
        .build()
        .map_err(|error| format!("no client: {error}"))?;
    let repository = client.model(owner, name);
    for (file, expected) in &request.artifact.files {
        let (Some(bytes), Some(_)) = (expected.bytes, &expected.sha256) else {
            return Err(format!(
                "`{file}` comes from a hub, and its size and digest are not known; give `bytes` \
                 and `sha256`, so that what arrives can be believed"
            ));
        };
        let target = folder.join(file);
        if let Some(parent) = target.parent() {
            tokio::fs::create_dir_all(parent)
                .await
                .map_err(|error| error.to_string())?;
        }
        let mut tries = 0;
        loop {
            tries += 1;
            progress(format!("{}: {file}, {bytes} bytes", request.repository));
            let stream = repository.download_file_stream().filename(file.clone());
            let opened = timeout(stall, stream.revision(request.revision.to_owned()).send());
            let arrived = match opened.await {
                Err(_) => Err(format!("no answer within {} s", stall.as_secs_f64())),
                Ok(Err(error)) => Err(error.to_string()),
                Ok(Ok((_, stream))) => receive(stream, &target, bytes, stall).await,
            };
            match arrived {
                Ok(()) => break,
                Err(reason) if tries >= TRIES => {
                    return Err(format!("{file} of {}: {reason}", request.repository));
                }
                Err(reason) => progress(format!("{file}: {reason}; once more")),
            }
        }
    }
    Ok(())
}

/// Writes a stream to a file and ends at the first byte too many or too few.
async fn receive<S, B, E>(
    mut stream: S,
    target: &Path,
    expected: u64,
    stall: Duration,
) -> Result<(), String>
where
    S: futures_util::Stream<Item = Result<B, E>> + Unpin,
    B: AsRef<[u8]>,
    E: std::fmt::Display,
{
    let mut file = tokio::fs::File::create(target)
        .await
        .map_err(|error| error.to_string())?;
    let mut arrived = 0u64;
    while let Some(chunk) = timeout(stall, stream.next())
        .await
        .map_err(|_| format!("stalled for {} s at {arrived} bytes", stall.as_secs_f64()))?
    {
        let chunk = chunk.map_err(|error| error.to_string())?;
        arrived += chunk.as_ref().len() as u64;
        if arrived > expected {
            return Err(format!("more than the expected {expected} bytes arrived"));
        }
        file.write_all(chunk.as_ref())
            .await
            .map_err(|error| error.to_string())?;
    }
    file.flush().await.map_err(|error| error.to_string())?;
    if arrived == expected {
        Ok(())
    } else {
        Err(format!("{arrived} of {expected} bytes arrived"))
    }
}
