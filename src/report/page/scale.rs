//! Axes: from values to places, with ticks that people can read.

/// Returns round values (1, 2 or 5 times a power of ten) that span 0 to at least `largest`.
pub(super) fn linear_ticks(largest: f64, wanted: f64) -> Vec<f64> {
    let rough = (largest / wanted).max(1e-9);
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= rough * (1.0 - 1e-9))
        .unwrap_or(10.0 * power);
    let mut ticks = vec![0.0];
    while ticks
        .last()
        .is_some_and(|last| *last < largest * (1.0 - 1e-9))
    {
        ticks.push(step * count(ticks.len()));
    }
    if ticks.len() == 1 {
        ticks.push(step);
    }
    ticks
}

/// Steps of a clock's face, in seconds; longer ones are hours.
const CLOCK_STEPS: [f64; 17] = [
    0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0,
    3600.0, 7200.0,
];

/// Returns moments, in seconds from 0, that span at least `last` in at most `most` steps.
pub(super) fn clock_ticks(last: f64, most: f64) -> Vec<f64> {
    let hours = (last / most / 3600.0).ceil() * 3600.0;
    let step = CLOCK_STEPS
        .into_iter()
        .find(|step| last / step <= most)
        .unwrap_or(hours);
    let mut ticks = vec![0.0];
    while ticks.last().is_some_and(|tick| *tick < last) {
        ticks.push(step * count(ticks.len()));
    }
    ticks
}

/// Returns 1, 2 and 5 times powers of ten that span at least `least` to `largest`, both above 0.
pub(super) fn logarithmic_ticks(least: f64, largest: f64) -> Vec<f64> {
    let mut ticks = Vec::new();
    let mut power = 10_f64.powf(least.log10().floor());
    loop {
        for factor in [1.0, 2.0, 5.0] {
            let tick = factor * power;
            ticks.push(tick);
            if tick >= largest {
                let first = ticks.iter().rposition(|tick| *tick <= least).unwrap_or(0);
                return ticks.split_off(first);
            }
        }
        power *= 10.0;
    }
}

#[expect(clippy::cast_precision_loss, reason = "a handful of ticks")]
fn count(number: usize) -> f64 {
    number as f64
}

/// Returns a coordinate with as many digits as a screen shows.
pub(super) fn rounded(coordinate: f64) -> f64 {
    (coordinate * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ticks_are_round() {
        assert_eq!(linear_ticks(0.083, 4.0), [0.0, 0.05, 0.1]);
        assert_eq!(linear_ticks(0.0, 4.0).len(), 2);
        assert_eq!(
            clock_ticks(652.0, 8.0),
            [0.0, 120.0, 240.0, 360.0, 480.0, 600.0, 720.0]
        );
        assert_eq!(logarithmic_ticks(9.7, 25.8), [5.0, 10.0, 20.0, 50.0]);
        assert_eq!(logarithmic_ticks(3.0, 3.0), [2.0, 5.0]);
    }

    proptest! {
        #[test]
        fn ticks_span_what_they_should(least in 1e-3..1e4_f64, factor in 1.0..1e3_f64) {
            let largest = least * factor;
            let ticks = logarithmic_ticks(least, largest);
            prop_assert!(ticks[0] <= least && *ticks.last().unwrap() >= largest);
            prop_assert!(ticks.len() < 16);
            let ticks = clock_ticks(largest, 8.0);
            prop_assert!(*ticks.last().unwrap() >= largest && ticks.len() <= 10);
            let ticks = linear_ticks(largest, 4.0);
            prop_assert!(*ticks.last().unwrap() >= largest * (1.0 - 1e-9) && ticks.len() < 8);
        }
    }
}
