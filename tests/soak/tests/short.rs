//! Each soak, bounded: fixed seeds, and a fresh one, which is printed.

use std::time::Duration;

#[test]
fn each_soak_holds_for_a_while() {
    for soak in soak::SOAKS {
        for (seed, seconds) in [(1, 5), (2, 5), (getrandom::u64().unwrap(), 8)] {
            println!("{} seed {seed}", soak.name);
            let counted = (soak.run)(Duration::from_secs(seconds), seed).unwrap();
            println!("{counted}");
        }
    }
}
