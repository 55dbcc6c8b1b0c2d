//! A cache of hubs laid out by hand, and a matrix that asks for a model in it.

use crate::support::Place;
use serde_json::{Map, Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

/// The commit that `main` stands for.
pub const COMMIT: &str = "89abcdef0123456789abcdef0123456789abcdef";

/// The files of the model, with what they hold. One is small, and known to git; the others are large,
/// and known by SHA-256.
pub const FILES: [(&str, &str); 5] = [
    ("config.json", "{\"layers\": 4}"),
    ("weights/a.bin", "hello"),
    ("weights/b.bin", "world"),
    ("tokens.bin", "tokens"),
    ("merges.bin", "merges"),
];

/// A model in the cache of a place, under `owner/name`.
pub struct Cached {
    pub place: Place,
}

/// Returns the digest by which a hub knows a file.
pub fn digest(name: &str, content: &str) -> String {
    let bytes = if name == "config.json" {
        let mut hasher = Sha1::new();
        hasher.update(format!("blob {}\0{content}", content.len()));
        hasher.finalize().to_vec()
    } else {
        Sha256::digest(content).to_vec()
    };
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Cached {
    /// Lays out a model that is whole.
    pub fn whole() -> Self {
        let cached = Self {
            place: Place::new(),
        };
        for folder in ["blobs", "refs", "trees"] {
            fs::create_dir_all(cached.repository().join(folder)).unwrap();
        }
        fs::write(cached.repository().join("refs/main"), COMMIT).unwrap();
        cached.list();
        for (name, content) in FILES {
            cached.put(name, content);
        }
        cached.place.write("m.yaml", &matrix(""));
        cached
    }

    pub fn repository(&self) -> PathBuf {
        let home = self.place.store().with_file_name("huggingface");
        home.join("hub/models--owner--name")
    }

    pub fn tree(&self) -> PathBuf {
        self.repository().join(format!("trees/{COMMIT}.json"))
    }

    /// The place of a file in the snapshot: a link.
    pub fn link(&self, name: &str) -> PathBuf {
        self.repository().join("snapshots").join(COMMIT).join(name)
    }

    /// The place of a file's content.
    pub fn blob(&self, name: &str) -> PathBuf {
        let (_, content) = FILES.iter().find(|(known, _)| *known == name).unwrap();
        self.repository().join("blobs").join(digest(name, content))
    }

    /// Writes the list of the commit.
    fn list(&self) {
        let files: Map<String, Value> = FILES
            .iter()
            .map(|(name, content)| {
                let digest = digest(name, content);
                let listed = if digest.len() == 40 {
                    json!({"size": content.len(), "blob_id": digest})
                } else {
                    json!({"size": 130, "blob_id": "f".repeat(40), "lfs_sha256": digest,
                           "lfs_size": content.len(), "xet_hash": "ignored"})
                };
                ((*name).to_owned(), listed)
            })
            .collect();
        let tree = json!({"format_version": 1, "files": files});
        fs::write(self.tree(), tree.to_string()).unwrap();
    }

    /// Puts content in its place, and a link to it.
    fn put(&self, name: &str, content: &str) {
        fs::write(self.blob(name), content).unwrap();
        let link = self.link(name);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        let up = "../".repeat(name.matches('/').count() + 2);
        let target = format!("{up}blobs/{}", digest(name, content));
        symlink(target, link).unwrap();
    }

    /// Verifies, and returns the one answer.
    pub fn verify(&self, method: &str) -> Value {
        self.verify_with(&["--verify-method", method])
    }

    pub fn verify_with(&self, arguments: &[&str]) -> Value {
        let mut all = vec!["verify", "m.yaml", "--format", "json"];
        all.extend(arguments);
        answer(&self.place.run(&all))
    }
}

/// Returns the one answer of a verify, whose exit status must fit it.
pub fn answer(ran: &crate::support::Ran) -> Value {
    let answer = ran.json()["verifies"][0].clone();
    let expected = if answer["verdict"] == "complete" {
        0
    } else {
        3
    };
    assert_eq!(ran.status, expected, "{}{}", ran.stdout, ran.stderr);
    answer
}

/// A matrix of a command that reads the model. Sizes and digests come from the cache alone.
pub fn matrix(rest: &str) -> String {
    let names: Vec<String> = FILES
        .iter()
        .map(|(name, _)| format!("{name}: {{}}"))
        .collect();
    format!(
        "version: 1\nname: cached\nmatrix:\n  backend: [reader]\n  model: [mine]\n  audio: [jfk]\n  \
         verify-method: [checksum]\nsettings: {{warmup: 0, repeat: 1}}\nbackends:\n  reader: \
         {{command: [cat, \"{{{{ model.directory }}}}/tokens.bin\"], output: text, artifact: ggml-f16}}\n\
         models:\n  mine:\n    size: tiny\n    artifacts:\n      ggml-f16:\n        files: {{{}}}\n        \
         sources: [{{hub: owner/name}}]\n{rest}\n",
        names.join(", ")
    )
}
