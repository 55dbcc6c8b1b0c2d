//! Heat and power: what slows a machine down while it measures.

use super::files::SystemFiles;
use crate::model::ThermalZone;

/// Returns the thermal zones that tell a temperature.
pub(super) fn thermal(files: &SystemFiles) -> Vec<ThermalZone> {
    let zones = files.entries("/sys/class/thermal", "thermal_zone");
    zones
        .into_iter()
        .filter_map(|zone| {
            let thousandths: f64 = files.value(&format!("{zone}/temp"))?;
            Some(ThermalZone {
                zone: files.text(&format!("{zone}/type")).unwrap_or_default(),
                celsius: thousandths / 1000.0,
            })
        })
        .collect()
}

/// What feeds a machine.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Power {
    /// Whether it runs on its battery.
    pub(super) on_battery: Option<bool>,
    /// What the battery holds, in percent.
    pub(super) battery_percent: Option<f64>,
}

/// Returns what feeds a machine. Batteries of mice and the like are not its own. Source: Linux,
/// `ABI/testing/sysfs-class-power`.
pub(super) fn power(files: &SystemFiles) -> Power {
    let mut power = Power::default();
    for supply in files.entries("/sys/class/power_supply", "") {
        let field = |name: &str| files.text(&format!("{supply}/{name}"));
        if field("scope").as_deref() == Some("Device") {
            continue;
        }
        let is_discharging = match field("type").as_deref() {
            Some("Battery") => {
                let percent = field("capacity").and_then(|text| text.parse().ok());
                power.battery_percent = power.battery_percent.or(percent);
                match field("status").as_deref() {
                    Some("Discharging") => Some(true),
                    Some("Charging" | "Full" | "Not charging") => Some(false),
                    _ => None,
                }
            }
            Some("Mains") if field("online").as_deref() == Some("1") => Some(false),
            _ => None,
        };
        // One battery that is being emptied is enough.
        power.on_battery = match (power.on_battery, is_discharging) {
            (Some(one), Some(other)) => Some(one || other),
            (one, other) => one.or(other),
        };
    }
    power
}
