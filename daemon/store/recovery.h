// Brings the broker's state back: the last checkpoint, then the journal's tail, each link of its chain
// checked, and the whole held against the witness.
#pragma once

#include "core/state.h"
#include "daemon/store/store.h"
#include "daemon/store/witness.h"

namespace pqd {

struct Recovered {
  uint64_t last_commit = 0;
  ChainHash last_hash{};
  uint64_t covered = 0;  // by the checkpoint it began with
  Tables checkpoint_tables;
  uint64_t live_jobs = 0;
  uint64_t commits_replayed = 0;
};

// `replayed` is called for each commit of the tail, for whoever folds it into rows.
StoreResult<Recovered> recover(const Store& store, const Witness& witness, State& state,
                               const Store::CommitVisitor& replayed);

}  // namespace pqd
