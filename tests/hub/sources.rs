//! Sources in their order, URLs, locks, what is here already, and what there is no room for.

use super::fault::{At, Fault};
use super::server::Hub;
use super::{
    COMMIT, QUICK, REPOSITORY, Row, command_of, described, download, everything_is_here, matrix,
    one_file, place_of, place_with, repository, weights,
};
use crate::support::{Place, Ran};
use std::fs;

const ALWAYS: usize = 1000;

fn published(place: &Place) -> Option<Vec<u8>> {
    fs::read(place.store().join("mine/ggml-f16/m.bin")).ok()
}

#[test]
fn what_is_here_and_right_is_not_fetched_and_what_is_wrong_is_replaced() {
    let hub = one_file();
    let place = place_of(&hub, QUICK);
    Row::of(&download(&place, &hub)).expect("completed", "");
    let fetched = hub.fetches();
    let blob = repository(&place)
        .join("blobs")
        .join(hub.content("m.bin").sha256);
    // The store does not know it is there, so that the download is asked again.
    fs::remove_dir_all(repository(&place).join("snapshots")).unwrap();
    Row::of(&download(&place, &hub)).expect("completed", "");
    assert_eq!(hub.fetches(), fetched);
    for wrong in [&hub.content("m.bin").bytes[..1000], &weights(300_000, 9)] {
        fs::write(&blob, wrong).unwrap();
        fs::remove_dir_all(repository(&place).join("snapshots")).unwrap();
        Row::of(&download(&place, &hub)).expect("completed", "");
        everything_is_here(&place, &hub);
    }
}

#[test]
fn a_list_of_several_pages_is_read_to_its_end_and_names_match_globs() {
    let hub = Hub::with(&[
        ("a.json", weights(10, 1)),
        ("deep/down/m.bin", weights(1000, 2)),
        ("m.bin", weights(1000, 3)),
        ("z z#.json", weights(10, 4)),
    ]);
    hub.page(2);
    let place = place_of(&hub, QUICK);
    // Names with signs of YAML are quoted.
    let text = fs::read_to_string(place.path().join("m.yaml")).unwrap();
    place.write("m.yaml", &text.replace("z z#.json:", "\"z z#.json\":"));
    let ran = download(&place, &hub);
    Row::of(&ran).expect("completed", "");
    everything_is_here(&place, &hub);
    let pages = hub.asked().into_iter();
    assert_eq!(
        pages
            .filter(|asked| asked.target.contains("/tree/"))
            .count(),
        3
    );
}

#[test]
fn what_the_list_and_the_definition_say_must_agree_before_anything_is_fetched() {
    let hub = one_file();
    let place = Place::new();
    let files = described("m.bin", &hub.content("m.bin")).replace("300000", "300001");
    let source = format!("{{hub: {REPOSITORY}}}");
    place.write("m.yaml", &matrix(&files, &source, QUICK));
    let row = Row::of(&download(&place, &hub));
    row.expect(
        "failed",
        "300000 by the hub's list, and 300001 by the catalog",
    );
    assert_eq!(hub.served(), 0);
    place.write("m.yaml", &matrix("n.bin: {}", &source, QUICK));
    let row = Row::of(&download(&place, &hub));
    row.expect("failed", "it has no file `n.bin`");
}

#[test]
fn a_commit_is_itself_and_a_tag_is_asked_for() {
    let hub = one_file();
    let fetched = |revision: &str| {
        let source = format!("{{hub: {REPOSITORY}, revision: {revision}}}");
        let place = place_with(&hub, &source, QUICK);
        Row::of(&download(&place, &hub)).expect("completed", "");
        let reference = repository(&place).join("refs").join(revision);
        fs::read_to_string(reference).ok()
    };
    assert_eq!(fetched(COMMIT), None);
    assert_eq!(fetched("v1").as_deref(), Some(COMMIT));
    let source = format!("{{hub: {REPOSITORY}, revision: v9}}");
    let place = place_with(&hub, &source, QUICK);
    Row::of(&download(&place, &hub)).expect("failed", "no revision `v9`");
}

#[test]
fn a_run_says_which_commit_it_fetched() {
    let hub = one_file();
    let place = place_of(&hub, QUICK);
    let mut command = place.command(&["run", "m.yaml", "--out", "run"]);
    let ran = command.env("HF_ENDPOINT", hub.url()).output().unwrap();
    Row::of(&Ran::from(ran)).expect("completed", "");
    let rows = place.table("run/jobs.csv");
    let row = rows.iter().find(|row| row["kind"] == "download").unwrap();
    assert_eq!(row["status"], "completed");
    assert_eq!(row["commit"], format!("{REPOSITORY}@{COMMIT}"));
    assert_eq!(row["bytes"], "300000");
}

#[test]
fn an_environment_that_is_offline_asks_no_hub() {
    let hub = one_file();
    let place = place_of(&hub, QUICK);
    let output = command_of(&place, &hub).env("HF_HUB_OFFLINE", "1").output();
    let row = Row::of(&Ran::from(output.unwrap()));
    row.expect("failed", "HF_HUB_OFFLINE is set");
    assert!(hub.asked().is_empty());
}

#[test]
fn an_address_that_is_none_is_told() {
    let hub = one_file();
    let place = place_of(&hub, QUICK);
    let mut command = command_of(&place, &hub);
    let output = command.env("HF_ENDPOINT", "nowhere").output().unwrap();
    Row::of(&Ran::from(output)).expect("failed", "nowhere");
    let mut command = command_of(&place, &hub);
    // Nobody listens at the port that a listener has just given back.
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let nobody = format!("http://127.0.0.1:{port}");
    let output = command.env("HF_ENDPOINT", nobody).output().unwrap();
    Row::of(&Ran::from(output)).expect("failed", "no connection");
}

#[test]
fn a_proxy_of_the_environment_is_used() {
    let hub = one_file();
    let place = place_of(&hub, QUICK);
    let mut command = command_of(&place, &hub);
    // The hub serves as the proxy: it is asked for whole addresses, and knows none of them.
    command
        .env("HF_ENDPOINT", "http://hub.invalid")
        .env("http_proxy", hub.url());
    Row::of(&Ran::from(command.output().unwrap())).expect("failed", "HTTP 404");
    let asked = hub.asked();
    assert!(
        asked[0]
            .target
            .starts_with("http://hub.invalid/api/models/")
    );
}

#[test]
fn sources_are_tried_in_their_order_and_each_gives_its_reason() {
    let hub = one_file();
    let url = hub.file_url("m.bin");
    let path = "{path: ./nothing-here}";
    let sources = format!("{path}, {{hub: {REPOSITORY}}}, {{url: \"{url}\"}}");
    let place = place_with(&hub, &sources, QUICK);
    hub.fail(At::Info, Fault::Status(404, "", "{}"), ALWAYS);
    let ran = download(&place, &hub).expect_status(0);
    Row::of(&ran).expect("completed", "");
    assert!(ran.stderr.contains("trying the next source"));
    assert_eq!(published(&place), Some(hub.content("m.bin").bytes.to_vec()));
    let place = place_with(&hub, &sources, QUICK);
    hub.fail(At::Bytes, Fault::WrongByte, ALWAYS);
    let row = Row::of(&download(&place, &hub));
    row.expect("failed", "hub owner/name: ");
    row.expect("failed", "; url: m.bin: SHA-256 is");
    assert_eq!(published(&place), None);
}

#[test]
fn a_recipe_that_fails_gives_way_to_the_next_source() {
    let hub = one_file();
    let recipe =
        "recipes:\n  made: {command: [/bin/sh, -c, \"exit 7\"], produces: {mine: [ggml-f16]}}\n";
    let sources = format!("{{recipe: made}}, {{hub: {REPOSITORY}}}");
    let place = place_with(&hub, &sources, &format!("{recipe}{QUICK}"));
    let ran = download(&place, &hub);
    Row::of(&ran).expect("completed", "");
    everything_is_here(&place, &hub);
    let place = place_with(&hub, &sources, &format!("{recipe}{QUICK}"));
    hub.fail(At::Info, Fault::Status(404, "", "{}"), ALWAYS);
    let row = Row::of(&download(&place, &hub));
    row.expect("failed", "recipe made: the recipe ended with status 7");
    row.expect("failed", "hub owner/name: ");
    // The other way round: the recipe is in the plan although it comes second.
    let recipe = recipe.replace("exit 7", "cp ./made.bin \\\"$1\\\"/m.bin");
    let recipe = recipe.replace("\"], produces", "\", sh, \"{{ destination }}\"], produces");
    let sources = format!("{{hub: {REPOSITORY}}}, {{recipe: made}}");
    let place = place_with(&hub, &sources, &format!("{recipe}{QUICK}"));
    fs::write(place.path().join("made.bin"), &*hub.content("m.bin").bytes).unwrap();
    let ran = download(&place, &hub).expect_status(0);
    Row::of(&ran).expect("completed", "");
    assert_eq!(published(&place), Some(hub.content("m.bin").bytes.to_vec()));
}

#[test]
fn a_url_is_resumed_and_published_only_when_it_is_right() {
    let hub = one_file();
    let source = format!("{{url: \"{}\"}}", hub.file_url("m.bin"));
    let place = place_with(&hub, &source, QUICK);
    hub.fail(At::Bytes, Fault::Cut(200_000), 1);
    hub.fail(At::Bytes, Fault::Cut(0), 3);
    let row = Row::of(&download(&place, &hub));
    row.expect("failed", "m.bin: the connection broke");
    assert_eq!(published(&place), None);
    let served = hub.served();
    Row::of(&download(&place, &hub).expect_status(0)).expect("completed", "");
    assert_eq!(published(&place), Some(hub.content("m.bin").bytes.to_vec()));
    assert_eq!(hub.served() - served, 100_000);
    for (fault, reason) in [
        (Fault::WrongByte, "twice"),
        (Fault::Status(404, "", ""), "HTTP 404"),
        (Fault::Page, "a web page came"),
        (Fault::Silence, "no answer within"),
    ] {
        let place = place_with(&hub, &source, QUICK);
        hub.fail(At::Bytes, fault, ALWAYS);
        Row::of(&download(&place, &hub)).expect("failed", reason);
        assert_eq!(published(&place), None);
        hub.heal();
        Row::of(&download(&place, &hub).expect_status(0)).expect("completed", "");
    }
}

#[test]
fn nothing_says_what_should_come_so_nothing_is_fetched() {
    let hub = one_file();
    let source = format!("{{url: \"{}\"}}", hub.file_url("m.bin"));
    let place = Place::new();
    place.write("m.yaml", &matrix("m.bin: {bytes: 300000}", &source, QUICK));
    let row = Row::of(&download(&place, &hub));
    row.expect("failed", "give its `sha256`");
    assert!(hub.asked().is_empty());
}
