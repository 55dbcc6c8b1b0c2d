//! From what the file says to what it means.

use super::axes::{Axis, Entry, NAMED_AXES, Reader, ZipGroup, located_value};
use super::deadlines::resolve_deadlines;
use super::environment::environment_of;
use super::extends::lay_over_bases;
use super::policies::resolve_cpus;
use super::wire::MatrixFile;
use super::wire_policies::QuietWire;
use crate::catalog::{Definitions, DefinitionsWire, folder_of, resolve_definitions};
use crate::diagnostic::{Diagnostic, Diagnostics, SourceText, Span};
use crate::model::{
    Deadlines, DownloadPolicy, Gate, Isolation, Order, Quiet, Retries, VerifyPolicy,
};
use crate::yaml::{Document, LocatedValue, decode};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// A value from `settings:`.
#[derive(Clone, Debug)]
pub struct SettingEntry {
    /// The setting's name.
    pub name: String,
    /// Its value and place.
    pub value: LocatedValue,
}

/// A matrix file, understood.
#[derive(Clone, Debug)]
pub struct Matrix {
    /// Its text.
    pub source: Arc<SourceText>,
    /// The files that it extends, the nearest first.
    pub extended: Vec<Arc<SourceText>>,
    /// Its name.
    pub name: String,
    /// The question it asks.
    pub description: String,
    /// Its axes in the order of the file.
    pub axes: Vec<Axis>,
    /// Axes that go together.
    pub zip: Vec<ZipGroup>,
    /// What to keep.
    pub only: Vec<Entry>,
    /// What to leave out.
    pub exclude: Vec<Entry>,
    /// What to add.
    pub include: Vec<Entry>,
    /// What to leave out after that.
    pub exclude_after: Vec<Entry>,
    /// Settings that are not axes.
    pub settings: Vec<SettingEntry>,
    /// Limits.
    pub deadlines: Deadlines,
    /// The order of timed work.
    pub order: Order,
    /// Seed of the random order.
    pub seed: Option<u64>,
    /// How long an engine lives.
    pub isolation: Isolation,
    /// Whether to wait for a quiet machine.
    pub quiet: Option<Quiet>,
    /// How often what may heal is tried again.
    pub retries: Retries,
    /// The CPUs that timed jobs are bound to, with their places.
    pub pin_cpus: Vec<(u32, Span)>,
    /// Whether anything may be fetched.
    pub download: DownloadPolicy,
    /// Which verdicts a benchmark needs.
    pub verify_policy: VerifyPolicy,
    /// Ids of normalizers with their places.
    pub normalizers: Vec<LocatedValue>,
    /// Bounds with their places.
    pub gates: Vec<(Gate, Span)>,
    /// Models, clips, engines and recipes of its own.
    pub definitions: Definitions,
    /// Limits that name a backend or model, with their places, for checking the names.
    pub override_names: Vec<(&'static str, LocatedValue)>,
    /// The variables of the environment that it asks for, each with its first place.
    pub environment: BTreeMap<String, Span>,
}

impl Matrix {
    /// Returns the name of a file of this matrix relative to the matrix's own folder, so that it
    /// is the same from wherever a plan is made.
    #[must_use]
    pub fn file_name(&self, source: &SourceText) -> String {
        let folder = self.source.path.parent().unwrap_or(Path::new(""));
        let name = source.path.strip_prefix(folder).unwrap_or(&source.path);
        name.to_string_lossy().into_owned()
    }

    /// Returns the engines that axis and `include` name, each once, in their order.
    #[must_use]
    pub fn backends(&self) -> Vec<String> {
        let axis = self
            .axes
            .iter()
            .filter(|axis| axis.name == "backend")
            .flat_map(|axis| axis.values.iter().map(|value| &value.located));
        let included = self
            .include
            .iter()
            .flat_map(|entry| &entry.keys)
            .filter(|key| key.name == "backend")
            .flat_map(|key| &key.values);
        let mut backends: Vec<String> = Vec::new();
        for value in axis.chain(included) {
            if !backends.contains(&value.value.written) {
                backends.push(value.value.written.clone());
            }
        }
        backends
    }
}

/// Reads a matrix file's text. What is wrong, and what is odd, goes into `problems`.
///
/// Returns `None` if there is nothing to go on with; otherwise the matrix is as good as the file
/// allows, and `problems` says whether it may be used.
pub fn read(source: Arc<SourceText>, problems: &mut Diagnostics) -> Option<Matrix> {
    let mut document = match Document::parse(Arc::clone(&source)) {
        Ok(document) => document,
        Err(problem) => {
            problems.push(*problem);
            return None;
        }
    };
    let extended = lay_over_bases(&mut document, problems)?;
    let file: MatrixFile = decode(&mut document, problems)?;
    let document = &document;
    check_version(&file, document, problems)?;
    let stem = source
        .path
        .file_stem()
        .map_or_else(String::new, |s| s.to_string_lossy().into());
    let name = file.name.as_ref().map_or(stem, |name| name.value.clone());
    if name.trim().is_empty() {
        problems.push(
            Diagnostic::error(
                file.name.as_ref().map(|name| document.span(name.node)),
                "the matrix has no name",
            )
            .path("name")
            .hint("write `name: …`"),
        );
    }
    check_axes(&file, document, problems);
    let section = &file.matrix.as_ref()?.value;
    let mut reader = Reader { document, problems };
    let (axes, nested) = reader.axes(&section.axes);
    let zip = reader.zip(&section.zip, &axes, nested);
    let only = reader.entries(&section.only, true);
    let exclude = reader.entries(&section.exclude, true);
    let include = reader.entries(&section.include, false);
    let exclude_after = reader.entries(&section.exclude_after, true);
    let settings = (file.settings.iter())
        .filter_map(|(name, wire)| {
            Some(SettingEntry {
                name: name.clone(),
                value: reader.setting(name, wire)?,
            })
        })
        .collect();
    let mut override_names = Vec::new();
    let deadlines = resolve_deadlines(&file.deadlines, document, &mut override_names, problems);
    let pin_cpus = resolve_cpus(file.pin_cpus.as_ref(), document, problems);
    Some(Matrix {
        name,
        description: file.description.unwrap_or_default().trim().to_owned(),
        axes,
        zip,
        only,
        exclude,
        include,
        exclude_after,
        environment: environment_of(document, problems),
        settings,
        deadlines,
        order: file.order,
        seed: file.seed,
        isolation: file.isolation,
        quiet: match file.quiet {
            QuietWire::Off => None,
            QuietWire::Until(quiet) => Some(quiet),
        },
        retries: file.retries.resolve(),
        pin_cpus,
        download: file.download,
        verify_policy: file.verify_policy,
        normalizers: file
            .score
            .normalizers
            .iter()
            .filter_map(|id| located_value("tag.normalizer", id.node, document))
            .collect(),
        gates: file
            .gates
            .into_iter()
            // What is wrong with such a one has been told.
            .filter(|gate| !document.is_damaged_within(gate.node))
            .map(|gate| (gate.value, document.span(gate.node)))
            .collect(),
        definitions: resolve_definitions(
            &DefinitionsWire {
                models: &file.models,
                audio: &file.audio,
                backends: &file.backends,
                recipes: &file.recipes,
            },
            document,
            Some(&folder_of),
            problems,
        ),
        override_names,
        extended,
        source,
    })
}

/// Tells a version that is missing or not ours. Returns `None` if the file is of another version,
/// whose other keys mean nothing here.
fn check_version(file: &MatrixFile, document: &Document, problems: &mut Diagnostics) -> Option<()> {
    let Some(version) = &file.version else {
        if !document.is_told("version") {
            problems.push(
                Diagnostic::error(Some(document.start()), "the key `version` is missing")
                    .label("the file has no version")
                    .path("version")
                    .hint("begin the file with `version: 1`"),
            );
        }
        return Some(());
    };
    if version.value == 1 {
        return Some(());
    }
    problems.push(
        Diagnostic::error(
            Some(document.span(version.node)),
            format!(
                "this program reads version 1, and the file says {}",
                version.value
            ),
        )
        .label("another version of the format")
        .path("version")
        .hint("write `version: 1`, or use the program that the file was written for"),
    );
    None
}

/// Tells a matrix section or a named axis that is missing.
fn check_axes(file: &MatrixFile, document: &Document, problems: &mut Diagnostics) {
    let Some(section) = &file.matrix else {
        if !document.is_told("matrix") {
            problems.push(
                Diagnostic::error(Some(document.start()), "the key `matrix` is missing")
                    .label("the file has no axes")
                    .path("matrix")
                    .hint("add `matrix: …` with the axes backend, model, audio and verify-method"),
            );
        }
        return;
    };
    for name in NAMED_AXES {
        let path = format!("matrix.{name}");
        if !section.value.axes.contains_key(name) && !document.is_told(&path) {
            problems.push(
                Diagnostic::error(
                    document.key_span(section.node),
                    format!("the axis `{name}` is missing"),
                )
                .label(format!("there is no `{name}` in this matrix"))
                .path(path)
                .hint(format!("add `{name}: [{}]`", example_of(name))),
            );
        }
    }
}

/// Returns a value of an axis for a hint.
fn example_of(axis: &str) -> &'static str {
    match axis {
        "backend" => "whisper-cpp",
        "model" => "tiny.en",
        "audio" => "jfk",
        _ => "cache-check",
    }
}
