//! The application of examples/applications/rag-fastapi, which FastAPI and uvicorn serve.

use crate::example_application::Example;
use crate::prepared;

#[test]
fn rag_application_passes_and_fails() {
    let Some(folder) = prepared::folder("fastapi") else { return };
    let example = Example::with_programs("rag-fastapi", &folder.join("python/bin"));
    let failed = ["check.has-the-fact", "check.has-the-fact.baseline"];
    example.pass_and_fail(("app.py", "# A note."), &failed);
    let report = example.report();
    for trial in report["cases"][0]["trials"].as_array().expect("trials") {
        let contexts = trial["contexts"].as_array().expect("contexts");
        let answer = trial["output"].as_str().expect("an answer");
        assert!(contexts.iter().any(|context| context.as_str().is_some_and(|text| text.contains(answer))));
        assert!(trial["usage"]["prompt_tokens"].as_u64() > Some(0));
    }
}
