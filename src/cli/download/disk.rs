//! How much room there is for models.

use crate::store::Store;
use rustix::fs::{StatVfs, statvfs};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The room of one file system that models lie on.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Room {
    /// The folders of models on it.
    pub(super) folders: Vec<PathBuf>,
    /// Bytes that a user may still write.
    pub(super) free: u64,
}

/// Returns the room of each file system that the store lies on. A folder that is not there yet is
/// made where its nearest one is; where nothing can be asked, nothing is told.
pub(super) fn rooms(store: &Store) -> Vec<Room> {
    let mut rooms: Vec<(u64, Room)> = Vec::new();
    for folder in [&store.root, &store.hub.root] {
        let Some(facts) = nearest(folder) else {
            continue;
        };
        match rooms.iter_mut().find(|(id, _)| *id == facts.f_fsid) {
            Some((_, room)) => room.folders.push(folder.clone()),
            None => rooms.push((
                facts.f_fsid,
                Room {
                    folders: vec![folder.clone()],
                    free: facts.f_bavail.saturating_mul(facts.f_frsize),
                },
            )),
        }
    }
    rooms.into_iter().map(|(_, room)| room).collect()
}

/// Asks about the nearest folder above a path that is there.
fn nearest(path: &Path) -> Option<StatVfs> {
    path.ancestors().find_map(|folder| statvfs(folder).ok())
}
