//! `kill -9` of the real process at each of its requests to the registry; the next call finishes what it began.

use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use promptgate_simulated::fake_langfuse::{Fault, FaultAction, Prompts};

use super::support::{ALONE, CHANGES, Langfuse, NAME, REPORT, Suite};

/// A suite, its server, and the state that every kill begins with.
pub(crate) struct World {
    pub(crate) langfuse: Langfuse,
    pub(crate) suite: Suite,
    prompts: Prompts,
    ledger: Vec<(String, Vec<u8>)>,
}

impl World {
    pub(crate) fn new(langfuse: Langfuse, suite: Suite) -> Self {
        let (prompts, ledger) = (langfuse.saved(), suite.ledger());
        Self { langfuse, suite, prompts, ledger }
    }

    fn restore(&self) {
        std::fs::remove_dir_all(self.suite.folder.path().join("ledger")).expect("a ledger");
        for (path, bytes) in &self.ledger {
            let path = std::path::Path::new(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, bytes).expect("a file");
        }
        self.langfuse.server.edit(|prompts| *prompts = self.prompts.clone());
    }

    /// The methods of the requests of a command that nothing disturbs, and that ends with this code.
    pub(crate) fn methods(&self, arguments: &[&str], code: i32) -> Vec<String> {
        self.restore();
        let before = self.langfuse.server.requests().len();
        self.suite.run(arguments).expect_code(code);
        self.langfuse.since(before).into_iter().map(|request| request.method).collect()
    }

    /// Kills a command when its request of this method and position is there.
    pub(crate) fn kill(&self, arguments: &[&str], method: &'static str, position: usize, processed: bool) {
        self.restore();
        for _ in 0..position {
            self.langfuse.server.inject(Fault::then(method, |_| {}));
        }
        let (reached, at_request) = mpsc::channel();
        self.langfuse.server.inject(Fault { method, action: FaultAction::Held { processed, reached } });
        let mut command = self.suite.command(arguments);
        let mut child =
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the executable runs");
        at_request.recv_timeout(Duration::from_secs(60)).expect("the request");
        child.kill().expect("a process");
        child.wait().expect("an exit");
    }

    /// Kills at every request, runs `next` and checks the outcome. Returns how often, as a sentence.
    pub(crate) fn kill_everywhere(
        &self,
        what: &str,
        arguments: &[&str],
        next: &[&str],
        check: impl Fn(&Self),
    ) -> String {
        let mut kills = 0;
        let methods = self.methods(arguments, 0);
        for method in ["GET", "POST", "PATCH"] {
            for position in 0..methods.iter().filter(|known| *known == method).count() {
                for processed in [false, true] {
                    // A read has no effect.
                    if method == "GET" && processed {
                        continue;
                    }
                    self.kill(arguments, method, position, processed);
                    self.suite.run(next).expect_code(0);
                    self.suite.run(&["reconcile", "--check"]).expect_code(0);
                    check(self);
                    kills += 1;
                }
            }
        }
        assert!(kills > 3);
        format!("{what}: killed {kills} times at its {} requests, before and after effects", methods.len())
    }
}

#[test]
fn next_call_finishes_a_killed_publication() {
    let langfuse = Langfuse::start();
    let suite = Suite::on_langfuse(&langfuse, ALONE).with_two();
    suite.edit(CHANGES[1], "days were missing");
    suite.evaluate();
    let world = World::new(langfuse, suite);
    let publish = ["publish", "--report", REPORT, "--allow-simulated"];
    let kills = world.kill_everywhere("publish", &publish, &publish, |world| {
        assert_eq!(world.suite.label("production"), "1.1.0");
        assert_eq!(world.suite.events("published").len(), 3);
        assert_eq!(world.suite.events("evaluated").len(), 3);
        assert_eq!(world.langfuse.count(), 3, "a version is created once");
    });
    println!("{kills}");
}

#[test]
fn next_call_finishes_a_killed_promotion() {
    let langfuse = Langfuse::start();
    let suite = Suite::on_langfuse(&langfuse, ALONE).with_two();
    suite.release(CHANGES[1], "days were missing");
    suite.promote("", "staging", &[]).expect_code(0);
    let world = World::new(langfuse, suite);
    let promote = ["promote", NAME, "1.2.0", "--to", "production", "--allow-simulated"];
    let kills = world.kill_everywhere("promote", &promote, &promote, |world| {
        assert_eq!(
            (world.langfuse.holders("production"), world.suite.label("production")),
            (vec![3], "1.2.0".into())
        );
        assert_eq!(world.suite.events("moved").len(), 6);
    });
    println!("{kills}");
    // Whatever the next call is, it finishes the move.
    let next = ["reconcile"];
    let methods = world.methods(&promote, 0);
    for position in 0..methods.iter().filter(|method| *method == "PATCH").count() {
        world.kill(&promote, "PATCH", position, true);
        world.suite.run(&next).expect_code(0);
        assert_eq!(world.suite.label("production"), "1.2.0");
        assert_eq!(world.langfuse.holders("production"), [3]);
    }
}

#[test]
fn next_call_finishes_a_killed_rollback() {
    let langfuse = Langfuse::start();
    let suite = Suite::on_langfuse(&langfuse, ALONE).with_two();
    let world = World::new(langfuse, suite);
    let rollback = ["rollback", NAME, "--to", "1.0.0", "--reason", "customers complain"];
    let check = |world: &World| {
        assert_eq!(
            (world.langfuse.holders("production"), world.suite.label("production")),
            (vec![1], "1.0.0".into())
        );
        let moved = world.suite.events("moved");
        assert_eq!(moved.iter().filter(|event| event["cause"] == "rollback").count(), 1, "{moved:?}");
    };
    // Where it was killed after its event, the second one finds nothing to do, which is no failure of the first.
    let methods = world.methods(&rollback, 0);
    let mut kills = 0;
    for method in ["GET", "PATCH"] {
        for position in 0..methods.iter().filter(|known| *known == method).count() {
            for processed in [method == "PATCH", false] {
                world.kill(&rollback, method, position, processed);
                let again = world.suite.run(&rollback);
                assert!(matches!(again.code, 0 | 2), "{}", again.text());
                world.suite.run(&["reconcile"]).expect_code(0);
                check(&world);
                kills += 1;
            }
        }
    }
    println!("rollback: killed {kills} times at its {} requests", methods.len());
    // A schedule that comes first does not promote it again.
    world.kill(&rollback, "PATCH", 0, true);
    world.suite.promote("1.1.0", "production", &[]).expect_code(10).says("was rolled back");
    check(&world);
}
