use super::*;
use proptest::prelude::*;

fn check(attempt: u32, nominal_s: u64) {
    let nominal_ms = nominal_s * 1000;
    for seed in 0..500 {
        let ms = u64::try_from(delay(attempt, seed).as_millis()).expect("fits");
        assert!(ms * 10 >= nominal_ms * 8, "attempt {attempt}: {ms} ms is below 80 % of {nominal_ms}");
        assert!(ms * 10 <= nominal_ms * 12, "attempt {attempt}: {ms} ms is above 120 % of {nominal_ms}");
    }
}

#[test]
fn grows_by_three_from_five_seconds_to_six_hours() {
    check(0, 5);
    check(1, 5);
    check(2, 15);
    check(3, 45);
    check(4, 135);
    check(8, 10_935);
    check(9, 21_600);
    check(100, 21_600);
    check(u32::MAX, 21_600);
}

#[test]
fn spreads_over_the_whole_width() {
    let delays: Vec<u64> = (0..2000).map(|seed| u64::try_from(delay(3, seed).as_millis()).expect("fits")).collect();
    let (least, most) = (delays.iter().min().expect("some"), delays.iter().max().expect("some"));
    assert!(*least < 36_500, "{least}");
    assert!(*most > 53_500, "{most}");
}

proptest! {
    #[test]
    fn never_exceeds_the_cap_and_repeats_itself(attempt: u32, seed: u64) {
        let first = delay(attempt, seed);
        prop_assert!(first <= CAP);
        prop_assert!(first >= Duration::from_secs(4));
        prop_assert_eq!(first, delay(attempt, seed));
    }
}
