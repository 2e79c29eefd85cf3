//! The whole broker under random work, restarts and kills answers what a plain model in memory answers.
//!
//! - `KAFKIT_SEED` runs one seed again, `KAFKIT_SEED=clock` a seed nobody ran before; a failure names its seed with the
//!   last steps.
//! - `KAFKIT_STEPS` is how long each run is.
//! - `KAFKIT_MODEL_BROKER=HOST:PORT` asks another broker, which is neither stopped nor killed: Apache Kafka shows that
//!   the model is right.

mod model;
mod requests;
mod steps;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::support::random::seeds;
use steps::World;

const STEPS: u64 = 400;
/// Seeds of a short run: always the same, so that it fails for what changed.
const SEEDS: u64 = 4;

fn run(seed: u64, steps: u64) {
    let mut world = World::new(seed);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        for _ in 0..steps {
            world.step();
        }
        world.compare_everything();
    }));
    if let Err(panic) = outcome {
        let story = world.story(40);
        // The test runner shows what goes to stderr with the failure.
        let told = format!("KAFKIT_SEED={seed} KAFKIT_STEPS={steps}; the last steps:\n{story}\n");
        std::io::Write::write_all(&mut std::io::stderr(), told.as_bytes()).unwrap();
        resume_unwind(panic);
    }
}

#[test]
fn the_broker_answers_as_a_model_in_memory() {
    for (seed, steps) in seeds(SEEDS, STEPS) {
        run(seed, steps);
    }
}
