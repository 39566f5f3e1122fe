// The programs that KFP runs in its pods, call by call as its own driver and launcher make them
// (backend/src/v2/driver, backend/src/v2/component): a run of a pipeline is a sequence of them.
//
// Threading: one thread. What is handed over is borrowed until the coroutine ends.
//
//   activity.body = PlayPipeline(pipeline, run);
//   activity.body.Start();
#pragma once

#include "bench/coroutine.h"
#include "bench/kfp_pipeline.h"
#include "bench/kfp_run.h"

namespace pedigree::bench {

// The whole run: the root driver, again as often as Argo retries it, then the tasks. Tasks that do
// not need one another, and the iterations of a loop, run `run.width` at a time. What needs a task
// that has failed or been skipped is not run.
Coroutine<void> PlayPipeline(const KfpPipeline& pipeline, PlayedRun& run);

}  // namespace pedigree::bench
