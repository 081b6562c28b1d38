// Brings the broker's state back: the last checkpoint, then the journal's tail, each link of its chain
// checked, and the whole held against the witness.
#pragma once

#include "core/state.h"
#include "daemon/store/store_view.h"
#include "daemon/store/witness.h"

namespace pqd {

struct Recovered {
  uint64_t last_commit = 0;
  ChainHash last_hash{};
  uint64_t covered = 0;  // by the checkpoint it began with
  Tables checkpoint_tables;
  uint64_t live_jobs = 0;  // in memory now, those that finished in the tail among them
  uint64_t commits_replayed = 0;
  int64_t took_ms = 0;
};

// `testimony` is the witness's, nothing when it has none. `replayed` is called for each commit of the tail.
// Whoever folds the tail into rows hands it to a RowFold over checkpoint_tables afterwards, from
// for_each_commit(covered + 1).
StoreResult<Recovered> recover(const StoreView& store, const std::optional<Testimony>& testimony,
                               State& state, const StoreView::CommitVisitor& replayed);
inline StoreResult<Recovered> recover(const StoreView& store, const Witness& witness, State& state,
                                      const StoreView::CommitVisitor& replayed) {
  return recover(store, witness.testimony(), state, replayed);
}

}  // namespace pqd
