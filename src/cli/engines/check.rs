//! `earmark engines check`: does an engine keep to the protocol?

use crate::catalog::Catalog;
use crate::cli::arguments::{EngineCheckArguments, Selection, TableFormat};
use crate::cli::backends::add_engines;
use crate::cli::catalogs::catalog_of;
use crate::cli::exit::{ExitStatus, Failure, print, say};
use crate::cli::load::plan_of_text;
use crate::cli::run::{store_here, surroundings};
use crate::diagnostic::Diagnostics;
use crate::engine;
use crate::engine::bridge::BridgeTerms;
use crate::engine::command::protocol_launch;
use crate::exec::RunContext;
use crate::exec::conformance::{CaseResult, CaseVerdict, Subject, SubjectModel, check_conformance};
use crate::model::{Availability, EngineFacts, Model, Plan, Value};
use crate::store::{Store, find};
use crate::ui::printable;
use indexmap::IndexMap;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

pub(super) fn run(arguments: &EngineCheckArguments) -> Result<ExitStatus, Failure> {
    let mut problems = Diagnostics::default();
    let catalog = catalog_of(&arguments.catalog, &mut problems)?;
    let known = known_engines(&catalog, &mut problems);
    if problems.has_errors() {
        return Err(Failure::Input(problems));
    }
    if let Some(unknown) = arguments.engines.iter().find(|id| !known.contains_key(*id)) {
        let ids: Vec<&str> = known.keys().map(String::as_str).collect();
        return Err(Failure::Usage(format!(
            "no engine is called `{unknown}`; there are {}; `--catalog FILE` adds those that a \
             file defines",
            ids.join(", ")
        )));
    }
    let mut documents = Vec::new();
    let mut status = ExitStatus::Success;
    for id in &arguments.engines {
        let (document, passed) = check(&known[id], &catalog, arguments)?;
        documents.push(document);
        if !passed {
            status = ExitStatus::Fault;
        }
    }
    if arguments.format == TableFormat::Json {
        let document = json!({ "engines": documents });
        print(&(serde_json::to_string_pretty(&document).map_err(Failure::internal)? + "\n"))?;
    }
    Ok(status)
}

/// Returns the engines of this program, and those of catalog files that speak the protocol.
fn known_engines(catalog: &Catalog, problems: &mut Diagnostics) -> IndexMap<String, EngineFacts> {
    let mut known = engine::facts();
    let own = catalog
        .backends
        .iter()
        .filter(|(_, entry)| entry.definition.speaks_protocol());
    add_engines(&mut known, own, problems);
    known
}

/// Returns settings in the types that an engine declares.
fn settings_of(
    facts: &EngineFacts,
    given: &[(String, String)],
) -> Result<BTreeMap<String, Value>, Failure> {
    let mut settings = BTreeMap::new();
    for (name, written) in given {
        let Some(declaration) = facts.setting(name) else {
            let known: Vec<&str> = facts.settings.iter().map(|s| s.name.as_str()).collect();
            return Err(Failure::Usage(format!(
                "`{}` has no setting `{name}`; it has {}",
                facts.id,
                known.join(", ")
            )));
        };
        let value = typed(written);
        let accepted = declaration
            .accept(&value)
            .or_else(|_| declaration.accept(&Value::text(written)));
        settings.insert(name.clone(), accepted.map_err(Failure::Usage)?);
    }
    Ok(settings)
}

/// Returns what is written as the type that it looks like.
fn typed(written: &str) -> Value {
    let integer = written.parse().ok().map(Value::integer);
    let number = || written.parse().ok().map(Value::number);
    let boolean = || written.parse().ok().map(Value::boolean);
    integer
        .or_else(number)
        .or_else(boolean)
        .unwrap_or_else(|| Value::text(written))
}

/// Checks one engine. Returns the findings as a document, and whether all is as it should be.
fn check(
    facts: &EngineFacts,
    catalog: &Catalog,
    arguments: &EngineCheckArguments,
) -> Result<(Json, bool), Failure> {
    let text = arguments.format == TableFormat::Table;
    if let Availability::Unavailable(reason) = &facts.availability {
        if text {
            print(&format!(
                "{}\n  not here: {}\n",
                facts.id,
                printable(reason)
            ))?;
        }
        let document = json!({"id": facts.id, "passed": false, "reason": reason, "cases": []});
        return Ok((document, false));
    }
    let store = store_here()?;
    let settings = settings_of(facts, &arguments.setting)?;
    let wanted = wanted_model(facts, arguments, catalog, &store)?;
    let selection = Selection {
        catalog: arguments.catalog.clone(),
        ..Selection::default()
    };
    let plan = plan_of_text(matrix(facts, &wanted), &selection)?;
    let folder = tempfile::tempdir().map_err(Failure::internal)?;
    let context = surroundings(plan, folder.path())?;
    let model = model_of(facts, &wanted, &context.plan, &store);
    let threads = context.machine.physical_cores.max(1);
    let terms = BridgeTerms {
        settings: &settings,
        threads,
        // As for a benchmark: an engine that transcribes through a network reaches it.
        measured: true,
    };
    let variable = |name: &str| context.variable(name);
    let own = context.plan.backends.get(&facts.id);
    let launch = match own {
        Some(definition) => Ok(protocol_launch(definition, threads, variable)),
        None => engine::launch_any(&context.program, facts, &terms, variable),
    };
    let subject = Subject {
        launch: launch.map_err(Failure::Usage)?,
        directory: own.map(|definition| definition.directory.clone()),
        facts: facts.clone(),
        model,
        settings,
        threads,
        limit: arguments.limit,
    };
    if text {
        print(&format!("{}{}\n", facts.id, in_words(&subject.model)))?;
    }
    let results = drive(&context, &subject, text)?;
    let failed = results.iter().filter(|result| result.is_failed()).count();
    if text {
        print(&format!("  {}\n", summary(&results)))?;
    }
    let cases: Vec<Json> = results.iter().map(document).collect();
    let document = json!({
        "id": facts.id,
        "passed": failed == 0,
        "model": wanted.as_ref().map(|(model, _)| model),
        "cases": cases,
    });
    Ok((document, failed == 0))
}

fn drive(context: &RunContext, subject: &Subject, text: bool) -> Result<Vec<CaseResult>, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(Failure::internal)?;
    let results = runtime.block_on(check_conformance(context, subject, |result| {
        if text && let Err(failure) = print(&line(result)) {
            failure.tell();
        }
    }));
    runtime.shutdown_background();
    results.map_err(|reason| {
        say("the engine was not driven to the end");
        Failure::internal(reason)
    })
}

/// A model and a quantization; nothing for an engine that reads no model.
type Wanted = Option<(String, String)>;

/// Returns which model is loaded: the one that was named, else the first that is whole here, else
/// the smallest that the engine reads.
fn wanted_model(
    facts: &EngineFacts,
    arguments: &EngineCheckArguments,
    catalog: &Catalog,
    store: &Store,
) -> Result<Wanted, Failure> {
    let Some(default) = facts.artifacts.keys().next() else {
        return Ok(None);
    };
    let quantization = arguments.quantization.as_ref().unwrap_or(default);
    let Some(artifact) = facts.artifacts.get(quantization) else {
        let known: Vec<&str> = facts.artifacts.keys().map(String::as_str).collect();
        return Err(Failure::Usage(format!(
            "`{}` has no quantization `{quantization}`; it has {}",
            facts.id,
            known.join(", ")
        )));
    };
    if let Some(model) = &arguments.model {
        return Ok(Some((model.clone(), quantization.clone())));
    }
    let mut readable: Vec<&Model> = catalog
        .models
        .values()
        .filter(|model| model.artifacts.contains_key(artifact))
        .filter(|model| facts.families.is_empty() || facts.families.contains(&model.family))
        .collect();
    // The smallest first, among them English, which the recordings are.
    readable.sort_by_key(|model| {
        (
            model.parameters,
            !model.languages.contains(&"en".to_owned()),
        )
    });
    let is_here = |model: &&&Model| find(&model.artifacts[artifact], store).is_complete();
    let chosen = readable.iter().find(is_here).or(readable.first());
    Ok(chosen.map(|model| (model.id.clone(), quantization.clone())))
}

/// Returns the matrix that the question stands for, as JSON, which is YAML.
fn matrix(facts: &EngineFacts, wanted: &Wanted) -> String {
    let mut axes = json!({
        "backend": facts.id,
        "model": wanted.as_ref().map_or("none", |(model, _)| model.as_str()),
        "audio": "jfk",
        "verify-method": "cache-check",
    });
    if let Some((_, quantization)) = wanted {
        axes["quantization"] = json!(quantization);
    }
    json!({ "version": 1, "name": "check", "matrix": axes }).to_string()
}

/// Looks for the model, as a verify by names and sizes does.
fn model_of(facts: &EngineFacts, wanted: &Wanted, plan: &Plan, store: &Store) -> SubjectModel {
    let Some((id, quantization)) = wanted else {
        return SubjectModel::NoneNeeded;
    };
    let artifact = plan
        .models
        .get(id)
        .and_then(|model| model.artifacts.get(facts.artifacts.get(quantization)?));
    let Some(artifact) = artifact else {
        return SubjectModel::Missing {
            id: id.clone(),
            files: Vec::new(),
            reason: format!("`{id}` does not come in what `{}` reads", facts.id),
        };
    };
    let found = find(artifact, store);
    let (folder, files) = (found.place.folder.clone(), found.place.names());
    if found.is_complete() {
        SubjectModel::Here {
            id: id.clone(),
            folder,
            files,
        }
    } else {
        let asked = format!(
            "--backend {} --model {id} --quantization {quantization}",
            facts.id
        );
        SubjectModel::Missing {
            id: id.clone(),
            files,
            reason: format!("`{id}` is not here: `earmark verify --download {asked}` fetches it"),
        }
    }
}

fn in_words(model: &SubjectModel) -> String {
    match model {
        SubjectModel::NoneNeeded => String::new(),
        SubjectModel::Here { id, .. } | SubjectModel::Missing { id, .. } => format!(" with {id}"),
    }
}

/// Returns a case as a line for people.
fn line(result: &CaseResult) -> String {
    let case = result.case.word();
    let (word, rest) = match &result.verdict {
        CaseVerdict::Ok { note } => ("ok", note.clone()),
        CaseVerdict::Tolerated { came } => ("ok", format!("tolerated: {came}")),
        CaseVerdict::Failed { came, expected } => {
            ("FAILED", format!("came: {came}; expected: {expected}"))
        }
        CaseVerdict::Skipped { reason } => ("skipped", reason.clone()),
    };
    let rest = printable(&rest);
    format!("  {word:<8} {case:<22} {rest}")
        .trim_end()
        .to_owned()
        + "\n"
}

fn document(result: &CaseResult) -> Json {
    let mut document = json!(result.verdict);
    document["case"] = json!(result.case.word());
    document["what"] = json!(result.case.what());
    document
}

fn summary(results: &[CaseResult]) -> String {
    let count =
        |is: fn(&CaseVerdict) -> bool| results.iter().filter(|result| is(&result.verdict)).count();
    let skipped = count(|verdict| matches!(verdict, CaseVerdict::Skipped { .. }));
    let failed = count(|verdict| matches!(verdict, CaseVerdict::Failed { .. }));
    let passed = results.len() - skipped - failed;
    format!("{passed} passed, {failed} failed, {skipped} skipped")
}
