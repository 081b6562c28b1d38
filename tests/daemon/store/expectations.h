// What a store has to hold after a workload, and come back with.
#pragma once

#include "tests/daemon/store/fixtures.h"
#include "tests/daemon/store/workload.h"

namespace pqd::test {

// The workload's next commit, written to the store.
Commit commit_to(Store& store, Workload& work);

// recover() succeeds and comes to the workload's live jobs and tables.
void expect_recovered(const Store& store, const std::string& directory, const Workload& work);

// REQUIRES: a checkpoint covers the whole workload. Every finished job has the row it must have, every dead
// letter is listed, the live rows are those of the workload, and there is nothing else.
void expect_rows(const Store& store, const Workload& work);

// The rows of figures as they stand.
std::map<MetricsKey, MetricsRow> figures_in(const Store& store);
// REQUIRES: a checkpoint covers the whole journal. They are what a recount of it comes to.
void expect_figures(const Store& store);

}  // namespace pqd::test
