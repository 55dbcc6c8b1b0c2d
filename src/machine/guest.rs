//! Whether the machine is another one's guest, as far as it is told plainly.

use super::files::SystemFiles;

/// Returns what a virtual machine is a guest of: the maker of its virtual hardware where that is
/// told, else only that there is something.
pub(super) fn virtualization(files: &SystemFiles) -> Option<String> {
    if let Some(kind) = files.text("/sys/hypervisor/type") {
        return Some(kind);
    }
    let flags = files.field("/proc/cpuinfo", "flags")?;
    if !flags.split(' ').any(|flag| flag == "hypervisor") {
        return None;
    }
    let told = ["sys_vendor", "product_name"]
        .iter()
        .filter_map(|name| files.text(&format!("/sys/class/dmi/id/{name}")))
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    Some(if told.is_empty() {
        "hypervisor".to_owned()
    } else {
        told
    })
}

/// Returns the kind of container that this process is in, by the marks that they leave in it.
pub(super) fn container(files: &SystemFiles) -> Option<String> {
    if let Some(kind) = files.text("/run/systemd/container") {
        return Some(kind);
    }
    let marks = [("/run/.containerenv", "podman"), ("/.dockerenv", "docker")];
    let found = marks.iter().find(|(mark, _)| files.has(mark))?;
    Some(found.1.to_owned())
}
